package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.plan.Kernel;

/** What two arrays of one shape make, element by element, in pieces that stay in the cache. */
final class PairwiseKernel implements Kernel {

  private static final int PIECE = 1024;

  private final CpuTensor a;
  private final CpuTensor b;
  private final CpuTensor result;
  private final Combination combination;
  private final float[] as = new float[PIECE];
  private final float[] bs = new float[PIECE];

  /** Replaces the first n elements of a by what they and those of b make. */
  @FunctionalInterface
  interface Combination {
    void combine(float[] a, float[] b, int n);
  }

  PairwiseKernel(List<CpuTensor> inputs, CpuTensor result, Combination combination) {
    a = inputs.get(0);
    b = inputs.get(1);
    this.result = result;
    this.combination = combination;
  }

  @Override
  public void run() {
    for (int offset = 0; offset < result.length(); offset += PIECE) {
      int n = Math.min(PIECE, result.length() - offset);
      a.buffer().get(offset, as, 0, n);
      b.buffer().get(offset, bs, 0, n);
      combination.combine(as, bs, n);
      result.buffer().put(offset, as, 0, n);
    }
  }
}

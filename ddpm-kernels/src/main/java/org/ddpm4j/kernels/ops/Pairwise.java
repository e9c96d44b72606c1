package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** What two arrays of one shape make, element by element, in pieces that stay in the cache. */
abstract class Pairwise extends FusedOp {

  private static final int PIECE = 1024;

  Pairwise() {
    super(1);
  }

  Pairwise(SameDiff graph, SDVariable a, SDVariable b) {
    super(1, graph, a, b);
  }

  /** Replaces the first n elements of a by what they and those of b make. */
  abstract void combine(float[] a, float[] b, int n);

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    float[] a = new float[PIECE];
    float[] b = new float[PIECE];
    Tensor output = outputs.get(0);
    return () -> {
      for (int offset = 0; offset < output.length(); offset += PIECE) {
        int n = Math.min(PIECE, output.length() - offset);
        inputs.get(0).buffer().get(offset, a, 0, n);
        inputs.get(1).buffer().get(offset, b, 0, n);
        combine(a, b, n);
        output.buffer().put(offset, a, 0, n);
      }
    };
  }
}

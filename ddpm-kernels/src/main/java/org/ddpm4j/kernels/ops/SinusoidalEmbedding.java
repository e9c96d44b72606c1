package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Sines and cosines of timesteps. Input: t {@code [N]}. Output: {@code [N,width]}, the sines first
 * or the cosines, with the frequencies {@code 10000^(-i/(width/2-shift))}.
 */
public final class SinusoidalEmbedding extends FusedOp {

  /** For SameDiff. */
  public SinusoidalEmbedding() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param t timesteps {@code [N]}
   * @param width even, at least 2
   * @param shift of the exponents' divisor, less than half the width
   * @param sinesAt where the sines begin: 0, or half the width if the cosines come first
   */
  public SinusoidalEmbedding(SameDiff graph, SDVariable t, int width, int shift, int sinesAt) {
    super(1, graph, t);
    addIArgument(width, shift, sinesAt);
  }

  @Override
  public String opName() {
    return "ddpm_sinusoidal_embedding";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], setting(0)});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    int width = setting(0);
    int half = width / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = (float) Math.exp(-Math.log(10000) * i / (half - (double) setting(1)));
    }
    int sinesAt = setting(2);
    int cosinesAt = half - sinesAt;
    Tensor t = inputs.get(0);
    Tensor y = outputs.get(0);
    return () -> {
      for (int n = 0; n < t.length(); n++) {
        for (int i = 0; i < half; i++) {
          float angle = t.buffer().get(n) * frequencies[i];
          y.buffer().put(n * width + sinesAt + i, (float) Math.sin(angle));
          y.buffer().put(n * width + cosinesAt + i, (float) Math.cos(angle));
        }
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Timesteps have no gradient.");
  }
}

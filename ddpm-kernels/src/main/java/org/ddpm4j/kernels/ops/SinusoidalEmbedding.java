package org.ddpm4j.kernels.ops;

import java.util.List;
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

  /** {@return the length of a row} */
  public int width() {
    return setting(0);
  }

  /** {@return what is taken off half the width in the frequencies} */
  public int shift() {
    return setting(1);
  }

  /** {@return where the sines begin: 0 or half the width} */
  public int sinesAt() {
    return setting(2);
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
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Timesteps have no gradient.");
  }
}

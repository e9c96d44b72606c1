package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Product of two arrays of one shape, element by element. */
public final class Multiply extends FusedOp {

  private static final int PIECE = 1024;

  /** For SameDiff. */
  public Multiply() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param a any shape
   * @param b the same shape
   */
  public Multiply(SameDiff graph, SDVariable a, SDVariable b) {
    super(1, graph, a, b);
  }

  @Override
  public String opName() {
    return "ddpm_multiply";
  }

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
    Tensor product = outputs.get(0);
    return () -> {
      for (int offset = 0; offset < product.length(); offset += PIECE) {
        int n = Math.min(PIECE, product.length() - offset);
        inputs.get(0).buffer().get(offset, a, 0, n);
        inputs.get(1).buffer().get(offset, b, 0, n);
        Loops.multiply(a, b, n);
        product.buffer().put(offset, a, 0, n);
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dy = gradients.get(0);
    return List.of(
        new Multiply(sameDiff, dy, arg(1)).outputVariable(),
        new Multiply(sameDiff, dy, arg(0)).outputVariable());
  }
}

package org.ddpm4j.kernels.ops;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Linear}. Inputs: x, weights, gradient of the output. Outputs: gradients of
 * x, weights and bias.
 */
public final class LinearGradient extends FusedOp {

  /** For SameDiff. */
  public LinearGradient() {
    super(3);
  }

  LinearGradient(SameDiff graph, SDVariable x, SDVariable weights, SDVariable dy) {
    super(3, graph, x, weights, dy);
  }

  @Override
  public String opName() {
    return "ddpm_linear_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[1]});
  }

  @Override
  public boolean addsTo(int output) {
    return output > 0;
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 4.0 * inputs.get(0)[0] * Tensor.length(inputs.get(1));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor dy = inputs.get(2);
    long n = x.size(0);
    long in = x.size(1);
    long out = dy.size(1);
    memory.desc gradient = Onednn.dense(n, out);
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      memory.desc transposedWeights = Onednn.strided(new long[] {out, in}, 1, out);
      steps.add(
          MatrixProduct.of(gradient, transposedWeights, Onednn.dense(n, in))
              .call(context, dy, inputs.get(1), outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      memory.desc transposedX = Onednn.strided(new long[] {in, n}, 1, in);
      steps.add(
          MatrixProduct.adding(transposedX, gradient, Onednn.dense(in, out))
              .call(context, x, dy, outputs.get(1)));
    }
    if (outputs.get(2) != null) {
      steps.add(new RowSum(dy, outputs.get(2)));
    }
    return ConvolutionOperands.sequence(steps);
  }

  /** Adds all rows of a matrix to a vector. */
  private record RowSum(Tensor rows, Tensor sum) implements Kernel {

    @Override
    public void run() {
      int width = rows.size(1);
      double[] total = new double[width];
      for (int i = 0; i < rows.length(); i++) {
        total[i % width] += rows.buffer().get(i);
      }
      ParameterGradients.add(sum, total);
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}

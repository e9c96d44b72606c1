package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.EltwiseFunction;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Operations element by element, by {@code pointwise.cu}. */
final class PointwiseKernels {

  private static final String FILE = "pointwise.cu";

  private PointwiseKernels() {}

  /** In the order of {@code pointwise_any}. */
  private enum Operation {
    ADD("add"),
    MULTIPLY("multiply"),
    AFFINE("affine"),
    ELTWISE("eltwise"),
    ELTWISE_GRADIENT("eltwise_gradient");

    private final String kernel;

    Operation(String kernel) {
      this.kernel = kernel;
    }
  }

  /** What an operation is told besides its tensors. */
  private record Call(Operation operation, EltwiseFunction function, float factor, float summand) {
    static Call of(Operation operation) {
      return of(operation, EltwiseFunction.IDENTITY);
    }

    static Call of(Operation operation, EltwiseFunction function) {
      return new Call(operation, function, 1, 0);
    }

    /** Of the kernel for tensors that lie alike. */
    List<Object> settings(Tensor y) {
      return switch (operation) {
        case ADD, MULTIPLY -> List.of();
        case AFFINE -> List.of(factor, summand, Rows.width(y), Rows.length(y));
        case ELTWISE, ELTWISE_GRADIENT -> List.of(function.ordinal());
      };
    }
  }

  static Kernel add(Add op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(context, Call.of(Operation.ADD), inputs, outputs.get(0));
  }

  static Kernel multiply(
      Multiply op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(context, Call.of(Operation.MULTIPLY), inputs, outputs.get(0));
  }

  static Kernel affine(Affine op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Call call =
        new Call(
            Operation.AFFINE, EltwiseFunction.IDENTITY, (float) op.factor(), (float) op.summand());
    return kernel(context, call, inputs, outputs.get(0));
  }

  static Kernel eltwise(
      Eltwise op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(context, Call.of(Operation.ELTWISE, op.function()), inputs, outputs.get(0));
  }

  static Kernel eltwiseGradient(
      EltwiseGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Call call = Call.of(Operation.ELTWISE_GRADIENT, op.function());
    return kernel(context, call, inputs, outputs.get(0));
  }

  /** {@code sum += summand}, both dense. */
  static Kernel adding(CudaContext context, Tensor summand, Tensor sum) {
    return kernel(context, Call.of(Operation.ADD), List.of(sum, summand), sum);
  }

  /** The same numbers in another format. */
  static Kernel copying(CudaContext context, Tensor from, Tensor to) {
    return kernel(context, Call.of(Operation.ELTWISE), List.of(from), to);
  }

  private static Kernel kernel(CudaContext context, Call call, List<Tensor> inputs, Tensor y) {
    if (y == null) {
      return () -> {};
    }
    boolean alike = inputs.stream().allMatch(x -> x.format().equals(y.format()));
    return alike ? alike(context, call, inputs, y) : ofAnyFormats(context, call, inputs, y);
  }

  private static Kernel alike(CudaContext context, Call call, List<Tensor> inputs, Tensor y) {
    List<Object> arguments = new ArrayList<>(inputs);
    arguments.add(y);
    arguments.add(Rows.elements(y));
    arguments.addAll(call.settings(y));
    String kernel = call.operation.kernel;
    Launch launch = Rows.launch(Rows.packs(y));
    return context.isBfloat16() && !Rows.isBfloat16(y)
        ? context.launchFloat(FILE, kernel, launch, arguments.toArray())
        : context.launch(FILE, kernel, launch, arguments.toArray());
  }

  private static Kernel ofAnyFormats(
      CudaContext context, Call call, List<Tensor> inputs, Tensor y) {
    List<Object> arguments = new ArrayList<>();
    arguments.add(call.operation.ordinal());
    arguments.addAll(Rows.anyFormat(inputs.get(0)));
    arguments.addAll(
        inputs.size() == 1 ? Arrays.asList(null, 0, 0) : Rows.anyFormat(inputs.get(1)));
    arguments.addAll(Rows.anyFormat(y));
    Collections.addAll(
        arguments,
        Rows.count(y),
        Rows.width(y),
        call.function.ordinal(),
        call.factor,
        call.summand);
    return context.launch(
        FILE, "pointwise_any", Rows.launch(Rows.elements(y)), arguments.toArray());
  }
}

package org.ddpm4j.kernels.cpu;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Executes one fused operation on arrays. */
public final class SingleExecution {

  private SingleExecution() {}

  /**
   * Prepares and runs an operation.
   *
   * @param op what to run
   * @param inputs what it reads, FLOAT
   * @param outputs what it writes, FLOAT
   */
  public static void run(FusedOp op, List<INDArray> inputs, List<INDArray> outputs) {
    List<INDArray> contiguous = inputs.stream().map(SingleExecution::contiguous).toList();
    List<INDArray> results = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      INDArray output = outputs.get(i);
      INDArray result =
          isContiguous(output)
              ? output
              : Nd4j.createUninitialized(DataType.FLOAT, output.shape(), 'c');
      if (op.addsTo(i)) {
        result.assign(0);
      }
      results.add(result);
    }
    Onednn.engine();
    OpenMp.singleThreaded(() -> runOn(op, contiguous, results));
    // Tensors do not hold on to the arrays, which own the memory.
    Reference.reachabilityFence(contiguous);
    for (int i = 0; i < outputs.size(); i++) {
      if (results.get(i) != outputs.get(i)) {
        outputs.get(i).assign(results.get(i));
      }
    }
  }

  private static void runOn(FusedOp op, List<INDArray> inputs, List<INDArray> outputs) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = new CpuContext(weights, Precision.FLOAT32)) {
      context
          .preparing(
              () ->
                  CpuKernels.kernel(
                      op,
                      context,
                      inputs.stream().map(SingleExecution::cpuTensor).toList(),
                      outputs.stream().map(SingleExecution::cpuTensor).toList()))
          .run();
    }
  }

  /**
   * An array with its elements in order and without gaps.
   *
   * @param array any array
   * @return the array itself or a copy
   */
  public static INDArray contiguous(INDArray array) {
    return isContiguous(array) ? array : array.dup('c');
  }

  /**
   * Whether the elements of an array lie in order and without gaps.
   *
   * @param array any array
   * @return true if it is row-major and contiguous, as a whole or as part of another
   */
  public static boolean isContiguous(INDArray array) {
    if (array.ordering() != 'c') {
      return array.length() == 1;
    }
    long stride = 1;
    for (int axis = array.rank() - 1; axis >= 0; axis--) {
      if (array.size(axis) > 1 && array.stride(axis) != stride) {
        return false;
      }
      stride *= array.size(axis);
    }
    return true;
  }

  /**
   * The memory of an array.
   *
   * @param array FLOAT, contiguous and row-major
   * @return its elements
   */
  public static Tensor tensor(INDArray array) {
    return Tensor.dense(cpuTensor(array).pointer().address(), array.shape());
  }

  /**
   * The elements of an array.
   *
   * @param array FLOAT, contiguous and row-major
   * @return a view of them, as long as the array lives
   */
  public static FloatBuffer buffer(INDArray array) {
    return cpuTensor(array).buffer();
  }

  /** The memory of an array, as CPU kernels see it. */
  static CpuTensor cpuTensor(INDArray array) {
    if (array.dataType() != DataType.FLOAT || !isContiguous(array)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A kernel reads contiguous arrays of FLOAT; this is %s.",
              array.shapeInfoToString()));
    }
    FloatPointer memory = new FloatPointer(array.data().pointer());
    return CpuTensor.within(memory, array.offset(), array.shape());
  }
}

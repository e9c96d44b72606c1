package org.ddpm4j.kernels;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
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
    PointerScope nativeObjects = new PointerScope();
    try (PackedWeights weights = new PackedWeights();
        KernelContext context = new KernelContext(weights, Precision.FLOAT32)) {
      op.kernel(
              context,
              inputs.stream().map(SingleExecution::tensor).toList(),
              outputs.stream().map(SingleExecution::tensor).toList())
          .run();
    } finally {
      nativeObjects.close();
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

  private static boolean isContiguous(INDArray array) {
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
    if (array.dataType() != DataType.FLOAT || !isContiguous(array)) {
      throw new IllegalArgumentException(
          "A kernel reads contiguous arrays of FLOAT; this is %s."
              .formatted(array.shapeInfoToString()));
    }
    FloatPointer memory = new FloatPointer(array.data().pointer());
    return Tensor.within(memory, array.offset(), array.shape());
  }
}

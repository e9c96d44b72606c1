package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Tensor;

/** Row-major numbers in double precision: what oracles compute with. */
public record Values(double[] elements, long... shape) {

  public Values {
    if (elements.length != CpuTensor.length(shape)) {
      throw new IllegalArgumentException(
          "%d elements do not have the shape %s."
              .formatted(elements.length, Arrays.toString(shape)));
    }
  }

  public static Values zeros(long... shape) {
    return new Values(new double[(int) CpuTensor.length(shape)], shape);
  }

  /** Normal numbers that are floats, so that a plan starts from the very same. */
  public static Values gaussian(RandomGenerator random, double deviation, long... shape) {
    Values values = zeros(shape);
    Arrays.setAll(values.elements, i -> (float) (deviation * random.nextGaussian()));
    return values;
  }

  static Values of(CpuTensor tensor) {
    Values values = zeros(tensor.shape());
    Arrays.setAll(values.elements, i -> tensor.buffer().get(i));
    return values;
  }

  /** Of a CPU's plan. */
  public static Values of(Tensor tensor) {
    return of(CpuTensor.of(tensor));
  }

  /** Writes an input of a plan. */
  public void setInput(GraphPlan plan, String name) {
    FloatBuffer floats = FloatBuffer.allocate(elements.length);
    Arrays.stream(elements).forEach(x -> floats.put((float) x));
    plan.setInput(name, floats.flip(), 0);
  }

  /** A tensor with memory of its own. */
  CpuTensor toTensor() {
    CpuTensor tensor = CpuTensor.within(new FloatPointer(elements.length), 0, shape);
    writeTo(tensor);
    return tensor;
  }

  /** As parameters and their gradients lie, one behind the other: at any float of a cache line. */
  CpuTensor toTensorInARow() {
    CpuTensor tensor = CpuTensor.within(new FloatPointer(elements.length + 1), 1, shape);
    writeTo(tensor);
    return tensor;
  }

  void writeTo(CpuTensor tensor) {
    for (int i = 0; i < elements.length; i++) {
      tensor.buffer().put(i, (float) elements[i]);
    }
  }

  public int size(int axis) {
    return (int) shape[axis];
  }

  public double norm() {
    return Math.sqrt(Arrays.stream(elements).map(x -> x * x).sum());
  }

  /** The norm of the difference as a part of the norm. */
  public double relativeErrorOf(Values actual) {
    if (!Arrays.equals(shape, actual.shape)) {
      throw new AssertionError(
          "The shape is %s where %s is expected."
              .formatted(Arrays.toString(actual.shape), Arrays.toString(shape)));
    }
    Values difference = zeros(shape);
    Arrays.setAll(difference.elements, i -> actual.elements[i] - elements[i]);
    return difference.norm() / Math.max(norm(), 1e-30);
  }

  @Override
  public String toString() {
    return "Values" + Arrays.toString(shape);
  }
}

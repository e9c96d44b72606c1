package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;

/** Tensors on a driver for tests: random ones, ones that hold nothing usable, and their values. */
record EmulatedTensors(CudaDriver driver, Random random) {

  private static final short NOT_A_NUMBER = (short) 0xFFFF;

  /** A feature map {@code [N,H,W,C]} of NaN. */
  Tensor map(Precision precision, int images, int height, int width, int channels) {
    long[] shape = {images, height, width, channels};
    ElementType type = precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    TensorFormat format = new TensorFormat(type, CudaDevice.paddedChannels(channels));
    Tensor tensor = new Tensor(driver.allocate(format.bytes(shape)), shape, format);
    ByteBuffer bytes = buffer(tensor);
    while (bytes.hasRemaining()) {
      bytes.putShort(NOT_A_NUMBER);
    }
    driver.upload(bytes.flip(), tensor.address());
    return tensor;
  }

  /** A feature map of random numbers, its padding zero. */
  Tensor randomMap(Precision precision, int images, int height, int width, int channels) {
    Tensor tensor = map(precision, images, height, width, channels);
    ByteBuffer bytes = buffer(tensor);
    for (int i = 0; bytes.hasRemaining(); i++) {
      float x = i % tensor.rowLength() < channels ? (float) random.nextGaussian() : 0;
      put(bytes, tensor, x);
    }
    driver.upload(bytes.flip(), tensor.address());
    return tensor;
  }

  /** Dense random numbers times a scale. */
  Tensor randomFloats(double scale, long... shape) {
    float[] values = new float[(int) Tensor.length(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (scale * random.nextGaussian());
    }
    return floats(values, shape);
  }

  /** Dense numbers. */
  Tensor floats(float[] values, long... shape) {
    Tensor tensor = Tensor.dense(driver.allocate(4L * values.length), shape);
    ByteBuffer bytes = buffer(tensor);
    bytes.asFloatBuffer().put(values);
    driver.upload(bytes, tensor.address());
    return tensor;
  }

  private static void put(ByteBuffer bytes, Tensor tensor, float x) {
    if (tensor.type() == ElementType.FLOAT32) {
      bytes.putFloat(x);
    } else {
      bytes.putShort((short) (Float.floatToRawIntBits(x) >> 16));
    }
  }

  private static ByteBuffer buffer(Tensor tensor) {
    return ByteBuffer.allocateDirect((int) tensor.bytes()).order(ByteOrder.nativeOrder());
  }

  /** All elements, those of the padding too. */
  double[] stored(Tensor tensor) {
    ByteBuffer bytes = buffer(tensor);
    driver.download(tensor.address(), bytes);
    bytes.rewind();
    double[] values = new double[(int) (tensor.bytes() / tensor.type().bytes())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          tensor.type() == ElementType.FLOAT32
              ? bytes.getFloat()
              : Float.intBitsToFloat(bytes.getShort() << 16);
    }
    return values;
  }

  /** The elements without padding, which must be zero (not NaN, not -1). */
  double[] values(Tensor tensor) {
    double[] stored = stored(tensor);
    int row = (int) tensor.rowLength();
    int channels = tensor.size(tensor.rank() - 1);
    double[] values = new double[stored.length / row * channels];
    for (int i = 0; i < stored.length; i++) {
      if (i % row < channels) {
        values[i / row * channels + i % row] = stored[i];
      } else if (stored[i] != 0) {
        throw new AssertionError("The padding holds " + stored[i] + ".");
      }
    }
    return values;
  }
}

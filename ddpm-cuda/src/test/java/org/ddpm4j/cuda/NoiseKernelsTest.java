package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.random.Philox;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Noise of a key, emulated, against the words of the CPU and the definition of its distribution.
 */
class NoiseKernelsTest extends OnEmulatedCard {

  private static final long SEED = 0x0123456789ABCDEFL;
  private static final long FIRST_IMAGE = 0xFFFFFFFEL;
  private static final long STEP = 77;
  private static final long PURPOSE = 2;

  NoiseKernelsTest() {
    super(2);
  }

  private static double noise(int image, int element) {
    return noise(image, element, PURPOSE);
  }

  private static double noise(int image, int element, long purpose) {
    int number = (int) (FIRST_IMAGE + image);
    int[] words = Philox.block(SEED, element / 4, number, (int) STEP, (int) purpose);
    int pair = element % 4 / 2 * 2;
    double radius = Math.sqrt(-2 * Math.log((Integer.toUnsignedLong(words[pair]) + 1) * 0x1p-32));
    double angle = 2 * Math.PI * Integer.toUnsignedLong(words[pair + 1]) * 0x1p-32;
    return radius * (element % 2 == 0 ? Math.cos(angle) : Math.sin(angle));
  }

  private long key() {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(NoiseKernels.KEY_LONGS * Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(SEED)
            .putLong(FIRST_IMAGE)
            .putLong(STEP)
            .putLong(PURPOSE)
            .flip();
    long key = driver.allocate(bytes.remaining());
    driver.upload(bytes, key);
    return key;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 64, 1571})
  void isAFunctionOfSeedImageStepAndPlace(int elements) {
    CudaContext context = new CudaContext(driver, null, Precision.BFLOAT16);
    Tensor out = tensors.randomFloats(1, 3, 1, elements, 1);
    NoiseKernels.gaussian(context, out, key()).run();
    double[] values = tensors.values(out);
    for (int i = 0; i < values.length; i++) {
      double expected = noise(i / elements, i % elements);
      assertThat(values[i]).isCloseTo(expected, within(1e-15 + Math.abs(expected) * 0x1p-23));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void imagesAndTargetsAreMixturesOfImageAndNoise(boolean pixels) {
    int elements = 35;
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    Tensor x0 = tensors.randomFloats(1, 2, 1, 5, 7);
    Tensor coefficients = tensors.randomFloats(1, 2, 4);
    Tensor xt = tensors.randomFloats(1, 2, 1, 5, 7);
    Tensor target = tensors.randomFloats(1, 2, 1, 5, 7);
    double[] images = tensors.values(x0);
    if (pixels) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(2 * elements);
      for (int i = 0; i < 2 * elements; i++) {
        bytes.put((byte) (200 + i));
        images[i] = 0.5 * ((200 + i) & 0xFF) - 3;
      }
      long address = driver.allocate(bytes.capacity());
      driver.upload(bytes.flip(), address);
      NoiseKernels.diffusePixels(
              context, address, 0.5f, -3, coefficients.address(), key(), xt, target)
          .run();
    } else {
      NoiseKernels.diffuse(context, x0, coefficients.address(), key(), 0, xt, target).run();
    }
    double[] c = tensors.values(coefficients);
    double[] noisy = tensors.values(xt);
    double[] targets = tensors.values(target);
    for (int i = 0; i < images.length; i++) {
      int image = i / elements;
      double noise = noise(image, i % elements);
      double expected = c[4 * image] * images[i] + c[4 * image + 1] * noise;
      double expectedTarget = c[4 * image + 2] * images[i] + c[4 * image + 3] * noise;
      assertThat(noisy[i]).isCloseTo(expected, within(3e-5));
      assertThat(targets[i]).isCloseTo(expectedTarget, within(3e-5));
    }
  }

  /** Images of sizes that threads of four elements divide and do not divide. */
  @ParameterizedTest
  @CsvSource({"2, 4, true", "1, 7, true", "3, 5, false"})
  void anEstimateStandsBeforeNoisyImages(int channels, int width, boolean isTold) {
    int elements = channels * 3 * width;
    CudaContext context = new CudaContext(driver, null, Precision.BFLOAT16);
    Tensor noisy = tensors.randomFloats(1, 2, channels, 3, width);
    Tensor answer = tensors.randomFloats(1, 2, channels, 3, width);
    Tensor coefficients = tensors.randomFloats(1, 2, 2);
    Tensor out = tensors.randomFloats(1, 2, 2 * channels, 3, width);
    NoiseKernels.withEstimate(context, noisy, isTold ? answer : null, coefficients.address(), out)
        .run();
    double[] x = tensors.values(noisy);
    double[] y = tensors.values(answer);
    double[] c = tensors.values(coefficients);
    double[] found = tensors.values(out);
    for (int i = 0; i < x.length; i++) {
      int image = i / elements;
      int place = 2 * image * elements + i % elements;
      double expected = isTold ? c[2 * image] * x[i] + c[2 * image + 1] * y[i] : 0;
      assertThat(found[place]).isCloseTo(expected, within(1e-5));
      assertThat(found[place + elements]).isEqualTo(x[i]);
    }
  }

  /** Sums of as many batches as are asked for, of the first channels of larger images. */
  @ParameterizedTest
  @CsvSource({"1, 4, 1", "2, 7, 3", "3, 5, 4"})
  void sumsOfBatchesHaveFactorsOfTheirImages(int channels, int width, int terms) {
    int elements = channels * 3 * width;
    CudaContext context = new CudaContext(driver, null, Precision.BFLOAT16);
    Tensor batches = tensors.randomFloats(1, 4, 2, elements, 1);
    Tensor factors = tensors.randomFloats(1, 2, terms);
    Tensor sum = tensors.randomFloats(1, 2, channels, 3, width);
    Tensor larger = tensors.randomFloats(1, 2, 2 * channels, 3, width);
    Tensor part = tensors.randomFloats(1, 2, channels, 3, width);
    NoiseKernels.combine(context, batches, factors.address(), terms, sum).run();
    NoiseKernels.firstChannels(context, larger, part).run();
    double[] x = tensors.values(batches);
    double[] c = tensors.values(factors);
    double[] all = tensors.values(larger);
    double[] found = tensors.values(sum);
    double[] taken = tensors.values(part);
    for (int i = 0; i < found.length; i++) {
      int image = i / elements;
      double expected = 0;
      for (int k = 0; k < terms; k++) {
        expected += c[image * terms + k] * x[2 * k * elements + i];
      }
      assertThat(found[i]).isCloseTo(expected, within(1e-5));
      assertThat(taken[i]).isEqualTo(all[2 * image * elements + i % elements]);
    }
  }

  /** Channels of odd sizes, so that four elements may belong to several. */
  @ParameterizedTest
  @CsvSource({"3, 1, 3", "5, 3, 5", "6, 1, 1"})
  void offsetsMoveWholeChannels(int channels, int height, int width) {
    double deviation = 0.25;
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(NoiseKernels.OFFSET_LONGS * Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(SEED)
            .putLong(FIRST_IMAGE)
            .putLong(STEP)
            .putLong(PURPOSE + 7)
            .putDouble(deviation)
            .flip();
    long offset = driver.allocate(bytes.remaining());
    driver.upload(bytes, offset);
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    Tensor x0 = tensors.randomFloats(1, 2, channels, height, width);
    Tensor coefficients = tensors.randomFloats(1, 2, 4);
    Tensor xt = tensors.randomFloats(1, 2, channels, height, width);
    Tensor target = tensors.randomFloats(1, 2, channels, height, width);
    NoiseKernels.diffuse(context, x0, coefficients.address(), key(), offset, xt, target).run();
    double[] images = tensors.stored(x0);
    double[] c = tensors.stored(coefficients);
    double[] noisy = tensors.stored(xt);
    double[] targets = tensors.stored(target);
    int elements = channels * height * width;
    for (int i = 0; i < images.length; i++) {
      int image = i / elements;
      int channel = i % elements / (height * width);
      double noise = noise(image, i % elements) + deviation * noise(image, channel, PURPOSE + 7);
      assertThat(noisy[i])
          .isCloseTo(c[4 * image] * images[i] + c[4 * image + 1] * noise, within(3e-5));
      assertThat(targets[i])
          .isCloseTo(c[4 * image + 2] * images[i] + c[4 * image + 3] * noise, within(3e-5));
    }
  }
}

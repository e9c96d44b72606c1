package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** AdamW on flat buffers, emulated, against its definition in DOUBLE. */
class OptimizerKernelsTest extends OnEmulatedCard {

  private static final int LENGTH = 4099;
  private static final double DECAY = 2;
  private static final Double[] FURTHER_DECAYS = {0.5, 0.875};

  /** They begin and end where four weights of a thread do, and elsewhere. */
  private static final List<TrainingRequest.Range> FIXED =
      List.of(
          new TrainingRequest.Range(1, 2),
          new TrainingRequest.Range(3, 5),
          new TrainingRequest.Range(8, 12),
          new TrainingRequest.Range(LENGTH - 10, LENGTH));

  private OptimizerKernels.Buffers buffers;
  private long outcome;

  OptimizerKernelsTest() {
    super(8);
  }

  @BeforeEach
  void makeBuffers() {
    buffers =
        new OptimizerKernels.Buffers(
            tensors.randomFloats(1, LENGTH),
            tensors.randomFloats(0.1, LENGTH),
            tensors.randomFloats(0.1, LENGTH),
            squares(),
            tensors.randomFloats(1, LENGTH),
            List.of(tensors.randomFloats(1, LENGTH), tensors.randomFloats(1, LENGTH)),
            FIXED);
    outcome = driver.allocate(OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES);
  }

  private Tensor squares() {
    Tensor tensor = tensors.randomFloats(0.1, LENGTH);
    double[] values = tensors.values(tensor);
    ByteBuffer bytes = buffer(4 * LENGTH);
    for (double value : values) {
      bytes.putFloat((float) (value * value));
    }
    driver.upload(bytes.flip(), tensor.address());
    return tensor;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  private double[] update(OptimizerKernels.Constants constants, boolean clears) {
    double[] values =
        OptimizerKernels.step(constants, 4, 3e-3, DECAY, 0.97, List.of(FURTHER_DECAYS));
    ByteBuffer bytes = buffer(values.length * Double.BYTES);
    for (double value : values) {
      bytes.putDouble(value);
    }
    long step = driver.allocate(bytes.capacity());
    driver.upload(bytes.flip(), step);
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    OptimizerKernels.update(context, buffers, constants, step, outcome, clears).run();
    ByteBuffer norms = buffer(OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES);
    driver.download(outcome, norms);
    norms.rewind();
    return new double[] {norms.getDouble(), norms.getDouble()};
  }

  private static boolean isFixed(int i) {
    return FIXED.stream().anyMatch(range -> i >= range.first() && i < range.end());
  }

  @ParameterizedTest
  @CsvSource({"1e9, false", "1, true"})
  void isAdamWWithClippingAndAMovingAverage(double maxNorm, boolean clears) {
    double[] w = tensors.values(buffers.weights());
    double[] g = tensors.values(buffers.gradient());
    double[] m = tensors.values(buffers.firstMoment());
    double[] v = tensors.values(buffers.secondMoment());
    double[] ema = tensors.values(buffers.ema());
    List<double[]> further = buffers.furtherEmas().stream().map(tensors::values).toList();
    double[] norms = update(new OptimizerKernels.Constants(0.9, 0.999, 1e-8, maxNorm), clears);
    double[] newW = tensors.values(buffers.weights());
    double[] newG = tensors.values(buffers.gradient());
    double[] newM = tensors.values(buffers.firstMoment());
    double[] newV = tensors.values(buffers.secondMoment());
    double[] newEma = tensors.values(buffers.ema());

    for (int k = 0; k < FURTHER_DECAYS.length; k++) {
      double[] average = tensors.values(buffers.furtherEmas().get(k));
      double keep = FURTHER_DECAYS[k];
      for (int i = 0; i < LENGTH; i++) {
        double expected = keep * further.get(k)[i] + (1 - keep) * newW[i];
        assertThat(average[i]).isCloseTo(expected, within(1e-6));
      }
    }
    double norm = 0;
    for (double x : g) {
      norm += x * x;
    }
    norm = Math.sqrt(norm);
    double clip = norm > maxNorm ? maxNorm / norm : 1;
    double rate = 3e-3 / (1 - Math.pow(0.9, 5));
    double updates = 0;
    for (int i = 0; i < LENGTH; i++) {
      double x = clip * g[i];
      double first = 0.9 * m[i] + 0.1 * x;
      double second = 0.999 * v[i] + 0.001 * x * x;
      double direction = first / (Math.sqrt(second / (1 - Math.pow(0.999, 5))) + 1e-8);
      updates += direction * direction;
      double weight = (isFixed(i) ? 1 : 1 - 3e-3 * DECAY) * w[i] - rate * direction;
      assertThat(newM[i]).isCloseTo(first, within(1e-7));
      assertThat(newV[i]).isCloseTo(second, within(1e-7));
      assertThat(newW[i]).isCloseTo(weight, within(1e-6 + 1e-6 * Math.abs(weight)));
      assertThat(newEma[i]).isCloseTo(0.97 * ema[i] + 0.03 * newW[i], within(1e-6));
      assertThat(newG[i]).isEqualTo(clears ? 0 : g[i]);
    }
    assertThat(norms[0]).isCloseTo(norm, within(1e-6 * norm));
    double updateNorm = rate * Math.sqrt(updates);
    assertThat(norms[1]).isCloseTo(updateNorm, within(1e-5 * updateNorm));
  }

  @ParameterizedTest
  @CsvSource({"gradient", "moment"})
  void nothingChangesWhereANormIsNotFinite(String spoilt) {
    Tensor tensor = spoilt.equals("gradient") ? buffers.gradient() : buffers.firstMoment();
    ByteBuffer bytes = buffer(4).putFloat(Float.NaN).flip();
    driver.upload(bytes, tensor.address() + 4L * (LENGTH - 1));
    List<Tensor> all =
        List.of(
            buffers.weights(),
            buffers.firstMoment(),
            buffers.secondMoment(),
            buffers.ema(),
            buffers.furtherEmas().get(0),
            buffers.furtherEmas().get(1));
    List<double[]> before = all.stream().map(tensors::values).toList();
    double[] norms = update(new OptimizerKernels.Constants(0.9, 0.999, 1e-8, 1), false);
    for (int i = 0; i < all.size(); i++) {
      assertThat(tensors.values(all.get(i))).isEqualTo(before.get(i));
    }
    assertThat(norms[1]).isNaN();
    assertThat(Double.isFinite(norms[0])).isEqualTo(spoilt.equals("moment"));
  }

  @Test
  void thereNeedBeNoMovingAverage() {
    OptimizerKernels.Buffers all = buffers;
    buffers =
        new OptimizerKernels.Buffers(
            all.weights(),
            all.gradient(),
            all.firstMoment(),
            all.secondMoment(),
            null,
            List.of(),
            List.of());
    double[] before = tensors.values(all.weights());
    update(new OptimizerKernels.Constants(0.9, 0.999, 1e-8, 1), false);
    assertThat(tensors.values(all.weights())).isNotEqualTo(before);
  }
}

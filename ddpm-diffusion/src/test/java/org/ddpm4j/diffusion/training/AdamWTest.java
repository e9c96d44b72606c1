package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.ddpm4j.kernels.cpu.Workers;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class AdamWTest {

  private static final AdamWConfig CONFIG = new AdamWConfig(1e-2, 0.9, 0.999, 1e-8, 0.05);

  static Stream<FlatOperations> operations() {
    return Stream.of(new Nd4jFlatOperations(), new FusedFlatOperations(new Workers(2)));
  }

  /** One number with PyTorch's AdamW, in plain double arithmetic. */
  private static final class Scalar {
    double w;
    double m;
    double v;

    void update(AdamWConfig config, double g, int step, double factor) {
      double rate = config.learningRate() * factor;
      w -= rate * config.weightDecay() * w;
      m += (1 - config.beta1()) * (g - m);
      v = config.beta2() * v + (1 - config.beta2()) * g * g;
      double mHat = m / (1 - Math.pow(config.beta1(), step + 1));
      double vHat = v / (1 - Math.pow(config.beta2(), step + 1));
      w -= rate * mHat / (Math.sqrt(vHat) + config.epsilon());
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void followsTheScalarOracleOverManySteps(FlatOperations operations) {
    Parameters weights = TinyTraining.unet().parameters();
    Parameters gradient = weights.zerosLike();
    int count = (int) weights.count();
    Scalar[] expected = new Scalar[count];
    for (int i = 0; i < count; i++) {
      expected[i] = new Scalar();
      expected[i].w = weights.flat().getDouble(i);
    }
    Parameters secondMoment = weights.zerosLike();
    AdamW optimizer = new AdamW(CONFIG, weights.zerosLike(), secondMoment, operations);
    SplittableRandom random = new SplittableRandom(3);
    for (int step = 0; step < 300; step++) {
      double factor = 1 - step / 400.0;
      float[] g = new float[count];
      for (int i = 0; i < count; i++) {
        // Gradients from 1e-5 to 1, so that epsilon and both moments matter.
        g[i] = (float) (random.nextGaussian() * Math.pow(10, -(i % 6)));
        expected[i].update(CONFIG, g[i], step, factor);
      }
      gradient.flat().assign(Nd4j.createFromArray(g));
      optimizer.update(weights, gradient, step, factor);
    }
    double largest = 0;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, Math.abs(expected[i].w));
    }
    for (int i = 0; i < count; i++) {
      assertThat(weights.flat().getDouble(i)).isCloseTo(expected[i].w, within(3e-6 * largest));
      assertThat(secondMoment.flat().getDouble(i))
          .isCloseTo(expected[i].v, within(1e-5 * expected[i].v));
    }
  }

  /** {@code make_adamw.py} beside the resource made it. */
  @Test
  void followsPyTorch() throws IOException {
    JsonNode golden;
    try (InputStream file = AdamWTest.class.getResourceAsStream("adamw.json")) {
      golden = new ObjectMapper().readTree(file);
    }
    int size = golden.get("start").size();
    Parameter declaration =
        new Parameter("w", WeightLayout.VECTOR, new long[] {size}, Initialization.ZEROS);
    Parameters weights = Parameters.zeros(List.of(declaration), DataType.DOUBLE);
    weights.flat().assign(row(golden.get("start")));
    AdamW optimizer =
        new AdamW(new AdamWConfig(0.02, 0.9, 0.99, 1e-6, 0.05), weights, new Nd4jFlatOperations());
    Parameters gradient = weights.zerosLike();
    for (int step = 0; step < golden.get("gradients").size(); step++) {
      gradient.flat().assign(row(golden.get("gradients").get(step)));
      optimizer.update(weights, gradient, step, 1);
      assertThat(weights.flat().toDoubleVector())
          .as("step %d", step)
          .containsExactly(row(golden.get("weights").get(step)).toDoubleVector(), within(1e-12));
    }
  }

  private static INDArray row(JsonNode numbers) {
    double[] values = new double[numbers.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers.get(i).doubleValue();
    }
    return Nd4j.createFromArray(values);
  }

  /** By hand: the first step of Adam has the size of the learning rate whatever the gradient. */
  @ParameterizedTest
  @MethodSource("operations")
  void firstStepIsTheLearningRate(FlatOperations operations) {
    Parameters weights = TinyTraining.unet().parameters().zerosLike();
    Parameters gradient = weights.zerosLike();
    gradient.flat().assign(-7);
    double norm =
        new AdamW(AdamWConfig.defaults().withLearningRate(0.5), weights, operations)
            .update(weights, gradient, 0, 0.5);
    assertThat(weights.flat().minNumber().doubleValue()).isCloseTo(0.25, within(1e-6));
    assertThat(weights.flat().maxNumber().doubleValue()).isCloseTo(0.25, within(1e-6));
    assertThat(norm).isCloseTo(0.25 * Math.sqrt(weights.count()), withinPercentage(0.01));
  }

  /** Decay is no part of the gradient: without a gradient only it moves the weights. */
  @ParameterizedTest
  @MethodSource("operations")
  void weightDecayIsDecoupled(FlatOperations operations) {
    Parameters weights = TinyTraining.unet().parameters().zerosLike();
    weights.flat().assign(2);
    new AdamW(CONFIG, weights, operations).update(weights, weights.zerosLike(), 0, 1);
    assertThat(weights.flat().getDouble(0)).isCloseTo(2 * (1 - 1e-2 * 0.05), within(1e-6));
  }

  /** As PyTorch, which steps over parameters without a gradient. */
  @ParameterizedTest
  @MethodSource("operations")
  void whatIsNotTrainedDoesNotDecay(FlatOperations operations) {
    Parameter frozen =
        new Parameter(
            "frozen",
            WeightLayout.VECTOR,
            new long[] {3},
            Initialization.ZEROS,
            Parameter.Learning.FROZEN);
    Parameter trained =
        new Parameter("trained", WeightLayout.VECTOR, new long[] {2}, Initialization.ZEROS);
    Parameters weights = Parameters.zeros(List.of(frozen, trained), DataType.FLOAT);
    weights.flat().assign(2);
    Parameters gradient = weights.zerosLike();
    gradient.get("trained").assign(1);

    new AdamW(CONFIG, weights, operations).update(weights, gradient, 0, 1);

    assertThat(weights.get("frozen").toFloatVector()).containsOnly(2);
    assertThat(weights.get("trained").getDouble(1))
        .isCloseTo(2 * (1 - 1e-2 * 0.05) - 1e-2, within(1e-6));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void anInfiniteUpdateLeavesTheWeightsAlone(FlatOperations operations) {
    Parameters weights = TinyTraining.unet().parameters();
    Parameters before = weights.zerosLike();
    before.assign(weights);
    Parameters gradient = weights.zerosLike();
    gradient.flat().putScalar(5, Float.NaN);
    double norm = new AdamW(CONFIG, weights, operations).update(weights, gradient, 0, 1);
    assertThat(norm).isNaN();
    assertThat(weights.flat()).isEqualTo(before.flat());
  }

  @Test
  void refusesConstantsOutOfRange() {
    assertThatThrownBy(() -> CONFIG.withLearningRate(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The learning rate is 0.0; it must be above 0 and finite.");
    assertThatThrownBy(() -> CONFIG.withLearningRate(Double.POSITIVE_INFINITY))
        .hasMessage("The learning rate is Infinity; it must be above 0 and finite.");
    assertThatThrownBy(() -> CONFIG.withLearningRate(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> CONFIG.withBetas(1, 0.9))
        .hasMessage("The beta1 of AdamW is 1.0; it must be in [0,1).");
    assertThatThrownBy(() -> CONFIG.withBetas(0.9, -0.1))
        .hasMessage("The beta2 of AdamW is -0.1; it must be in [0,1).");
    assertThatThrownBy(() -> new AdamWConfig(1, 0, 0, 0, 0))
        .hasMessage("The epsilon of AdamW is 0.0; it must be above 0 and finite.");
    assertThatThrownBy(() -> new AdamWConfig(1, 0, 0, 1, -1))
        .hasMessage("The weight decay is -1.0; it must be at least 0 and finite.");
  }
}

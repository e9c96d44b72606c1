package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The flat buffer, its views and the exchange with PyTorch. */
class ParametersTest {

  private static final List<Parameter> DECLARATIONS =
      List.of(
          new Parameter(
              "conv.weight",
              WeightLayout.CONVOLUTION,
              new long[] {3, 3, 4, 16},
              Initialization.fanIn(36)),
          new Parameter(
              "conv.bias", WeightLayout.VECTOR, new long[] {16}, Initialization.fanIn(36)),
          new Parameter("norm.weight", WeightLayout.VECTOR, new long[] {16}, Initialization.ONES),
          new Parameter("norm.bias", WeightLayout.VECTOR, new long[] {16}, Initialization.ZEROS),
          new Parameter(
              "linear.weight", WeightLayout.LINEAR, new long[] {16, 25}, Initialization.fanIn(16)));
  private static final int COUNT = 576 + 3 * 16 + 400;

  private Parameters parameters;

  @BeforeEach
  void draw() {
    parameters = Parameters.zeros(DECLARATIONS, DataType.DOUBLE);
    parameters.initialize(42);
  }

  @Test
  void liesInOneBufferInTheOrderOfTheDeclarations() {
    assertThat(parameters.count()).isEqualTo(COUNT);
    assertThat(parameters.flat().shape()).containsExactly(COUNT);
    assertThat(parameters.get("conv.weight").shape()).containsExactly(3, 3, 4, 16);

    parameters.get("conv.bias").putScalar(3, 7);
    assertThat(parameters.flat().getDouble(576 + 3)).isEqualTo(7);
    parameters.flat().putScalar(576 + 48 + 25 * 2 + 1, 8);
    assertThat(parameters.get("linear.weight").getDouble(2, 1)).isEqualTo(8);
    parameters.toPyTorch().get("linear.weight").putScalar(1, 2, 9);
    assertThat(parameters.flat().getDouble(576 + 48 + 25 * 2 + 1)).isEqualTo(9);
  }

  @Test
  void namesTheUnknown() {
    assertThatThrownBy(() -> parameters.get("conv.wieght"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The network has no parameter named conv.wieght.");
  }

  @Test
  void refusesTwoOfOneName() {
    List<Parameter> twice = List.of(DECLARATIONS.get(1), DECLARATIONS.get(1));
    assertThatThrownBy(() -> Parameters.zeros(twice, DataType.FLOAT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Parameter conv.bias is declared twice.");
  }

  @Test
  void drawsTheSameFromTheSameSeed() {
    Parameters again = Parameters.zeros(DECLARATIONS, DataType.DOUBLE);
    again.initialize(42);
    assertThat(again.flat()).isEqualTo(parameters.flat());

    again.initialize(43);
    assertThat(again.flat()).isNotEqualTo(parameters.flat());

    Parameters single = Parameters.zeros(DECLARATIONS, DataType.FLOAT);
    single.initialize(42);
    assertThat(single.flat()).isEqualTo(parameters.flat().castTo(DataType.FLOAT));
  }

  /** Uniform: within the bounds, close to them, and with the variance of bound²/3. */
  @Test
  void drawsWithinTheBoundsOfTheFan() {
    double[] weights = parameters.get("conv.weight").ravel().toDoubleVector();
    double bound = 1.0 / 6;
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (double weight : weights) {
      assertThat(Math.abs(weight)).isLessThanOrEqualTo(bound);
      sum += weight;
      squares += weight * weight;
      largest = Math.max(largest, Math.abs(weight));
    }
    assertThat(largest).isGreaterThan(0.98 * bound);
    assertThat(sum / weights.length).isCloseTo(0, within(0.1 * bound));
    assertThat(squares / weights.length).isCloseTo(bound * bound / 3, within(0.1 * bound * bound));
    assertThat(parameters.get("linear.weight").amaxNumber().doubleValue()).isBetween(0.24, 0.25);
    assertThat(parameters.get("conv.bias").amaxNumber().doubleValue()).isBetween(0.1, bound);
  }

  /** Of 10,000 standard normal numbers mean and variance are within a few hundredths. */
  @Test
  void startsEmbeddingsNormally() {
    Parameter table =
        new Parameter(
            "table", WeightLayout.EMBEDDING, new long[] {100, 100}, Initialization.STANDARD_NORMAL);
    Parameters drawn = Parameters.zeros(List.of(table), DataType.DOUBLE);
    drawn.initialize(5);
    double[] values = drawn.flat().toDoubleVector();
    assertThat(Arrays.stream(values).average().orElseThrow()).isCloseTo(0, within(0.04));
    assertThat(Arrays.stream(values).map(v -> v * v).average().orElseThrow())
        .isCloseTo(1, within(0.06));
    double withinOne = Arrays.stream(values).filter(v -> Math.abs(v) < 1).count();
    assertThat(withinOne / values.length).isCloseTo(0.6827, within(0.02));
    assertThat(Arrays.stream(values).map(Math::abs).max().orElseThrow()).isBetween(3.0, 6.0);
  }

  @Test
  void startsNormalisationsAsTheIdentity() {
    assertThat(parameters.get("norm.weight").toDoubleVector()).containsOnly(1);
    assertThat(parameters.get("norm.bias").toDoubleVector()).containsOnly(0);
  }

  @Test
  void refusesBoundsThatAreNone() {
    for (double bound : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> Initialization.uniform(0, bound))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the spread must be finite");
    }
  }

  @Test
  void travelsThroughPyTorchsLayouts() {
    Map<String, INDArray> tensors = tensors();
    assertThat(tensors.keySet())
        .containsExactly("conv.weight", "conv.bias", "norm.weight", "norm.bias", "linear.weight");
    assertThat(tensors.get("conv.weight").shape()).containsExactly(16, 4, 3, 3);
    assertThat(tensors.get("linear.weight").shape()).containsExactly(25, 16);
    assertThat(tensors.get("conv.weight").getDouble(15, 3, 2, 1))
        .isEqualTo(parameters.get("conv.weight").getDouble(2, 1, 3, 15));

    Parameters received = parameters.zerosLike();
    assertThat(received.flat().sumNumber().doubleValue()).isZero();
    received.assignPyTorch(tensors);
    assertThat(received.flat()).isEqualTo(parameters.flat());

    Parameters single = Parameters.zeros(DECLARATIONS, DataType.FLOAT);
    single.assignPyTorch(tensors);
    assertThat(single.flat()).isEqualTo(parameters.flat().castTo(DataType.FLOAT));
  }

  @Test
  void changesNothingUnlessAllTensorsFit() {
    Map<String, INDArray> missing = tensors();
    missing.remove("linear.weight");
    refused(
        missing,
        "The tensor linear.weight [25, 16] is missing, which the network has as a parameter.");

    Map<String, INDArray> unknown = tensors();
    unknown.put("extra.bias", Nd4j.zeros(3));
    refused(unknown, "The tensor extra.bias is none of the network's parameters.");

    Map<String, INDArray> misshapen = tensors();
    misshapen.put("linear.weight", Nd4j.zeros(16, 25));
    refused(
        misshapen,
        "The tensor linear.weight has the shape [16, 25] where the network has [25, 16].");

    // As integers, they would be numbers by which a scale, kept elsewhere, is to be multiplied.
    for (DataType type : new DataType[] {DataType.INT8, DataType.INT32, DataType.BOOL}) {
      Map<String, INDArray> quantised = tensors();
      quantised.computeIfPresent("linear.weight", (name, tensor) -> tensor.castTo(type));
      refused(
          quantised,
          "The tensor linear.weight holds numbers of the type "
              + type
              + " where parameters are floating-point numbers; take weights that are not quantised.");
    }
  }

  private void refused(Map<String, INDArray> tensors, String message) {
    Parameters target = parameters.zerosLike();
    assertThatThrownBy(() -> target.assignPyTorch(tensors))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
    assertThat(target.flat().toDoubleVector()).containsOnly(0);
  }

  @Test
  void copiesOnlyFromTheSameNetwork() {
    Parameters copy = parameters.zerosLike();
    copy.assign(parameters);
    assertThat(copy.flat()).isEqualTo(parameters.flat());

    Parameters other = Parameters.zeros(DECLARATIONS.subList(0, 4), DataType.DOUBLE);
    assertThatThrownBy(() -> copy.assign(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("These are the parameters of two different networks.");
  }

  /** Copies, as a file would hold them. */
  private Map<String, INDArray> tensors() {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    parameters.toPyTorch().forEach((name, tensor) -> tensors.put(name, tensor.dup('c')));
    return tensors;
  }
}

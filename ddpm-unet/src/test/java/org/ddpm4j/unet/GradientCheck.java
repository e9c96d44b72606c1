package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.validation.GradCheckUtil;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A graph in DOUBLE whose gradients are compared with central differences: element by element by
 * ND4J's {@link GradCheckUtil}, or, of whole networks, in random directions. The loss is a weighted
 * sum of the outputs with random weights, so that no error cancels.
 */
public final class GradientCheck {

  private static final double STEP = 1e-6;

  /** The change of the element that changes most. */
  private static final double DIRECTION_STEP = 1e-5;

  private static final double MAX_RELATIVE_ERROR = 1e-4;
  private static final double MIN_ABSOLUTE_ERROR = 1e-7;

  private final RandomArrays random = new RandomArrays(7);
  private final SameDiff graph = SameDiff.create();
  private final Layers layers = new ReferenceLayers(graph, DataType.DOUBLE);
  private final List<String> variables = new ArrayList<>();
  private int perVariable = -1;
  private int directions;

  public SameDiff graph() {
    return graph;
  }

  public Layers layers() {
    return layers;
  }

  public RandomArrays random() {
    return random;
  }

  /** Modules whose parameters are random variables of this graph, biases and scales too. */
  public Modules modules() {
    return new Modules(layers, parameter -> variable(parameter.name(), parameter.shape()));
  }

  public SDVariable variable(String name, long... shape) {
    return variable(name, random.gaussian(0.5, shape));
  }

  public SDVariable variable(String name, INDArray values) {
    variables.add(name);
    return graph.var(name, values);
  }

  public FeatureMap featureMap(String name, int batch, int height, int width, int channels) {
    return new FeatureMap(variable(name, batch, height, width, channels), height, width, channels);
  }

  /** Checks only some random elements of each variable, for blocks. */
  public GradientCheck sampling(int elements) {
    perVariable = elements;
    return this;
  }

  /**
   * Checks directional derivatives in place of elements. A direction takes in all elements of all
   * variables, so that a few do for a network, of which a run takes SameDiff long.
   */
  public GradientCheck inDirections(int count) {
    directions = count;
    return this;
  }

  /** Checks the gradient of the outputs with respect to every variable. */
  public void check(FeatureMap output) {
    check(output.values());
  }

  /** Checks the gradient of the outputs with respect to every variable. */
  public void check(SDVariable... outputs) {
    SDVariable loss = null;
    for (SDVariable output : outputs) {
      INDArray value = graph.outputSingle(Map.of(), output.name());
      SDVariable weights = graph.constant(random.gaussian(1, value.shape()));
      SDVariable sum = output.mul(weights).sum();
      loss = loss == null ? sum : loss.add(sum);
    }
    graph.setLossVariables(loss.name());
    StandardOutputFilter.dropLines("Added differentiated op ", graph::createGradFunction);

    Map<String, INDArray> gradients = gradients();
    if (directions > 0) {
      for (int i = 0; i < directions; i++) {
        checkDirection(loss.name(), gradients);
      }
    } else {
      assertThat(agreesWithGradCheckUtil())
          .as("gradients are those of GradCheckUtil; its logger names the others at level INFO")
          .isTrue();
      checkZeros(loss.name(), gradients);
    }
  }

  private Map<String, INDArray> gradients() {
    Map<String, INDArray> gradients = graph.calculateGradients(Map.of(), variables);
    gradients.replaceAll((name, gradient) -> gradient.dup('c'));
    gradients.forEach(
        (name, gradient) ->
            assertThat(gradient.amaxNumber().doubleValue())
                .as("the largest gradient of %s, which must be large enough to be checked", name)
                .isGreaterThan(100 * MIN_ABSOLUTE_ERROR));
    return gradients;
  }

  /** In the direction, each variable is as far as makes its part of the derivative of size 1. */
  private void checkDirection(String loss, Map<String, INDArray> gradients) {
    Map<String, INDArray> direction = new LinkedHashMap<>();
    double derivative = 0;
    double farthest = 0;
    for (String name : variables) {
      INDArray gradient = gradients.get(name);
      double norm = gradient.norm2Number().doubleValue();
      INDArray part = random.gaussian(1 / norm, gradient.shape());
      derivative += part.mul(gradient).sumNumber().doubleValue();
      farthest = Math.max(farthest, part.amaxNumber().doubleValue());
      direction.put(name, part);
    }
    double step = DIRECTION_STEP / farthest;
    double above = lossBeside(loss, direction, step);
    double below = lossBeside(loss, direction, -step);
    assertThat((above - below) / (2 * step))
        .as("the derivative in a direction of %d variables", variables.size())
        .isCloseTo(derivative, within(MAX_RELATIVE_ERROR * Math.sqrt(variables.size())));
  }

  private double lossBeside(String loss, Map<String, INDArray> direction, double step) {
    Map<String, INDArray> values = new HashMap<>();
    direction.forEach(
        (name, part) -> {
          INDArray array = graph.getVariable(name).getArr();
          values.put(name, array.dup());
          array.addi(part.mul(step));
        });
    double result = graph.outputSingle(Map.of(), loss).getDouble(0);
    values.forEach((name, value) -> graph.getVariable(name).getArr().assign(value));
    return result;
  }

  private boolean agreesWithGradCheckUtil() {
    DataType dataType = Nd4j.dataType();
    DataType floatType = Nd4j.defaultFloatingPointType();
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    try {
      return GradCheckUtil.checkGradients(
          graph,
          Map.of(),
          STEP,
          MAX_RELATIVE_ERROR,
          MIN_ABSOLUTE_ERROR,
          false,
          false,
          false,
          false,
          constants(),
          null,
          perVariable,
          GradCheckUtil.Subset.RANDOM);
    } finally {
      Nd4j.setDefaultDataTypes(dataType, floatType);
    }
  }

  private Set<String> constants() {
    Set<String> constants = new HashSet<>();
    for (SDVariable variable : graph.variables()) {
      if (variable.getVariableType() == VariableType.CONSTANT) {
        constants.add(variable.name());
      }
    }
    return constants;
  }

  /** {@link GradCheckUtil} believes every gradient that is exactly zero. */
  private void checkZeros(String loss, Map<String, INDArray> gradients) {
    for (String name : variables) {
      INDArray gradient = gradients.get(name);
      LongStream.range(0, gradient.length())
          .filter(i -> gradient.getDouble(i) == 0)
          .limit(perVariable < 0 ? Long.MAX_VALUE : perVariable)
          .forEach(
              i ->
                  assertThat(Math.abs(differenceQuotient(loss, name, i)))
                      .as("difference quotient of element %d of %s, of gradient zero", i, name)
                      .isLessThan(MIN_ABSOLUTE_ERROR));
    }
  }

  private double differenceQuotient(String loss, String name, long element) {
    INDArray values = graph.getVariable(name).getArr();
    double value = values.getDouble(element);
    values.putScalar(element, value + STEP);
    double above = graph.outputSingle(Map.of(), loss).getDouble(0);
    values.putScalar(element, value - STEP);
    double below = graph.outputSingle(Map.of(), loss).getDouble(0);
    values.putScalar(element, value);
    return (above - below) / (2 * STEP);
  }
}

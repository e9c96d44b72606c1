package org.ddpm4j.cuda;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.ddpm4j.kernels.ops.FusedOps;
import org.ddpm4j.kernels.ops.InnerProduct;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A case as a graph with the output "y" and the loss {@code Σ y·g}, or {@code Σ y} where y are
 * losses.
 */
final class OperationGraph {

  /** SameDiff's name for the gradient of the loss with respect to itself. */
  static final String LOSS_GRADIENT = "one-var";

  static {
    FusedOps.register();
  }

  private final SameDiff graph = SameDiff.create();
  private final DataType type;
  private final Layers layers;
  private final Map<String, INDArray> sources = new LinkedHashMap<>();
  private final List<String> parameters = new ArrayList<>();
  private final List<String> differentiable = new ArrayList<>();
  private final Object output;

  private OperationGraph(OperationCase layer, DataType type) {
    this.type = type;
    layers = type == DataType.DOUBLE ? new ReferenceLayers(graph, type) : new FusedLayers(graph);
    List<FeatureMap> maps = new ArrayList<>();
    variables("map", layer.maps()).forEach(map -> maps.add(channelsLast(map)));
    List<SDVariable> vectors = variables("vector", layer.vectors());
    List<SDVariable> weights = variables("parameter", layer.parameters());
    weights.forEach(weight -> parameters.add(weight.name()));
    List<SDVariable> constants = new ArrayList<>();
    for (INDArray values : layer.constants()) {
      constants.add(graph.constant("constant" + constants.size(), values.castTo(type)));
    }
    output =
        layer.body().apply(layers, new OperationCase.Inputs(maps, vectors, weights, constants));
    SDVariable y =
        output instanceof FeatureMap map ? layers.toChannelsFirst(map) : (SDVariable) output;
    y.rename("y");
  }

  private List<SDVariable> variables(String kind, List<INDArray> values) {
    List<SDVariable> made = new ArrayList<>();
    for (INDArray value : values) {
      String name = kind + made.size();
      sources.put(name, value);
      differentiable.add(name);
      made.add(graph.var(name, value.castTo(type)));
    }
    return made;
  }

  private FeatureMap channelsLast(SDVariable map) {
    long[] shape = sources.getOrDefault(map.name(), map.getArr()).shape();
    return layers.toChannelsLast(map, (int) shape[1], (int) shape[2], (int) shape[3]);
  }

  /** What a double-precision implementation says: "y" and the gradient of each input. */
  static Map<String, INDArray> reference(OperationCase layer, Slopes slopes) {
    OperationGraph made = new OperationGraph(layer, DataType.DOUBLE);
    SameDiff graph = made.graph;
    SDVariable y = graph.getVariable("y");
    INDArray value = y.eval();
    INDArray g = slopes.of(value.shape());
    (layer.givesLosses() ? y.sum() : y.mul(graph.constant(g)).sum()).rename("loss");
    graph.setLossVariables("loss");
    Map<String, INDArray> results = new LinkedHashMap<>();
    results.put("y", value);
    results.putAll(
        quietly(() -> graph.calculateGradients(null, made.differentiable.toArray(new String[0]))));
    return results;
  }

  /** What y is multiplied with. */
  interface Slopes {
    INDArray of(long... shape);
  }

  /**
   * In fused operations, with g of the shape of y if y is no feature map, or else with channels
   * first.
   */
  static OperationGraph fused(OperationCase layer, INDArray slopes) {
    OperationGraph made = new OperationGraph(layer, DataType.FLOAT);
    made.endIn(layer.givesLosses() ? null : slopes);
    return made;
  }

  private void endIn(INDArray slopes) {
    SDVariable losses;
    if (slopes == null) {
      losses = (SDVariable) output;
    } else {
      sources.put("g", slopes);
      SDVariable g = graph.var("g", slopes.castTo(type));
      losses =
          output instanceof FeatureMap map
              ? layers.innerProductPerImage(map, channelsLast(g))
              : new LossPerImage(graph, (SDVariable) output, g, InnerProduct.INSTANCE)
                  .outputVariable();
    }
    layers.mean(losses).rename("loss");
    graph.setLossVariables("loss");
    quietly(
        () -> {
          graph.createGradFunction();
          return null;
        });
  }

  /** The operations of the forward and the backward pass. */
  SameDiff gradientFunction() {
    return graph.getFunction("grad");
  }

  /** Values of inputs and parameters by name. */
  Map<String, INDArray> sources() {
    return sources;
  }

  /** Whether gradients of this input are added to what is there. */
  boolean isParameter(String source) {
    return parameters.contains(source);
  }

  /** Inputs and parameters that have gradients. */
  List<String> differentiable() {
    return differentiable;
  }

  /** The name of a gradient in {@link #gradientFunction}. */
  String gradientOf(String source) {
    return graph.getVariable(source).gradient().name();
  }

  /** SameDiff reports its progress on the standard output. */
  private static <T> T quietly(Supplier<T> work) {
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
    try {
      return work.get();
    } finally {
      System.setOut(out);
    }
  }
}

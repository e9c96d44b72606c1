package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.array.SingleThreadArrayHolder;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.weightinit.BaseWeightInitScheme;
import org.nd4j.weightinit.WeightInit;

/**
 * The SameDiff graph of a U-Net for one size of images, with or without a loss at its end. Several
 * threads may use it once it is bound; they take turns.
 */
final class UnetGraph {

  private static final String X = "x";
  private static final String T = "t";
  private static final String TARGET = "target";
  private static final String OUTPUT = "y";
  private static final String LOSS = "loss";

  private final SameDiff graph = SameDiff.create();
  private final DataType dataType;
  private final Layers layers;
  private final List<Parameter> declarations = new ArrayList<>();
  private Session session;
  private Session gradientSession;
  private final RecycledMemory gradientMemory = new RecycledMemory();
  private long gradientBatch;

  /** The graph's name for the gradient of each parameter. */
  private final Map<String, String> gradientNames = new LinkedHashMap<>();

  private UnetGraph(DataType dataType) {
    this.dataType = dataType;
    this.layers = new ReferenceLayers(graph, dataType);
  }

  static UnetGraph forward(UnetConfig config, int height, int width, DataType dataType) {
    UnetGraph built = new UnetGraph(dataType);
    built.build(config, height, width);
    return built;
  }

  static UnetGraph withLoss(
      UnetConfig config, int height, int width, DataType dataType, LossFunction loss) {
    UnetGraph built = new UnetGraph(dataType);
    FeatureMap y = built.build(config, height, width);
    built.endInLoss(y, loss);
    return built;
  }

  private void endInLoss(FeatureMap y, LossFunction loss) {
    SDVariable target =
        graph.placeHolder(TARGET, dataType, -1, y.channels(), y.height(), y.width());
    FeatureMap wanted = layers.toChannelsLast(target, y.channels(), y.height(), y.width());
    layers.lossPerImage(y, wanted, loss).mean().rename(LOSS);
    graph.setLossVariables(LOSS);
  }

  private FeatureMap build(UnetConfig config, int height, int width) {
    SDVariable x = graph.placeHolder(X, dataType, -1, config.inChannels(), height, width);
    SDVariable t = graph.placeHolder(T, dataType, -1);
    Modules modules = new Modules(layers, this::declare);
    FeatureMap y =
        config.build(modules, layers.toChannelsLast(x, config.inChannels(), height, width), t);
    layers.toChannelsFirst(y).rename(OUTPUT);
    return y;
  }

  private SDVariable declare(Parameter parameter) {
    declarations.add(parameter);
    return graph.var(parameter.name(), new NoValues(), dataType, parameter.shape());
  }

  List<Parameter> declarations() {
    return List.copyOf(declarations);
  }

  /** A declaration takes no memory; {@link #bind} brings the values. */
  private static final class NoValues extends BaseWeightInitScheme {

    @Override
    public INDArray doCreate(DataType dataType, long[] shape, INDArray paramsView) {
      return Nd4j.empty(dataType);
    }

    @Override
    public WeightInit type() {
      return WeightInit.ZERO;
    }
  }

  /** Lets the graph, and its gradient function if it has a loss, read these parameters. */
  void bind(Parameters parameters) {
    useViews(graph, parameters);
    session = new Session(graph);
    if (!graph.getLossVariables().isEmpty()) {
      // SameDiff reports its progress on the standard output.
      StandardOutputFilter.dropLines("Added differentiated op ", graph::createGradFunction);
      SameDiff gradient = graph.getFunction("grad");
      useViews(gradient, parameters);
      // As SameDiff.calculateGradients does.
      gradient.setEnableCache(false);
      gradientSession = new Session(gradient);
      gradientSession.setMmgr(gradientMemory);
      for (Parameter declaration : declarations) {
        String name = declaration.name();
        gradientNames.put(name, graph.getVariable(name).gradient().name());
      }
    }
  }

  private static void useViews(SameDiff graph, Parameters parameters) {
    Map<String, INDArray> others = new HashMap<>();
    ArrayHolder constants = new SingleThreadArrayHolder();
    for (SDVariable variable : graph.variables()) {
      if (variable.isConstant()) {
        constants.setArray(variable.name(), variable.getArr());
      } else if (variable.getVariableType() == VariableType.VARIABLE
          && !parameters.contains(variable.name())) {
        others.put(variable.name(), variable.getArr());
      }
    }
    graph.setArrayHolders(new ParameterViews(parameters, others), constants, false);
  }

  /** {@code [N,C,H,W]}. */
  synchronized INDArray output(INDArray x, INDArray t) {
    return session.run(Map.of(X, x, T, t), List.of(OUTPUT)).get(OUTPUT);
  }

  /** Writes the gradient of the mean loss and returns the loss. */
  synchronized double gradients(INDArray x, INDArray t, INDArray target, Parameters gradient) {
    List<String> outputs = new ArrayList<>(gradientNames.values());
    outputs.add(LOSS);
    if (x.size(0) != gradientBatch) {
      gradientMemory.close();
      gradientBatch = x.size(0);
    }
    try {
      Map<String, INDArray> result =
          gradientSession.run(Map.of(X, x, T, t, TARGET, target), outputs);
      gradientNames.forEach((name, output) -> gradient.get(name).assign(result.get(output)));
      return result.get(LOSS).getDouble(0);
    } finally {
      gradientMemory.recycle();
    }
  }

  /** The loss alone. */
  synchronized double loss(INDArray x, INDArray t, INDArray target) {
    return session.run(Map.of(X, x, T, t, TARGET, target), List.of(LOSS)).get(LOSS).getDouble(0);
  }

  /**
   * Executes a graph. SameDiff keeps a session, with all its arrays, for each thread that ever
   * called; here all threads share one, one after the other, since they share the operations too,
   * which keep state while they run.
   */
  private static final class Session extends InferenceSession {

    Session(SameDiff graph) {
      super(graph);
    }

    Map<String, INDArray> run(Map<String, INDArray> inputs, List<String> outputs) {
      // The ids of all arrays it ever freed, which nobody else clears.
      freedArrays.clear();
      Map<String, INDArray> results = new HashMap<>();
      output(outputs, inputs, Map.of(), null, List.of(), List.of(), At.defaultAt())
          .getValueOutputs()
          .forEach((name, value) -> results.put(name, value.getTensorValue()));
      return results;
    }
  }

  /**
   * Hands SameDiff the views of the flat buffer. SameDiff's own holders copy views, so that an
   * update of the buffer would not reach the graph.
   */
  private record ParameterViews(Parameters parameters, Map<String, INDArray> others)
      implements ArrayHolder {

    private boolean isParameter(String name) {
      return !others.containsKey(name);
    }

    @Override
    public boolean hasArray(String name) {
      return others.containsKey(name) || parameters.contains(name);
    }

    @Override
    public INDArray getArray(String name) {
      return isParameter(name) ? parameters.get(name) : others.get(name);
    }

    @Override
    public void setArray(String name, INDArray array) {
      if (isParameter(name)) {
        parameters.get(name).assign(array);
      } else {
        others.put(name, array);
      }
    }

    @Override
    public INDArray removeArray(String name) {
      throw new UnsupportedOperationException("The parameters of a network stay.");
    }

    @Override
    public int size() {
      return arrayNames().size();
    }

    @Override
    public void initFrom(ArrayHolder arrayHolder) {
      throw new UnsupportedOperationException("The parameters of a network stay.");
    }

    @Override
    public Collection<String> arrayNames() {
      Map<String, INDArray> all = new LinkedHashMap<>(others);
      parameters.declarations().forEach(p -> all.put(p.name(), parameters.get(p.name())));
      return all.keySet();
    }

    @Override
    public void rename(String from, String to) {
      throw new UnsupportedOperationException("The parameters of a network keep their names.");
    }
  }
}

package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.kernels.random.BatchKey;
import org.nd4j.autodiff.listeners.At;
import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.array.SingleThreadArrayHolder;
import org.nd4j.autodiff.samediff.internal.InferenceSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Runs a U-Net's graph by SameDiff's own executor. Several threads may use it; they take turns. */
final class SessionExecutor implements UnetExecutor {

  private final UnetGraph graph;
  private final Session session;
  private Session gradientSession;
  private final RecycledMemory gradientMemory = new RecycledMemory();
  private long gradientBatch;

  SessionExecutor(UnetGraph graph, Parameters parameters) {
    this.graph = graph;
    useViews(graph.sameDiff(), parameters);
    session = new Session(graph.sameDiff());
    if (graph.hasLoss()) {
      SameDiff gradient = graph.gradientFunction();
      useViews(gradient, parameters);
      // As SameDiff.calculateGradients does.
      gradient.setEnableCache(false);
      gradientSession = new Session(gradient);
      gradientSession.setMmgr(gradientMemory);
    }
  }

  private static void useViews(SameDiff graph, Parameters parameters) {
    Map<String, INDArray> others = new HashMap<>();
    ArrayHolder constants = new SingleThreadArrayHolder();
    for (SDVariable variable : graph.variables()) {
      if (variable.isConstant()) {
        boolean isFrozen = parameters.contains(variable.name());
        constants.setArray(
            variable.name(), isFrozen ? parameters.get(variable.name()) : variable.getArr());
      } else if (variable.getVariableType() == VariableType.VARIABLE
          && !parameters.contains(variable.name())) {
        others.put(variable.name(), variable.getArr());
      }
    }
    graph.setArrayHolders(new ParameterViews(parameters, others), constants, false);
  }

  private static Map<String, INDArray> inputs(UnetInput input) {
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(UnetGraph.X, input.x());
    inputs.put(UnetGraph.T, input.t());
    if (input.labels() != null) {
      inputs.put(UnetGraph.LABELS, input.labels());
    }
    if (input.dropout() != null) {
      int images = (int) input.x().size(0);
      INDArray keys = Nd4j.createFromArray(input.dropout().rows(images));
      inputs.put(
          UnetGraph.DROPOUT, keys.reshape(images, BatchKey.PIECES).castTo(input.x().dataType()));
    }
    return inputs;
  }

  @Override
  public UnetGraph graph() {
    return graph;
  }

  @Override
  public synchronized INDArray output(UnetInput input) {
    return session.run(inputs(input), List.of(UnetGraph.OUTPUT)).get(UnetGraph.OUTPUT);
  }

  @Override
  public synchronized double[] gradients(
      UnetInput input, Map<String, INDArray> wanted, INDArray weights, Parameters gradient) {
    INDArray x = input.x();
    List<String> outputs = new ArrayList<>(graph.gradientNames().values());
    outputs.add(UnetGraph.LOSSES);
    if (x.size(0) != gradientBatch) {
      gradientMemory.close();
      gradientBatch = x.size(0);
    }
    Map<String, INDArray> inputs = inputs(input);
    inputs.putAll(wanted);
    inputs.put(UnetGraph.WEIGHTS, weights == null ? Nd4j.ones(x.dataType(), x.size(0)) : weights);
    try {
      Map<String, INDArray> result = gradientSession.run(inputs, outputs);
      graph
          .gradientNames()
          .forEach((name, output) -> gradient.get(name).assign(result.get(output)));
      return result.get(UnetGraph.LOSSES).toDoubleVector();
    } finally {
      gradientMemory.recycle();
    }
  }

  @Override
  public synchronized double[] losses(UnetInput input, Map<String, INDArray> wanted) {
    Map<String, INDArray> inputs = inputs(input);
    inputs.putAll(wanted);
    return session.run(inputs, List.of(UnetGraph.LOSSES)).get(UnetGraph.LOSSES).toDoubleVector();
  }

  @Override
  public synchronized void close() {
    gradientMemory.close();
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

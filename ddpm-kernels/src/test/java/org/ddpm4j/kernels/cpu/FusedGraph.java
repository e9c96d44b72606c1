package org.ddpm4j.kernels.cpu;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.ddpm4j.kernels.ops.InnerProduct;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A SameDiff graph of fused operations in the making, and the plans of it. */
public final class FusedGraph {

  /** SameDiff's name for the gradient of the loss with respect to itself. */
  public static final String LOSS_GRADIENT = "one-var";

  private static final CpuDevice DEVICE = new CpuDevice(1);

  private final SameDiff graph = SameDiff.create();
  private final Map<String, long[]> inputs = new LinkedHashMap<>();
  private final Map<String, CpuTensor> parameters = new LinkedHashMap<>();
  private final Precision precision;
  private boolean differentiated;

  public FusedGraph() {
    this(Precision.FLOAT32);
  }

  /** The plans are of this precision. */
  FusedGraph(Precision precision) {
    this.precision = precision;
    if (!FusedKernels.available()) {
      throw new AssertionError(FusedKernels.obstacle());
    }
  }

  public SameDiff sameDiff() {
    return graph;
  }

  /** The first size is that of a batch and may be another when a plan is made. */
  public SDVariable input(String name, long... shape) {
    inputs.put(name, shape);
    return graph.placeHolder(name, DataType.FLOAT);
  }

  /** A variable; the plans read the values where {@link #parameter} returns them. */
  public SDVariable parameter(String name, Values values) {
    parameters.put(name, values.toTensorInARow());
    return graph.var(name, array(values));
  }

  CpuTensor parameter(String name) {
    return parameters.get(name);
  }

  Map<String, CpuTensor> parameters() {
    return parameters;
  }

  public static INDArray array(Values values) {
    return Nd4j.createFromArray(values.elements()).castTo(DataType.FLOAT).reshape(values.shape());
  }

  public static Values values(INDArray array) {
    return new Values(array.dup('c').castTo(DataType.DOUBLE).data().asDouble(), array.shape());
  }

  /** Makes {@code mean(y·g)} the loss, with a new input g of y's shape. */
  public void endInProductWith(SDVariable y, String g, long... shape) {
    SDVariable slopes = input(g, shape);
    new Mean(graph, new LossPerImage(graph, y, slopes, InnerProduct.INSTANCE).outputVariable())
        .outputVariable()
        .rename("loss");
    graph.setLossVariables("loss");
  }

  public PlanRequest forward(String... outputs) {
    return forward(Set.of(), outputs);
  }

  public PlanRequest forward(Set<String> unchanging, String... outputs) {
    return new PlanRequest(
        graph, inputs, unchanging, tensors(parameters), List.of(outputs), Map.of(), precision);
  }

  /** As {@link #forward}, with a batch of another size. */
  public PlanRequest forwardOf(long batch, String... outputs) {
    return new PlanRequest(
        graph,
        inputsOf(batch),
        Set.of(),
        tensors(parameters),
        List.of(outputs),
        Map.of(),
        precision);
  }

  private static Map<String, Tensor> tensors(Map<String, CpuTensor> named) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    named.forEach(
        (name, tensor) ->
            tensors.put(name, Tensor.dense(tensor.pointer().address(), tensor.shape())));
    return tensors;
  }

  /** A plan on a CPU. */
  static GraphPlan compile(PlanRequest request, WeightCache weights) {
    return GraphPlan.compile(request, DEVICE, weights);
  }

  private Map<String, long[]> inputsOf(long batch) {
    Map<String, long[]> resized = new LinkedHashMap<>();
    inputs.forEach(
        (name, shape) -> {
          long[] copy = shape.clone();
          copy[0] = batch;
          resized.put(name, copy);
        });
    return resized;
  }

  /** Gradients are added to sums, which are named as the parameters. */
  PlanRequest gradient(Map<String, CpuTensor> sums, String... outputs) {
    return gradientOf(inputs, sums, outputs);
  }

  PlanRequest gradientOf(long batch, Map<String, CpuTensor> sums, String... outputs) {
    return gradientOf(inputsOf(batch), sums, outputs);
  }

  /** Gradients of all parameters are taken, by their names. */
  PlanRequest takenGradient(BiConsumer<String, Tensor> taker, String... outputs) {
    PlanRequest request = gradient(Map.of(), outputs);
    Map<String, Function<Tensor, Kernel>> takers = new LinkedHashMap<>();
    for (String name : parameters.keySet()) {
      takers.put(graph.getVariable(name).gradient().name(), made -> () -> taker.accept(name, made));
    }
    return new PlanRequest(
        request.graph(),
        request.inputs(),
        request.stationary(),
        request.parameters(),
        request.outputs(),
        request.sums(),
        takers,
        request.precision());
  }

  private PlanRequest gradientOf(
      Map<String, long[]> shapes, Map<String, CpuTensor> sums, String... outputs) {
    Map<String, long[]> all = new LinkedHashMap<>(shapes);
    all.put(LOSS_GRADIENT, new long[0]);
    SameDiff function = gradientFunction();
    Map<String, CpuTensor> named = new LinkedHashMap<>();
    sums.forEach((name, sum) -> named.put(graph.getVariable(name).gradient().name(), sum));
    return new PlanRequest(
        function, all, Set.of(), tensors(parameters), List.of(outputs), tensors(named), precision);
  }

  public SameDiff gradientFunction() {
    if (!differentiated) {
      quietly(
          () -> {
            graph.createGradFunction();
            return null;
          });
      differentiated = true;
    }
    return graph.getFunction("grad");
  }

  /** SameDiff reports its progress on the standard output. */
  public static <T> T quietly(Supplier<T> work) {
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
    try {
      return work.get();
    } finally {
      System.setOut(out);
    }
  }

  /** Zeros for the gradient of every parameter. */
  Map<String, CpuTensor> zeroGradients() {
    Map<String, CpuTensor> zeros = new LinkedHashMap<>();
    parameters.forEach(
        (name, tensor) -> zeros.put(name, Values.zeros(tensor.shape()).toTensorInARow()));
    return zeros;
  }
}

package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.ddpm4j.kernels.plan.WeightCache;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs the operations of a graph one by one. Each value has memory of its own, which holds NaNs
 * until a kernel writes it, as does the memory that kernels share; padding is looked at after each
 * kernel.
 */
final class OperationRun implements AutoCloseable {

  private final CudaDriver driver;
  private final CudaDevice device;
  private final Precision precision;
  private final WeightCache weights;
  private final CudaContext context;
  private final Map<String, Tensor> values = new HashMap<>();
  private final Map<String, Tensor> sums = new HashMap<>();
  private final List<Long> memory = new ArrayList<>();

  /** An operation and the names of what it reads and writes. */
  private record Node(FusedOp op, List<String> inputs, List<String> outputs) {}

  OperationRun(CudaDriver driver, Precision precision) {
    this.driver = driver;
    this.precision = precision;
    device = new CudaDevice(driver);
    weights = device.weightCache();
    context = (CudaContext) device.open(weights, precision);
  }

  /** An input, parameter or constant. */
  void source(String name, INDArray array) {
    values.put(name, dense(array));
  }

  /** What a gradient is added to. */
  void sum(String gradient, INDArray before) {
    sums.put(gradient, dense(before));
  }

  private Tensor dense(INDArray array) {
    Tensor tensor = Tensor.dense(allocate(4L * array.length()), array.shape());
    device.upload(FloatBuffer.wrap(array.dup('c').data().asFloat()), tensor);
    return tensor;
  }

  private long allocate(long bytes) {
    long address = driver.allocate(bytes);
    memory.add(address);
    return address;
  }

  INDArray get(String name) {
    return array(values.get(name));
  }

  INDArray getSum(String gradient) {
    return array(sums.get(gradient));
  }

  private INDArray array(Tensor tensor) {
    float[] floats = new float[tensor.length()];
    device.download(tensor, FloatBuffer.wrap(floats));
    double[] doubles = new double[floats.length];
    Arrays.setAll(doubles, i -> floats[i]);
    return Nd4j.createFromArray(doubles).reshape(tensor.shape());
  }

  /** Runs what wanted values and sums need. */
  void run(SameDiff graph, Set<String> wanted, boolean fusing) {
    List<Node> nodes = needed(graph, wanted);
    if (fusing) {
      absorb(nodes, wanted);
      fuse(nodes, wanted);
    }
    for (int i = 0; i < nodes.size(); i++) {
      Set<String> readLater = new HashSet<>(wanted);
      nodes.subList(i + 1, nodes.size()).forEach(node -> readLater.addAll(node.inputs));
      run(nodes.get(i), wanted, readLater);
    }
  }

  private List<Node> needed(SameDiff graph, Set<String> wanted) {
    Set<String> needed = new HashSet<>(wanted);
    needed.addAll(sums.keySet());
    List<SameDiffOp> all = new ArrayList<>(graph.getOps().values());
    List<Node> nodes = new ArrayList<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      SameDiffOp op = all.get(i);
      if (op.getOutputsOfOp().stream().anyMatch(needed::contains)) {
        needed.addAll(op.getInputsToOp());
        nodes.add(0, new Node(fused(op.getOp()), op.getInputsToOp(), op.getOutputsOfOp()));
      }
    }
    for (String name : needed) {
      if (!values.containsKey(name)
          && graph.hasVariable(name)
          && graph.getVariable(name).isConstant()) {
        source(name, graph.getVariable(name).getArr());
      }
    }
    return nodes;
  }

  /** SameDiff adds up the gradients of what is used several times by an operation of its own. */
  static FusedOp fused(DifferentialFunction function) {
    if (function instanceof FusedOp op) {
      return op;
    }
    if (function.opName().equals("add")) {
      return new Add();
    }
    throw new AssertionError("A graph of fused operations has " + function.opName() + ".");
  }

  private void absorb(List<Node> nodes, Set<String> wanted) {
    for (Node first : List.copyOf(nodes)) {
      String between = first.outputs.get(0);
      List<Node> readers = nodes.stream().filter(node -> node.inputs.contains(between)).toList();
      if (first.outputs.size() > 1
          || readers.isEmpty()
          || wanted.contains(between)
          || !readers.stream()
              .allMatch(
                  reader ->
                      reader.inputs.lastIndexOf(between) == 0
                          && device.absorb(first.op, reader.op).isPresent())) {
        continue;
      }
      for (Node reader : readers) {
        List<String> inputs = new ArrayList<>(first.inputs.subList(0, 1));
        inputs.addAll(reader.inputs.subList(1, reader.inputs.size()));
        inputs.addAll(first.inputs.subList(1, first.inputs.size()));
        FusedOp both = device.absorb(first.op, reader.op).orElseThrow();
        nodes.set(nodes.indexOf(reader), new Node(both, inputs, reader.outputs));
      }
      nodes.remove(first);
    }
  }

  private void fuse(List<Node> nodes, Set<String> wanted) {
    for (int i = 0; i < nodes.size(); i++) {
      Node first = nodes.get(i);
      String between = first.outputs.get(0);
      List<String> others = first.outputs.subList(1, first.outputs.size());
      List<Node> readers = nodes.stream().filter(node -> node.inputs.contains(between)).toList();
      if (nodes.stream().anyMatch(node -> node.inputs.stream().anyMatch(others::contains))
          || readers.size() != 1
          || readers.get(0).outputs.size() > 1
          || wanted.contains(between)
          || sums.containsKey(between)
          || readers.get(0).inputs.stream().filter(between::equals).count() > 1) {
        continue;
      }
      Node second = readers.get(0);
      FusedOp both = device.fuse(first.op, second.op).orElse(null);
      if (both != null) {
        List<String> inputs = new ArrayList<>(first.inputs);
        second.inputs.stream().filter(name -> !name.equals(between)).forEach(inputs::add);
        List<String> outputs = new ArrayList<>(second.outputs);
        outputs.addAll(others);
        nodes.set(nodes.indexOf(second), new Node(both, inputs, outputs));
        nodes.remove(i--);
      }
    }
  }

  private void run(Node node, Set<String> wanted, Set<String> readLater) {
    List<Tensor> inputs = node.inputs.stream().map(this::value).toList();
    List<long[]> shapes = node.op.outputShapes(inputs.stream().map(Tensor::shape).toList());
    List<Tensor> outputs = new ArrayList<>();
    for (int k = 0; k < shapes.size(); k++) {
      String name = node.outputs.get(k);
      Tensor output = null;
      if (node.op.addsTo(k) && sums.containsKey(name) && !readLater.contains(name)) {
        output = sums.get(name);
      } else if (sums.containsKey(name) || readLater.contains(name)) {
        output = output(node.op, k, shapes.get(k), wanted.contains(name));
        values.put(name, output);
      }
      outputs.add(output);
    }
    try {
      Kernel kernel = context.kernel(node.op, inputs, outputs);
      poison(context.scratch(1), context.scratchLength());
      kernel.run();
      for (int k = 0; k < shapes.size(); k++) {
        finish(node, k, outputs.get(k));
      }
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(
          "%s of %s to %s: %s"
              .formatted(node.op.opName(), describe(inputs), describe(outputs), e.getMessage()),
          e);
    }
  }

  private Tensor value(String name) {
    Tensor value = values.get(name);
    if (value == null) {
      throw new AssertionError("Nothing makes %s.".formatted(name));
    }
    return value;
  }

  private Tensor output(FusedOp op, int index, long[] shape, boolean wanted) {
    TensorFormat format =
        op.addsTo(index) || wanted
            ? TensorFormat.dense(shape)
            : device.format(op, index, shape, precision);
    long bytes = format.bytes(shape);
    Tensor tensor = new Tensor(allocate(bytes), shape, format);
    if (op.addsTo(index)) {
      context.zeroing(tensor).run();
    } else {
      poison(tensor.address(), bytes);
    }
    return tensor;
  }

  /** Bytes of which floats of every type are NaN. */
  private void poison(long address, long bytes) {
    ByteBuffer poison = ByteBuffer.allocateDirect(Math.toIntExact(bytes));
    while (poison.hasRemaining()) {
      poison.put((byte) 0xff);
    }
    driver.upload(poison.flip(), address);
  }

  private void finish(Node node, int k, Tensor output) {
    if (output == null) {
      return;
    }
    checkPadding(output);
    Tensor sum = sums.get(node.outputs.get(k));
    if (sum != null && sum != output) {
      context.adding(output, sum).run();
    }
  }

  private void checkPadding(Tensor tensor) {
    if (tensor.isDense()) {
      return;
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.toIntExact(tensor.bytes())).order(ByteOrder.nativeOrder());
    driver.download(tensor.address(), bytes);
    int elementBytes = tensor.type().bytes();
    int used = tensor.size(tensor.rank() - 1) * elementBytes;
    int row = Math.toIntExact(tensor.rowLength()) * elementBytes;
    for (int i = 0; i < bytes.capacity(); i++) {
      if (i % row >= used && bytes.get(i) != 0) {
        throw new AssertionError(
            "row %d has no zero in column %d, which is padding."
                .formatted(i / row, i % row / elementBytes));
      }
    }
  }

  private static String describe(List<Tensor> tensors) {
    return tensors.stream()
        .map(
            tensor ->
                tensor == null
                    ? "null"
                    : "%s in %s rows of %d"
                        .formatted(
                            Arrays.toString(tensor.shape()), tensor.type(), tensor.rowLength()))
        .toList()
        .toString();
  }

  @Override
  public void close() {
    context.close();
    weights.close();
    device.release();
    memory.forEach(driver::free);
  }
}

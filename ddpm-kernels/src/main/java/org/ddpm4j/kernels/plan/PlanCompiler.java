package org.ddpm4j.kernels.plan;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.FusedOp;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Turns a request into a plan: finds the operations that make what is asked for, fuses them, and
 * gives every array a place in memory for as long as somebody reads it. Used once.
 */
final class PlanCompiler {

  private final PlanRequest request;
  private final Device device;
  private final Map<String, Value> values = new LinkedHashMap<>();
  private final List<Operation> operations = new ArrayList<>();
  private final MemoryPlan memoryPlan;

  /** An array of the graph. */
  private static final class Value {

    final String name;
    final long[] shape;
    int lastUse = -1;
    boolean stays;
    boolean stationary;
    TensorFormat format;
    MemoryPlan.Slot slot;
    Tensor tensor;

    Value(String name, long[] shape) {
      this.name = name;
      this.shape = shape;
      this.format = TensorFormat.dense(shape);
    }

    long bytes() {
      return format.bytes(shape);
    }
  }

  PlanCompiler(PlanRequest request, Device device) {
    this.request = request;
    this.device = device;
    memoryPlan = new MemoryPlan(device.alignment());
  }

  GraphPlan compile(WeightCache weights) {
    findSources();
    findOperations();
    new OperationFusion(operations, device, this::isSeen).run().forEach(values::remove);
    int stationarySteps = moveStationaryToFront();
    keepForGradients();
    findLastUses();
    giveFormats();
    giveSlots();
    DeviceMemory memory = device.allocate(memoryPlan.place());
    PlanContext context = null;
    try {
      placeTensors(memory);
      context = device.open(weights, request.precision());
      GraphPlan.Program program =
          new GraphPlan.Program(
              context.preparing(stepsOf(context)),
              stationarySteps,
              tensors(request.inputs().keySet()),
              tensors(new LinkedHashSet<>(request.outputs())),
              request.stationary());
      return new GraphPlan(program, context, device, memory);
    } catch (RuntimeException | Error e) {
      if (context != null) {
        context.close();
      }
      memory.close();
      throw e;
    }
  }

  private Supplier<List<GraphPlan.Step>> stepsOf(PlanContext context) {
    return () -> makeSteps(context);
  }

  private Map<String, Tensor> tensors(Set<String> names) {
    Map<String, Tensor> found = new HashMap<>();
    names.forEach(name -> found.put(name, values.get(name).tensor));
    return found;
  }

  /** Inputs, parameters and constants. */
  private void findSources() {
    request
        .inputs()
        .forEach(
            (name, shape) -> {
              Value value = add(name, shape);
              value.stays = true;
              value.stationary = request.stationary().contains(name);
            });
    request
        .parameters()
        .forEach(
            (name, tensor) -> {
              Value value = add(name, tensor.shape());
              value.tensor = tensor;
              value.stationary = true;
            });
  }

  private Value add(String name, long[] shape) {
    Value value = new Value(name, shape.clone());
    values.put(name, value);
    return value;
  }

  /** What the outputs and sums need, in the graph's order, in which every input comes first. */
  private void findOperations() {
    Set<String> needed = new HashSet<>(request.outputs());
    needed.addAll(request.sums().keySet());
    needed.addAll(request.takers().keySet());
    List<SameDiffOp> all = new ArrayList<>(request.graph().getOps().values());
    List<SameDiffOp> used = new ArrayList<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      SameDiffOp op = all.get(i);
      if (op.getOutputsOfOp() != null && op.getOutputsOfOp().stream().anyMatch(needed::contains)) {
        needed.addAll(op.getInputsToOp());
        used.add(0, op);
      }
    }
    used.forEach(this::addOperation);
    request.outputs().forEach(this::requireValue);
    request.sums().keySet().forEach(this::requireValue);
    request.takers().keySet().forEach(this::requireValue);
  }

  private void requireValue(String name) {
    if (!values.containsKey(name)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "The graph does not make %s, which the plan should give.", name));
    }
  }

  private void addOperation(SameDiffOp op) {
    List<long[]> shapes = new ArrayList<>();
    for (String name : op.getInputsToOp()) {
      shapes.add(valueOrConstant(name).shape);
    }
    FusedOp fused = fused(op.getOp(), shapes);
    List<long[]> outputShapes = fused.outputShapes(shapes);
    for (int i = 0; i < outputShapes.size(); i++) {
      add(op.getOutputsOfOp().get(i), outputShapes.get(i));
    }
    operations.add(new Operation(fused, op.getInputsToOp(), op.getOutputsOfOp()));
  }

  private static FusedOp fused(DifferentialFunction function, List<long[]> shapes) {
    if (function instanceof FusedOp op) {
      return op;
    }
    // SameDiff adds up the gradients of what is used several times.
    if (function.opName().equals("add") && Arrays.equals(shapes.get(0), shapes.get(1))) {
      return new Add();
    }
    throw new UnsupportedOperationException(
        String.format(
            Locale.ROOT,
            "A plan cannot run the operation %s; it runs fused operations and additions of arrays of one shape.",
            function.opName()));
  }

  private Value valueOrConstant(String name) {
    Value value = values.get(name);
    if (value != null) {
      return value;
    }
    SDVariable variable = request.graph().getVariable(name);
    INDArray array = variable == null || variable.isPlaceHolder() ? null : variable.getArr();
    if (array == null) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The graph reads %s, which is neither among the inputs %s nor among the parameters.",
              name,
              request.inputs().keySet()));
    }
    Value constant = add(name, array.shape());
    constant.stays = true;
    constant.stationary = true;
    return constant;
  }

  /** Whether the caller gets it as soon as it is made. */
  private boolean leavesAtOnce(String name) {
    return request.sums().containsKey(name) || request.takers().containsKey(name);
  }

  /** Whether the caller gets it. */
  private boolean isSeen(String name) {
    return request.outputs().contains(name) || leavesAtOnce(name);
  }

  private int moveStationaryToFront() {
    List<Operation> front = new ArrayList<>();
    List<Operation> rest = new ArrayList<>();
    for (Operation operation : operations) {
      boolean stationary =
          operation.inputs().stream().allMatch(name -> values.get(name).stationary)
              && operation.outputs().stream().noneMatch(this::leavesAtOnce);
      for (String output : operation.outputs()) {
        values.get(output).stationary = stationary;
        values.get(output).stays |= stationary;
      }
      (stationary ? front : rest).add(operation);
    }
    operations.clear();
    operations.addAll(front);
    operations.addAll(rest);
    return front.size();
  }

  /** Lets operations keep what their gradients would otherwise compute again. */
  private void keepForGradients() {
    for (int i = 0; i < operations.size(); i++) {
      Optional<FusedOp> keeping = Optional.empty();
      for (int k = i + 1; k < operations.size() && keeping.isEmpty(); k++) {
        keeping = keeping(operations.get(i), operations.get(k));
        if (keeping.isPresent()) {
          keep(i, keeping.get(), k);
        }
      }
    }
  }

  private Optional<FusedOp> keeping(Operation operation, Operation later) {
    boolean readsTheSame =
        !operation.inputs().isEmpty() && later.inputs().indexOf(operation.inputs().get(0)) == 0;
    // What is made once only is not computed again, either.
    return readsTheSame && !values.get(operation.outputs().get(0)).stationary
        ? device.keeping(operation.op(), later.op())
        : Optional.empty();
  }

  private void keep(int index, FusedOp keeping, int gradientIndex) {
    Operation operation = operations.get(index);
    Operation gradient = operations.get(gradientIndex);
    List<long[]> shapes = operation.inputs().stream().map(name -> values.get(name).shape).toList();
    String kept = operation.outputs().get(0) + "-kept";
    add(kept, keeping.outputShapes(shapes).get(operation.outputs().size()));
    operations.set(
        index, new Operation(keeping, operation.inputs(), with(operation.outputs(), kept)));
    operations.set(
        gradientIndex,
        new Operation(gradient.op(), with(gradient.inputs(), kept), gradient.outputs()));
  }

  private static List<String> with(List<String> names, String name) {
    return Stream.concat(names.stream(), Stream.of(name)).toList();
  }

  private void findLastUses() {
    for (int i = 0; i < operations.size(); i++) {
      for (String input : operations.get(i).inputs()) {
        values.get(input).lastUse = i;
      }
    }
    for (String output : request.outputs()) {
      values.get(output).stays = true;
    }
    for (int i = 0; i < operations.size(); i++) {
      for (String output : operations.get(i).outputs()) {
        Value value = values.get(output);
        if (leavesAtOnce(output)) {
          value.lastUse = Math.max(value.lastUse, i);
        }
      }
    }
  }

  /** What callers see is dense; how values in between lie is the device's business. */
  private void giveFormats() {
    for (Operation operation : operations) {
      for (int k = 0; k < operation.outputs().size(); k++) {
        Value value = values.get(operation.outputs().get(k));
        if (!isSeen(value.name)) {
          value.format = device.format(operation.op(), k, value.shape, request.precision());
        }
      }
    }
  }

  private void giveSlots() {
    for (Value value : values.values()) {
      if (value.stays && value.tensor == null && !isComputed(value)) {
        giveSlot(value, 0);
      }
    }
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      for (int k = 0; k < operation.outputs().size(); k++) {
        Value output = values.get(operation.outputs().get(k));
        if (!isNeeded(output)) {
          continue;
        }
        if (isSummedInPlace(operation, k)) {
          output.tensor = request.sums().get(output.name);
        } else if (k == 0 && canTakeOver(operation, i)) {
          Value input = values.get(operation.inputs().get(operation.op().inPlaceInput()));
          output.slot = input.slot;
          extend(output);
        } else {
          giveSlot(output, i);
        }
      }
    }
  }

  private boolean isComputed(Value value) {
    return operations.stream().anyMatch(operation -> operation.outputs().contains(value.name));
  }

  private static boolean isNeeded(Value value) {
    return value.stays || value.lastUse >= 0;
  }

  /** Kernels that add to their outputs can write to the caller's memory. */
  private boolean isSummedInPlace(Operation operation, int output) {
    String name = operation.outputs().get(output);
    return operation.op().addsTo(output)
        && request.sums().containsKey(name)
        && !request.outputs().contains(name)
        && !request.takers().containsKey(name)
        && operations.stream().noneMatch(other -> other.inputs().contains(name));
  }

  private boolean canTakeOver(Operation operation, int index) {
    int candidate = operation.op().inPlaceInput();
    if (candidate < 0) {
      return false;
    }
    Value input = values.get(operation.inputs().get(candidate));
    Value output = values.get(operation.outputs().get(0));
    return input.slot != null
        && !input.stays
        && input.slot.last() == index
        && Tensor.length(input.shape) == Tensor.length(output.shape)
        && input.format.equals(output.format)
        && operation.inputs().stream().filter(input.name::equals).count() == 1;
  }

  private void giveSlot(Value value, int step) {
    value.slot = memoryPlan.add(value.bytes(), step);
    extend(value);
  }

  private void extend(Value value) {
    value.slot.neededAt(value.stays ? operations.size() : value.lastUse);
  }

  private void placeTensors(DeviceMemory memory) {
    for (Value value : values.values()) {
      if (value.tensor == null && value.slot != null) {
        value.tensor =
            new Tensor(memory.address() + value.slot.offset(), value.shape, value.format);
      }
      if (isConstant(value)) {
        INDArray constant = request.graph().getVariable(value.name).getArr();
        device.upload(FloatBuffer.wrap(constant.dup('c').data().asFloat()), value.tensor);
      }
    }
  }

  private boolean isConstant(Value value) {
    return !request.inputs().containsKey(value.name)
        && !request.parameters().containsKey(value.name)
        && !isComputed(value);
  }

  private List<GraphPlan.Step> makeSteps(PlanContext context) {
    List<GraphPlan.Step> steps = new ArrayList<>();
    for (Operation operation : operations) {
      List<Tensor> inputs = operation.inputs().stream().map(n -> values.get(n).tensor).toList();
      List<Tensor> outputs = new ArrayList<>();
      List<Kernel> all = new ArrayList<>();
      for (String name : operation.outputs()) {
        outputs.add(values.get(name).tensor);
      }
      all.add(computation(operation, context, inputs, outputs));
      for (int k = 0; k < operation.outputs().size(); k++) {
        Value output = values.get(operation.outputs().get(k));
        Tensor sum = request.sums().get(output.name);
        if (sum != null && sum != output.tensor) {
          all.add(context.adding(output.tensor, sum));
        }
        if (request.takers().containsKey(output.name)) {
          all.add(context.handing(output.tensor, request.takers().get(output.name)));
        }
      }
      steps.add(step(operation, inputs, outputs, Kernel.sequence(all)));
    }
    context
        .ending()
        .ifPresent(
            ending ->
                steps.add(
                    new GraphPlan.Step(
                        ending.operation(), "", List.of(), 0, ending.bytes(), ending.kernel())));
    return steps;
  }

  /**
   * An operation of which each output that it adds to is the caller's sum, or holds nothing yet.
   */
  private Kernel computation(
      Operation operation, PlanContext context, List<Tensor> inputs, List<Tensor> outputs) {
    List<Tensor> blank = new ArrayList<>();
    boolean addsToSums = false;
    for (int k = 0; k < outputs.size(); k++) {
      if (outputs.get(k) != null && operation.op().addsTo(k)) {
        if (isSummedInPlace(operation, k)) {
          addsToSums = true;
        } else {
          blank.add(outputs.get(k));
        }
      }
    }
    if (blank.isEmpty()) {
      return context.beginning(operation.op(), inputs, outputs);
    }
    if (!addsToSums) {
      return context.overwriting(operation.op(), inputs, outputs);
    }
    List<Kernel> all = new ArrayList<>();
    blank.forEach(tensor -> all.add(context.zeroing(tensor)));
    all.add(context.kernel(operation.op(), inputs, outputs));
    return Kernel.sequence(all);
  }

  private GraphPlan.Step step(
      Operation operation, List<Tensor> inputs, List<Tensor> outputs, Kernel kernel) {
    String output = operation.outputs().get(0);
    List<Long> shape = Arrays.stream(values.get(output).shape).boxed().toList();
    List<long[]> inputShapes = inputs.stream().map(Tensor::shape).toList();
    long bytes =
        Stream.concat(inputs.stream(), outputs.stream().filter(Objects::nonNull))
            .mapToLong(Tensor::bytes)
            .sum();
    return new GraphPlan.Step(
        operation.op().opName(), output, shape, operation.op().flops(inputShapes), bytes, kernel);
  }
}

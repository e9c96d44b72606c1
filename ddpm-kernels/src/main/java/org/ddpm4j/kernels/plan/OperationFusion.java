package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.ddpm4j.kernels.ops.FusedOp;

/**
 * Makes one operation of neighbouring ones, where one kernel of the device does the work of both:
 * what was between them is then never in memory. Used once.
 */
final class OperationFusion {

  private final List<Operation> operations;
  private final Device device;
  private final Predicate<String> isSeen;
  private final List<String> gone = new ArrayList<>();

  /**
   * The fusion of a plan's operations.
   *
   * @param operations in their order; changed
   * @param device says what it can do at once
   * @param isSeen whether the caller gets an array, so that it has to be made
   */
  OperationFusion(List<Operation> operations, Device device, Predicate<String> isSeen) {
    this.operations = operations;
    this.device = device;
    this.isSeen = isSeen;
  }

  /** {@return the names of the arrays that are not made any more} */
  List<String> run() {
    absorb();
    fuseNeighbours();
    return gone;
  }

  /** Lets operations do the work of what all its readers had better do for themselves. */
  private void absorb() {
    for (int i = 0; i < operations.size(); i++) {
      Operation first = operations.get(i);
      String between = first.outputs().get(0);
      List<Operation> readers = readersOf(between);
      boolean canGo = first.outputs().size() == 1 && !readers.isEmpty() && !isSeen.test(between);
      if (!canGo || !readers.stream().allMatch(reader -> absorbs(reader, first))) {
        continue;
      }
      for (Operation reader : readers) {
        List<String> inputs = new ArrayList<>(reader.inputs());
        inputs.set(0, first.inputs().get(0));
        inputs.addAll(first.inputs().subList(1, first.inputs().size()));
        FusedOp both = device.absorb(first.op(), reader.op()).orElseThrow();
        operations.set(operations.indexOf(reader), new Operation(both, inputs, reader.outputs()));
      }
      operations.remove(i);
      gone.add(between);
      i--;
    }
  }

  private boolean absorbs(Operation reader, Operation first) {
    return reader.inputs().lastIndexOf(first.outputs().get(0)) == 0
        && device.absorb(first.op(), reader.op()).isPresent();
  }

  /** Lets an operation do the work of the only one that reads its output. */
  private void fuseNeighbours() {
    for (int i = 0; i < operations.size(); i++) {
      Operation first = operations.get(i);
      Operation second = onlyReader(first);
      Optional<FusedOp> fused =
          second == null ? Optional.empty() : device.fuse(first.op(), second.op());
      if (fused.isEmpty() || isFusedWithLater(second, i)) {
        continue;
      }
      String between = first.outputs().get(0);
      List<String> inputs = new ArrayList<>(first.inputs());
      second.inputs().stream().filter(name -> !name.equals(between)).forEach(inputs::add);
      List<String> outputs = new ArrayList<>(second.outputs());
      outputs.addAll(first.outputs().subList(1, first.outputs().size()));
      // Where the second was, so that its other inputs come before.
      operations.set(operations.indexOf(second), new Operation(fused.get(), inputs, outputs));
      operations.remove(i);
      gone.add(between);
      i--;
    }
  }

  /** The only one that reads the first output, once, if nobody reads the others; or null. */
  private Operation onlyReader(Operation first) {
    String between = first.outputs().get(0);
    List<String> others = first.outputs().subList(1, first.outputs().size());
    List<Operation> readers = readersOf(between);
    return readers.size() == 1
            && readers.get(0).outputs().size() == 1
            && readers.get(0).inputs().stream().filter(between::equals).count() == 1
            && !isSeen.test(between)
            && others.stream().allMatch(name -> readersOf(name).isEmpty())
        ? readers.get(0)
        : null;
  }

  private List<Operation> readersOf(String name) {
    return operations.stream().filter(operation -> operation.inputs().contains(name)).toList();
  }

  /** Whether one behind this index can do the work: what moves least keeps least memory. */
  private boolean isFusedWithLater(Operation second, int index) {
    return operations.subList(index + 1, operations.size()).stream()
        .filter(later -> second.inputs().contains(later.outputs().get(0)))
        .anyMatch(
            later ->
                onlyReader(later) == second && device.fuse(later.op(), second.op()).isPresent());
  }
}

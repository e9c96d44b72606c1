package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Places arrays in one block of memory so that no two overlap that are needed at the same time: the
 * largest first, each at the lowest place that is free during its life.
 */
final class MemoryPlan {

  private final int alignment;
  private final List<Slot> slots = new ArrayList<>();

  /**
   * Nothing yet.
   *
   * @param alignment of all places, in bytes
   */
  MemoryPlan(int alignment) {
    this.alignment = alignment;
  }

  /** The life of one array, in steps of the plan, both ends included. */
  static final class Slot {

    private final long length;
    private final int first;
    private int last;
    private long offset = -1;

    private Slot(long length, int first) {
      this.length = length;
      this.first = first;
      this.last = first;
    }

    void neededAt(int step) {
      last = Math.max(last, step);
    }

    int last() {
      return last;
    }

    long offset() {
      return offset;
    }

    private boolean livesWith(Slot other) {
      return first <= other.last && other.first <= last;
    }
  }

  Slot add(long length, int step) {
    Slot slot = new Slot((length + alignment - 1) / alignment * alignment, step);
    slots.add(slot);
    return slot;
  }

  /** Gives every slot its place; returns the length of the block. */
  long place() {
    List<Slot> byLength = new ArrayList<>(slots);
    byLength.sort(Comparator.comparingLong((Slot s) -> s.length).reversed());
    List<Slot> placed = new ArrayList<>();
    long end = 0;
    for (Slot slot : byLength) {
      slot.offset = lowestFree(slot, placed);
      end = Math.max(end, slot.offset + slot.length);
      placed.add(slot);
    }
    return end;
  }

  private static long lowestFree(Slot slot, List<Slot> placed) {
    List<Slot> conflicts =
        placed.stream()
            .filter(slot::livesWith)
            .sorted(Comparator.comparingLong((Slot s) -> s.offset))
            .toList();
    long candidate = 0;
    for (Slot other : conflicts) {
      if (candidate + slot.length <= other.offset) {
        return candidate;
      }
      candidate = Math.max(candidate, other.offset + other.length);
    }
    return candidate;
  }
}

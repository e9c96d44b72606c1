package org.ddpm4j.kernels.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {

  private static final int STEPS = 40;

  /** What was asked for, kept apart from the plan. */
  private record Life(MemoryPlan.Slot slot, long length, int first, int last) {

    boolean meets(Life other) {
      return first <= other.last && other.first <= last;
    }

    boolean overlaps(Life other) {
      return slot.offset() < other.slot.offset() + other.length
          && other.slot.offset() < slot.offset() + length;
    }

    long roundedLength() {
      return (length + 15) / 16 * 16;
    }
  }

  private static List<Life> randomLives(MemoryPlan plan, SplittableRandom random) {
    List<Life> lives = new ArrayList<>();
    int count = random.nextInt(1, 80);
    for (int i = 0; i < count; i++) {
      long length = random.nextInt(4) == 0 ? random.nextInt(1, 40) : random.nextInt(1, 5000);
      int first = random.nextInt(STEPS);
      int last = Math.min(STEPS, first + random.nextInt(random.nextInt(5) == 0 ? STEPS : 4));
      MemoryPlan.Slot slot = plan.add(length, first);
      // Uses are reported in any order.
      slot.neededAt(last);
      slot.neededAt(first + random.nextInt(last - first + 1));
      assertThat(slot.last()).isEqualTo(last);
      lives.add(new Life(slot, length, first, last));
    }
    return lives;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void whatLivesAtTheSameTimeDoesNotOverlap(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int trial = 0; trial < 50; trial++) {
      MemoryPlan plan = new MemoryPlan(16);
      List<Life> lives = randomLives(plan, random);
      long end = plan.place();
      for (Life a : lives) {
        assertThat(a.slot.offset()).isNotNegative().isLessThanOrEqualTo(end - a.length);
        assertThat(a.slot.offset() % 16).isZero();
        for (Life b : lives) {
          if (a != b && a.meets(b)) {
            assertThat(a.overlaps(b)).as("%s and %s", a, b).isFalse();
          }
        }
      }
      assertThat(end)
          .isBetween(
              mostAtOnce(lives), lives.stream().mapToLong(Life::length).sum() + 16L * lives.size());
    }
  }

  private static long mostAtOnce(List<Life> lives) {
    long most = 0;
    for (int step = 0; step <= STEPS; step++) {
      long now = 0;
      for (Life life : lives) {
        now += life.first <= step && step <= life.last ? life.roundedLength() : 0;
      }
      most = Math.max(most, now);
    }
    return most;
  }

  /** In a chain each array is read by the next operation alone: two places are enough. */
  @Test
  void aChainNeedsTwoPlaces() {
    MemoryPlan plan = new MemoryPlan(16);
    for (int i = 0; i < 20; i++) {
      plan.add(1000, i).neededAt(i + 1);
    }
    assertThat(plan.place()).isEqualTo(2 * 1008);
  }

  @Test
  void smallArraysShareThePlaceOfALargeOne() {
    MemoryPlan plan = new MemoryPlan(16);
    plan.add(160, 0).neededAt(1);
    for (int i = 0; i < 10; i++) {
      plan.add(16, 2).neededAt(3);
    }
    assertThat(plan.place()).isEqualTo(160);
  }

  @Test
  void whatIsNeededThroughoutSharesNothing() {
    MemoryPlan plan = new MemoryPlan(16);
    plan.add(16, 0).neededAt(9);
    plan.add(17, 0).neededAt(9);
    MemoryPlan.Slot passing = plan.add(1, 4);
    plan.add(1, 5);
    assertThat(plan.place()).isEqualTo(16 + 32 + 16);
    assertThat(passing.offset()).isEqualTo(48);
  }

  @Test
  void nothingNeedsNothing() {
    assertThat(new MemoryPlan(16).place()).isZero();
  }
}

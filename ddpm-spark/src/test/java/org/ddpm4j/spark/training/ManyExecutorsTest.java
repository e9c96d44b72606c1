package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.training.StepLosses;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The schedule of {@link SparkGradientStep} on a thousand executors in virtual time, of which one
 * dies every twenty seconds and one in two hundred is slow.
 */
class ManyExecutorsTest {

  private static final int EXECUTORS = 1000;
  private static final int STEPS = 60;

  private static final SimulatedCluster.Conditions BAD =
      new SimulatedCluster.Conditions(EXECUTORS, 20_000, 45, 0.005);

  /** As on one machine: each shard once, in order. */
  private static float[] expected(long step, int shards) {
    float[] sum = SimulatedCluster.gradient(step, 0);
    for (int shard = 1; shard < shards; shard++) {
      float[] more = SimulatedCluster.gradient(step, shard);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += more[i];
      }
    }
    return sum;
  }

  private static SimulatedCluster train(
      SimulatedCluster.Conditions conditions, Placement placement, int shards) {
    SimulatedCluster cluster = new SimulatedCluster(conditions, placement, shards);
    double[] order = IntStream.range(0, shards).asDoubleStream().toArray();
    try (INDArray total = Nd4j.create(DataType.FLOAT, 7)) {
      for (long step = 0; step < STEPS; step++) {
        StepState state = StepState.of(step, Optional.empty());
        StepLosses losses = ShardSchedule.compute(cluster, state, shards, total);
        assertThat(losses.losses()).isEqualTo(order);
        assertThat(total.data().asFloat()).isEqualTo(expected(step, shards));
      }
    }
    return cluster;
  }

  @Test
  void stepsAreWholeAndInOrderWhateverDies() {
    SimulatedCluster together = train(BAD, Placement.BARRIER, EXECUTORS);
    SimulatedCluster independent = train(BAD, Placement.INDEPENDENT, EXECUTORS);

    assertThat(together.lost()).isGreaterThan(10);
    assertThat(together.smaller()).isGreaterThan(10);
    assertThat(independent.lost()).isPositive();
    assertThat(independent.duplicates()).isGreaterThan(100);
    // A barrier waits for its slowest task, and does all again when one dies; the other for two
    // tasks.
    assertThat(independent.now()).isLessThan(5.0 * STEPS);
    assertThat(together.now()).isGreaterThan(2 * independent.now()).isLessThan(40.0 * STEPS);
  }

  /** Without trouble a step takes as long as its slowest task, a twentieth more than the mean. */
  @Test
  void aClusterWithoutTroubleLosesNothing() {
    SimulatedCluster.Conditions good =
        new SimulatedCluster.Conditions(EXECUTORS, Double.POSITIVE_INFINITY, 0, 0);
    for (Placement placement : Placement.values()) {
      SimulatedCluster cluster = train(good, placement, EXECUTORS);
      double jobs = placement == Placement.BARRIER ? SimulatedCluster.JOB : 0;
      assertThat(cluster.now() - jobs).isBetween(1.04 * STEPS, 1.05 * STEPS);
      assertThat(cluster.lost()).isZero();
    }
  }

  /**
   * Executors that live no longer than a step: the schedule says so, and does not go on for ever.
   */
  @Test
  void givesUpWhereNothingCanBeDone() {
    SimulatedCluster.Conditions hopeless = new SimulatedCluster.Conditions(EXECUTORS, 1, 1, 0);
    assertThatThrownBy(() -> train(hopeless, Placement.BARRIER, EXECUTORS))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("lost executors at a step 16 times: Executor ");
  }

  /** What fails is another matter than what dies, and is not tried as often. */
  @Test
  void givesUpWhereTasksFail() {
    int[] begun = new int[1];
    SimulatedCluster failing =
        new SimulatedCluster(BAD, Placement.BARRIER, 5) {
          @Override
          public StepLosses run(StepState state, int tasks, INDArray total)
              throws ExecutionException {
            begun[0]++;
            throw new ExecutionException(new IOException("no images"));
          }
        };
    try (INDArray total = Nd4j.create(DataType.FLOAT, 7)) {
      assertThatThrownBy(
              () -> ShardSchedule.compute(failing, StepState.of(0, Optional.empty()), 5, total))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("failed at a step 4 times: no images");
    }
    assertThat(begun[0]).isEqualTo(4);
  }

  /** What a cluster must not do is found out. */
  @Test
  void aShardThatIsMissingIsNoSum() {
    List<ShardGradient> all =
        IntStream.range(0, 5).mapToObj(shard -> SimulatedCluster.result(0, shard)).toList();
    try (INDArray total = Nd4j.create(DataType.FLOAT, 7)) {
      assertThatThrownBy(() -> ShardGradient.sum(all.subList(1, 5), 5, total))
          .isInstanceOf(IllegalStateException.class);
    }
  }
}

package org.ddpm4j.spark.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.ddpm4j.diffusion.training.StepLosses;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Executors in virtual time. A task takes a second for each of its shards; some take several, and
 * executors die and come back. Tasks are placed, and begun again, as Spark does.
 */
class SimulatedCluster implements ShardSchedule.Cluster {

  /** What it takes to begin a job whose tasks stay, in seconds. */
  static final double JOB = 1;

  private static final double SPECULATION = 1.5;

  /**
   * What happens to executors.
   *
   * @param executors how many there are
   * @param meanLife of an executor, in seconds
   * @param absence until another takes the place of one that died, in seconds
   * @param stragglers part of the tasks that take five to fifteen times as long
   */
  record Conditions(int executors, double meanLife, double absence, double stragglers) {}

  private final Conditions conditions;
  private final Placement placement;
  private final int shards;
  private final Random random = new Random(11);

  /** When each executor is there again. */
  private final double[] back;

  private double now;
  private int lost;
  private int duplicates;
  private int smaller;

  /** Of the job whose tasks stay; 0 if there is none. */
  private int resident;

  SimulatedCluster(Conditions conditions, Placement placement, int shards) {
    this.conditions = conditions;
    this.placement = placement;
    this.shards = shards;
    this.back = new double[conditions.executors()];
  }

  /** The gradient of a shard, whatever executor computes it. */
  static float[] gradient(long step, int shard) {
    Random own = new Random(31 * step + shard);
    float[] values = new float[7];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) own.nextGaussian();
    }
    return values;
  }

  double now() {
    return now;
  }

  int lost() {
    return lost;
  }

  int duplicates() {
    return duplicates;
  }

  /** How many steps were begun with fewer tasks than shards. */
  int smaller() {
    return smaller;
  }

  private int room() {
    return (int) Arrays.stream(back).filter(time -> time <= now).count();
  }

  @Override
  public int awaitRoom() {
    while (room() == 0) {
      now++;
    }
    return room();
  }

  /** Of a task with so many shards. */
  private double duration(int own) {
    double slow = random.nextDouble() < conditions.stragglers() ? 5 + 10 * random.nextDouble() : 1;
    return own * slow * (0.95 + 0.1 * random.nextDouble());
  }

  private double life() {
    return -conditions.meanLife() * Math.log(1 - random.nextDouble());
  }

  @Override
  public StepLosses run(StepState state, int tasks, INDArray total)
      throws IOException, ExecutionException {
    smaller += tasks < Math.min(shards, conditions.executors()) ? 1 : 0;
    if (placement == Placement.BARRIER) {
      runTogether(tasks);
    } else {
      runIndependently(tasks);
    }
    List<ShardGradient> found = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      found.add(result(state.step(), shard));
    }
    Collections.shuffle(found, random);
    return ShardGradient.sum(found, shards, total);
  }

  @Override
  public void close() {
    resident = 0;
  }

  static ShardGradient result(long step, int shard) {
    float[] values = gradient(step, shard);
    byte[] bytes = new byte[values.length * Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return new ShardGradient(
        shard, new int[] {shard}, new double[] {1}, new double[] {shard}, bytes);
  }

  private int shardsOf(int task, int tasks) {
    return (int) ((long) (task + 1) * shards / tasks - (long) task * shards / tasks);
  }

  /** All at once; when one executor dies, the job of all ends. */
  private void runTogether(int tasks) throws IOException {
    if (resident != tasks) {
      resident = tasks;
      now += JOB;
    }
    double end = 0;
    double death = Double.POSITIVE_INFINITY;
    int victim = -1;
    int task = 0;
    for (int executor = 0; executor < back.length && task < tasks; executor++) {
      if (back[executor] <= now) {
        end = Math.max(end, duration(shardsOf(task++, tasks)));
        double life = life();
        if (life < death) {
          death = life;
          victim = executor;
        }
      }
    }
    now += Math.min(death, end);
    if (death <= end) {
      lost++;
      back[victim] = now + conditions.absence();
      resident = 0;
      throw new IOException("Executor " + victim + " has died.");
    }
  }

  /** One by one; what is lost is done again, what is slow is begun a second time. */
  private void runIndependently(int tasks) {
    double end = 0;
    int next = 0;
    for (int task = 0; task < tasks; task++) {
      double time = 0;
      boolean done = false;
      while (!done) {
        while (back[next % back.length] > now + time) {
          next++;
        }
        int executor = next++ % back.length;
        double own = duration(shardsOf(task, tasks));
        double usual = shardsOf(task, tasks);
        if (own > SPECULATION * usual) {
          // The second begins when the first is noticed to be slow, and both come to their end.
          duplicates++;
          own = Math.min(own, SPECULATION * usual + duration(shardsOf(task, tasks)));
        }
        double life = life();
        done = life > own;
        time += Math.min(life, own);
        if (!done) {
          lost++;
          back[executor] = now + time + conditions.absence();
        }
      }
      end = Math.max(end, time);
    }
    now += end;
  }
}

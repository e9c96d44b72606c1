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

/**
 * Executors in virtual time. A task takes a second; some take several, and executors die and come
 * back. Tasks are placed, and begun again, as Spark does.
 */
final class SimulatedCluster implements ShardSchedule.Cluster {

  /** How often Spark begins a stage in barrier mode before it gives up. */
  private static final int STAGE_ATTEMPTS = 4;

  private static final double PATIENCE = 20;
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
  private long step;
  private int lost;
  private int duplicates;
  private int smaller;
  private int givenUp;

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

  void begin(long newStep) {
    step = newStep;
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

  int givenUp() {
    return givenUp;
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
  public List<ShardGradient> run(int tasks) throws ExecutionException {
    smaller += tasks < Math.min(shards, conditions.executors()) ? 1 : 0;
    boolean whole = placement == Placement.BARRIER ? runTogether(tasks) : runIndependently(tasks);
    if (!whole) {
      return List.of();
    }
    List<ShardGradient> found = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      found.add(result(shard));
    }
    Collections.shuffle(found, random);
    return found;
  }

  private ShardGradient result(int shard) {
    float[] values = gradient(step, shard);
    byte[] bytes = new byte[values.length * Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return new ShardGradient(
        shard, new int[] {shard}, new double[] {1}, new double[] {shard}, bytes);
  }

  private int shardsOf(int task, int tasks) {
    return (int) ((long) (task + 1) * shards / tasks - (long) task * shards / tasks);
  }

  /** All at once; when one executor dies, all again. */
  private boolean runTogether(int tasks) throws ExecutionException {
    for (int attempt = 0; attempt < STAGE_ATTEMPTS; attempt++) {
      double waited = 0;
      while (room() < tasks) {
        now++;
        if (++waited > PATIENCE) {
          return false;
        }
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
      if (death > end) {
        now += end;
        return true;
      }
      now += death;
      lost++;
      back[victim] = now + conditions.absence();
    }
    givenUp++;
    throw new ExecutionException(new IOException("the stage failed"));
  }

  /** One by one; what is lost is done again, what is slow is begun a second time. */
  private boolean runIndependently(int tasks) {
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
    return true;
  }
}

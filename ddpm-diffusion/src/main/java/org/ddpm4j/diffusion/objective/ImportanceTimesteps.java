package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.io.Text;

/**
 * Timesteps of large losses are drawn more often: {@code p_t ∝ √E[L_t²]} over the latest ten losses
 * of each, which makes the weighted loss less noisy (Nichol and Dhariwal 2021, section 3.3, eq.
 * 18). Until every timestep has ten, all are equally likely; a thousandth of the probability always
 * is.
 */
public final class ImportanceTimesteps implements TimestepSampler {

  /** How many losses of each timestep count. */
  public static final int LATEST = 10;

  private static final double UNIFORM_SHARE = 0.001;

  private final double[][] losses;
  private final int[] counts;

  /**
   * What has been learned from losses.
   *
   * @param losses the latest losses of each timestep, oldest first, {@code [T,10]} in one array
   * @param counts how many of the ten there are, T of them, each 0..10
   */
  public record State(double[] losses, int[] counts) {

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if the numbers do not fit each other
     */
    public State {
      Objects.requireNonNull(losses, "losses");
      Objects.requireNonNull(counts, "counts");
      if (losses.length != counts.length * LATEST
          || Arrays.stream(counts).anyMatch(count -> count < 0 || count > LATEST)) {
        throw new IllegalArgumentException(
            Text.format(
                "%d losses of %d timesteps were given; each has %d, of which 0 to %d count.",
                losses.length, counts.length, LATEST, LATEST));
      }
    }
  }

  /**
   * A sampler that knows no losses yet.
   *
   * @param timesteps T, at least 1
   * @throws IllegalArgumentException if it is less
   */
  public ImportanceTimesteps(int timesteps) {
    UniformTimesteps.requireTimesteps(timesteps);
    losses = new double[timesteps][LATEST];
    counts = new int[timesteps];
  }

  @Override
  public Draw draw(CounterRandom random, long step, long firstImage, int images) {
    UniformTimesteps.requireImages(random, images);
    double[] p = probabilities();
    double[] cumulative = p.clone();
    Arrays.parallelPrefix(cumulative, Double::sum);
    int[] t = new int[images];
    double[] weights = new double[images];
    for (int i = 0; i < images; i++) {
      double share = random.uniform(firstImage + i, step, 0);
      int found = Arrays.binarySearch(cumulative, share * cumulative[p.length - 1]);
      t[i] = Math.min(found < 0 ? -found - 1 : found + 1, p.length - 1);
      weights[i] = 1 / (p.length * p[t[i]]);
    }
    return new Draw(t, weights);
  }

  /**
   * How likely each timestep is at present.
   *
   * @return T probabilities
   */
  public double[] probabilities() {
    double[] p = new double[counts.length];
    if (Arrays.stream(counts).anyMatch(count -> count < LATEST)) {
      Arrays.fill(p, 1.0 / p.length);
      return p;
    }
    for (int t = 0; t < p.length; t++) {
      p[t] = Math.sqrt(Arrays.stream(losses[t]).map(loss -> loss * loss).sum() / LATEST);
    }
    double sum = Arrays.stream(p).sum();
    for (int t = 0; t < p.length; t++) {
      p[t] = (sum > 0 ? (1 - UNIFORM_SHARE) * p[t] / sum : 0) + UNIFORM_SHARE / p.length;
    }
    return p;
  }

  @Override
  public void update(int[] t, double[] newLosses) {
    Objects.requireNonNull(t, "t");
    if (t.length != Objects.requireNonNull(newLosses, "losses").length) {
      throw new IllegalArgumentException(
          Text.format(
              "%d losses were given for %d timesteps; each image has one of both.",
              newLosses.length, t.length));
    }
    for (int timestep : t) {
      Objects.checkIndex(timestep, counts.length);
    }
    for (int i = 0; i < t.length; i++) {
      double[] latest = losses[t[i]];
      if (counts[t[i]] == LATEST) {
        System.arraycopy(latest, 1, latest, 0, LATEST - 1);
        latest[LATEST - 1] = newLosses[i];
      } else {
        latest[counts[t[i]]++] = newLosses[i];
      }
    }
  }

  /** {@return a copy of what has been learned} */
  public State state() {
    double[] all = new double[losses.length * LATEST];
    for (int t = 0; t < losses.length; t++) {
      System.arraycopy(losses[t], 0, all, t * LATEST, LATEST);
    }
    return new State(all, counts.clone());
  }

  /**
   * Goes on from what had been learned.
   *
   * @param state of a sampler of as many timesteps
   * @throws IllegalArgumentException if it has another number of timesteps
   */
  public void restore(State state) {
    if (Objects.requireNonNull(state, "state").counts().length != counts.length) {
      throw new IllegalArgumentException(
          Text.format(
              "Losses of %d timesteps were saved, but there are %d.",
              state.counts().length, counts.length));
    }
    for (int t = 0; t < losses.length; t++) {
      System.arraycopy(state.losses(), t * LATEST, losses[t], 0, LATEST);
    }
    System.arraycopy(state.counts(), 0, counts, 0, counts.length);
  }
}

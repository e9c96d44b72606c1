package org.ddpm4j.diffusion.bound;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;

/**
 * The timesteps at which a bound is evaluated: one of each stratum, which stands for all timesteps
 * of its stratum. The sum over the chain that follows is exact where every stratum is a single
 * timestep, and otherwise an unbiased estimate, its expectation over the draws being the exact sum.
 *
 * @param strata neighbouring parts of the chain from timestep 0 on; the first is timestep 0 alone,
 *     whose term is of another kind
 */
public record StratifiedTimesteps(List<Stratum> strata) {

  /**
   * A part of the chain.
   *
   * @param first its first timestep, zero-based
   * @param size the number of its timesteps, at least 1
   * @param timestep the one that was drawn, first..first+size-1
   */
  public record Stratum(int first, int size, int timestep) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Stratum {
      if (first < 0 || size < 1 || timestep < first || timestep - first >= size) {
        throw new IllegalArgumentException(
            Text.format(
                "A stratum of %d timestep(s) from %d on, of which timestep %d was drawn, is not possible; it must lie inside.",
                size, first, timestep));
      }
    }
  }

  /**
   * Checks that the strata make a chain.
   *
   * @throws IllegalArgumentException if they are not neighbours or do not begin with timestep 0
   */
  public StratifiedTimesteps {
    Objects.requireNonNull(strata, "strata");
    strata = List.copyOf(strata);
    int next = 0;
    for (Stratum stratum : strata) {
      if (stratum.first() != next) {
        throw new IllegalArgumentException(
            Text.format(
                "A stratum begins at timestep %d; it must begin at %d, where the one before it ends.",
                stratum.first(), next));
      }
      next += stratum.size();
    }
    if (strata.isEmpty() || strata.get(0).size() != 1) {
      throw new IllegalArgumentException(
          "The strata do not begin with timestep 0 alone, whose term is of another kind; give it a"
              + " stratum of its own.");
    }
  }

  /**
   * All timesteps.
   *
   * @param timesteps T, at least 1
   * @return a stratum for each
   * @throws IllegalArgumentException if the chain has no timesteps
   */
  public static StratifiedTimesteps all(int timesteps) {
    requireChain(timesteps);
    return new StratifiedTimesteps(
        IntStream.range(0, timesteps).mapToObj(t -> new Stratum(t, 1, t)).toList());
  }

  /**
   * Some timesteps, more of them where t is small and the terms are large: timestep 0, and one
   * drawn from each of the strata behind it, whose ends grow with the square of their number.
   *
   * @param timesteps T, at least 1
   * @param count how many, from 2 to T (1 where T is 1)
   * @param seed of the draws
   * @return the strata, {@code count} of them
   * @throws IllegalArgumentException if the chain has no timesteps, or there cannot be as many
   */
  public static StratifiedTimesteps draw(int timesteps, int count, long seed) {
    requireChain(timesteps);
    if (count < Math.min(2, timesteps) || count > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "The bound of a chain of %d timesteps cannot be evaluated at %d of them; it takes %d to %d.",
              timesteps, count, Math.min(2, timesteps), timesteps));
    }
    CounterRandom random = new CounterRandom(seed, Purpose.BOUND_TIMESTEPS);
    List<Stratum> strata = new ArrayList<>();
    strata.add(new Stratum(0, 1, 0));
    int first = 1;
    for (int i = 1; i < count; i++) {
      double share = (double) i / (count - 1);
      int end = Math.max(first + 1, 1 + (int) Math.rint((timesteps - 1) * share * share));
      strata.add(new Stratum(first, end - first, first + random.below(end - first, 0, 0, i)));
      first = end;
    }
    return new StratifiedTimesteps(strata);
  }

  private static void requireChain(int timesteps) {
    if (timesteps < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A chain of %d timesteps has no bound; give its length T, at least 1.", timesteps));
    }
  }

  /** {@return the length of the chain, T} */
  public int timesteps() {
    Stratum last = strata.get(strata.size() - 1);
    return last.first() + last.size();
  }
}

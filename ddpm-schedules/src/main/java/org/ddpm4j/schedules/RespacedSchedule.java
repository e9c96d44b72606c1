package org.ddpm4j.schedules;

import java.util.Arrays;
import java.util.Objects;

/**
 * A shorter chain over some timesteps of a longer one (Nichol &amp; Dhariwal 2021, section 4),
 * together with the map back: a network trained on the long chain is asked at {@code timesteps[i]}
 * while the sampler takes step i of {@code schedule}.
 *
 * <p>Made by {@link NoiseSchedule#respace(int)}.
 *
 * @param schedule the constants of the shorter chain, of S timesteps
 * @param timesteps the original timestep of each of the S, ascending; copied in and out
 */
public record RespacedSchedule(NoiseSchedule schedule, int[] timesteps) {

  /**
   * Checks that the timesteps fit the schedule.
   *
   * @throws IllegalArgumentException if there are not as many as the schedule has, if the first is
   *     negative or if they do not ascend
   */
  public RespacedSchedule {
    Objects.requireNonNull(schedule, "schedule");
    timesteps = Objects.requireNonNull(timesteps, "timesteps").clone();
    Requirements.require(
        timesteps.length == schedule.timesteps(),
        "%d original timesteps were given for a schedule of %d; each of its timesteps needs one.",
        timesteps.length,
        schedule.timesteps());
    Requirements.requireAscending(timesteps);
  }

  /** {@return the original timesteps in a new array {@code [S]}, ascending} */
  @Override
  public int[] timesteps() {
    return timesteps.clone();
  }

  /**
   * The original timestep of one step, to ask the network with.
   *
   * @param i the timestep of the shorter chain, 0..S-1
   * @return the timestep of the longer chain
   * @throws IndexOutOfBoundsException if {@code i} is not in 0..S-1
   */
  public int originalTimestep(int i) {
    return timesteps[Objects.checkIndex(i, timesteps.length)];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RespacedSchedule that
        && schedule.equals(that.schedule)
        && Arrays.equals(timesteps, that.timesteps);
  }

  @Override
  public int hashCode() {
    return 31 * schedule.hashCode() + Arrays.hashCode(timesteps);
  }

  @Override
  public String toString() {
    return "RespacedSchedule[schedule="
        + schedule
        + ", timesteps="
        + Arrays.toString(timesteps)
        + "]";
  }
}

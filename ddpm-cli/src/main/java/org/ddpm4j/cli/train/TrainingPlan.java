package org.ddpm4j.cli.train;

import java.io.IOException;
import java.time.Duration;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.io.Text;

/**
 * How many steps fit in a given time on this machine, measured by doing some that are thrown away.
 *
 * @param steps of the training
 * @param limit when it ends at the latest, should the machine turn out slower
 */
record TrainingPlan(long steps, Duration limit) {

  /** Steps of a training that is stopped long before. */
  static final long PROBE_STEPS = 10_000_000;

  /** Steps that make a picture at all. */
  private static final long LEAST_STEPS = 20;

  /** What is left to the unforeseen. */
  private static final double SHARE = 0.95;

  /** A step goes through the network forward and twice backward. */
  private static final double FORWARD = 1.0 / 3;

  private static final double MEASURING_SECONDS = 4;
  private static final double MEASURING_SHARE = 0.04;
  private static final int ROUNDS = 4;

  /**
   * Measuring how far samples are from real images, on the way and after the last step.
   *
   * @param every steps between two measurements; {@link Long#MAX_VALUE} for none
   * @param images that are drawn each time
   * @param sampleSteps denoising steps of these
   * @param seconds that measuring takes, once they are drawn
   */
  record Evaluation(long every, int images, int sampleSteps, double seconds) {

    static final Evaluation NONE = new Evaluation(Long.MAX_VALUE, 0, 0, 0);

    double seconds(double secondsOfImage) {
      return FORWARD * secondsOfImage * sampleSteps * images + seconds;
    }
  }

  /**
   * Measures and plans.
   *
   * @param console where it says so
   * @param probe a session of {@link #PROBE_STEPS}, whose first steps are done for it
   * @param time from the beginning of the command to its end
   * @param begun when it began, by {@link System#nanoTime}
   * @param evaluation the distances that are measured
   * @throws IOException if the images cannot be read
   */
  static TrainingPlan measure(
      Console console, TrainingSession probe, Duration time, long begun, Evaluation evaluation)
      throws IOException {
    console.note("train: measuring this machine for some seconds …");
    double seconds = Math.min(MEASURING_SECONDS, MEASURING_SHARE * time.toMillis() / 1e3);
    double step = probe.secondsPerStep(seconds);
    double left = time.toMillis() / 1e3 - (System.nanoTime() - begun) / 1e9;
    TrainingPlan plan =
        of(
            left,
            step,
            probe.batchSize(),
            probe.sampleSteps(),
            probe.validationImages(),
            evaluation);
    console.note(
        "train: there is time for %d step(s) in %s here, at %.1f a second",
        plan.steps(), minutes(time.toMillis() / 60e3), 1 / step);
    return plan;
  }

  /**
   * Plans.
   *
   * @param left seconds until the end
   * @param step seconds of a step
   * @param batchSize images of a step
   * @param sampleSteps denoising steps of the sample grids
   * @param validationImages whose loss is measured at each report
   * @param evaluation the distances that are measured
   */
  static TrainingPlan of(
      double left,
      double step,
      int batchSize,
      int sampleSteps,
      long validationImages,
      Evaluation evaluation) {
    double image = step / batchSize;
    double grid = FORWARD * image * sampleSteps * RunPictures.GRID_IMAGES;
    double last = FORWARD * image * sampleSteps * Integer.parseInt(Defaults.SAMPLE_COUNT);
    double measured = evaluation.seconds(image);
    double end = last + measured;
    long steps = (long) (SHARE * (left - end) / step);
    // How often there is a report and a grid depends on the number of steps itself.
    for (int round = 0; round < ROUNDS; round++) {
      double report = FORWARD * image * validationImages / TrainingDefaults.reportEvery(steps);
      double grids = grid / TrainingDefaults.sampleEvery(steps);
      double distances = measured / evaluation.every();
      steps = (long) (SHARE * (left - end) / (step + report + grids + distances));
    }
    long millis = Math.round(1000 * Math.max(left - last, step));
    return new TrainingPlan(Math.max(steps, LEAST_STEPS), Duration.ofMillis(millis));
  }

  /** A time in words. */
  static String minutes(double minutes) {
    if (minutes == 1) {
      return "a minute";
    }
    return Text.format(minutes == Math.rint(minutes) ? "%.0f minutes" : "%.2f minutes", minutes);
  }
}

package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingPlanTest {

  @TempDir private Path folder;

  /** The whole training is gone through, event by event. */
  @ParameterizedTest
  @CsvSource({
    "540, 0.1, 32, 50, 64, 0, 0",
    "60, 0.1, 32, 50, 64, 0, 0",
    "3600, 0.8, 64, 50, 64, 0, 0",
    "540, 0.0008, 128, 50, 64, 0, 0",
    "30, 0.01, 8, 2, 0, 0, 0",
    "540, 0.1, 32, 50, 64, 250, 3",
    "3600, 0.8, 64, 20, 64, 1000, 0.1",
    "60, 0.01, 32, 20, 0, 100, 0"
  })
  void theTimeIsUsedAndNotExceeded(
      double left,
      double step,
      int batchSize,
      int sampleSteps,
      int validationImages,
      long every,
      double seconds) {
    TrainingPlan.Evaluation evaluation =
        every == 0
            ? TrainingPlan.Evaluation.NONE
            : new TrainingPlan.Evaluation(every, 200, 20, seconds);
    TrainingPlan plan =
        TrainingPlan.of(left, step, batchSize, sampleSteps, validationImages, evaluation);
    double forward = step / batchSize / 3;
    double time = 64 * sampleSteps * forward;
    assertThat(plan.limit().toMillis() / 1e3 + time).isBetween(left - 0.01, left + 0.01);
    for (long done = 1; done <= plan.steps(); done++) {
      time += step;
      if (done % TrainingDefaults.reportEvery(plan.steps()) == 0) {
        time += validationImages * forward;
      }
      if (done % TrainingDefaults.sampleEvery(plan.steps()) == 0) {
        time += 16 * sampleSteps * forward;
      }
      if (every > 0 && (done % every == 0 || done == plan.steps())) {
        time += 200 * 20 * forward + seconds;
      }
    }
    assertThat(time).isBetween(0.9 * left, left);
  }

  @ParameterizedTest
  @CsvSource({"1, a minute", "9, 9 minutes", "0.05, 0.05 minutes", "1.5, 1.50 minutes"})
  void timesAreSaidInWords(double minutes, String words) {
    assertThat(TrainingPlan.minutes(minutes)).isEqualTo(words);
  }

  @Test
  void aMachineThatIsTooSlowTrainsAllTheSame() {
    TrainingPlan plan = TrainingPlan.of(1, 10, 32, 50, 64, TrainingPlan.Evaluation.NONE);
    assertThat(plan.steps()).isEqualTo(20);
    assertThat(plan.limit()).hasSeconds(10);
  }

  @Test
  void aRunOfMinutesHasItsStepsAndWhatDependsOnThem() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Object[] training = Cli.tinyTraining(data, run, 1);
    // In place of the number of steps.
    training[5] = "--minutes";
    training[6] = "0.05";
    Cli.Result result = Cli.run(training).isOk();
    assertThat(result.err())
        .contains("train: measuring this machine")
        .containsPattern(
            "train: there is time for \\d+ steps? in 0\\.05 minutes here, at \\d+\\.\\d a second");
    assertThat(run.resolve("samples.png")).exists();
    assertThat(Files.readString(run.resolve("config.json"))).doesNotContain("10000000");
  }

  @Test
  void aRunThatGoesOnKeepsItsPlan() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Object[] training = Cli.tinyTraining(data, run, 1, "--time-limit", 1e-7);
    training[5] = "--minutes";
    training[6] = "0.05";
    Cli.run(training);
    String planned = Files.readString(run.resolve("config.json"));
    Cli.Result resumed = Cli.run("train", "--resume", run, "--data", data).isOk();
    assertThat(resumed.err()).contains("going on from step 1 of").doesNotContain("measuring");
    assertThat(Files.readString(run.resolve("config.json"))).isEqualTo(planned);
  }

  @Test
  void minutesAndStepsExcludeEachOther() {
    Cli.run("train", "--minutes", 3, "--steps", 5)
        .isBadInput("The option '--minutes' does not go with '--steps'");
    Cli.run("train", "--minutes", 0)
        .isBadInput("--minutes is 0.0; it must be above 0 and at most 527040.");
  }
}

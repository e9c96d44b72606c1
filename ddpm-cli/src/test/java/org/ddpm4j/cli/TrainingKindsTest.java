package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Distillation, self-conditioning, several averages: from training to pictures and pipelines. */
class TrainingKindsTest {

  @TempDir private static Path shared;
  private static Path data;

  @TempDir private Path folder;

  @BeforeAll
  static void writeImages() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
  }

  private Path train(String name, Object... options) {
    Path run = folder.resolve(name);
    Cli.run(Cli.tinyTraining(data, run, 3, options)).isOk();
    return run;
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  private static JsonNode config(Path run) throws IOException {
    return json(run.resolve("config.json"));
  }

  private byte[] sample(Path run, Object... options) throws IOException {
    Path picture = folder.resolve("samples.png");
    Cli.run(
            Stream.concat(
                    Stream.of("sample", "--run", run, "--count", 2, "--output", picture),
                    Arrays.stream(options))
                .toArray())
        .isOk();
    return Files.readAllBytes(picture);
  }

  /** What belongs together is set by one word. */
  @ParameterizedTest
  @CsvSource({"--objective, flow, uniform", "--preconditioning, edm, log-normal"})
  void oneWordSetsWhatBelongsTogether(String option, String name, String timesteps)
      throws IOException {
    Path run = train("run", option, name);
    assertThat(config(run).at("/schedule/type").asText()).isEqualTo(name);
    assertThat(config(run).at("/training/objective/parameterization").asText()).isEqualTo(name);
    assertThat(config(run).at("/training/objective/timesteps").asText()).isEqualTo(timesteps);
    Path other = train("other", option, name, "--schedule", "cosine", "--schedule-shift", 2);
    assertThat(config(other).at("/schedule/type").asText()).isEqualTo("cosine");
    assertThat(config(other).at("/schedule/shift").asDouble()).isEqualTo(2);
    assertThat(Cli.run("info", other).isOk().out()).contains("shift 2.0");
  }

  @Test
  void churnAddsNoiseToHeunsMethod() throws IOException {
    Path run = train("run", "--preconditioning", "edm");
    byte[] without = sample(run, "--sampler", "heun", "--karras", "--steps", 4);
    Object[] much = {"--sampler", "heun", "--karras", "--steps", 4, "--churn", 2};
    byte[] with = sample(run, much);
    assertThat(with).isNotEqualTo(without).isEqualTo(sample(run, much));
    assertThat(sample(run, "--sampler", "heun", "--karras", "--steps", 4, "--churn", 0))
        .isEqualTo(without);
    Cli.run("sample", "--run", run, "--churn", 1)
        .isBadInput("dpm++ does not take churn; heun does");
  }

  @Test
  void everyAverageCanBeDrawnWith() throws IOException {
    Path run = train("run", "--ema-decay", "0.5,0.05", "--offset-noise", "0.1");
    assertThat(config(run).at("/training/ema_decay").asDouble()).isEqualTo(0.5);
    assertThat(config(run).at("/training/further_ema_decays").toString()).isEqualTo("[0.05]");
    assertThat(config(run).at("/training/objective/offset_noise").asDouble()).isEqualTo(0.1);
    byte[] usual = sample(run, "--steps", 2);
    assertThat(sample(run, "--steps", 2, "--ema", "0.5")).isEqualTo(usual);
    assertThat(sample(run, "--steps", 2, "--ema", "0.05")).isNotEqualTo(usual);
    Cli.run("sample", "--run", run, "--ema", "0.7")
        .isBadInput("no moving average of decay 0.7; it has [0.05, 0.5]");
    Cli.run("sample", "--run", run, "--ema", "0.5", "--weights", "model")
        .isBadInput("'--ema' does not go with '--weights'");
  }

  @Test
  void aNetworkThatConditionsOnItselfTrainsAndDraws() throws IOException {
    Path run = train("run", "--self-conditioning", "--class-conditional");
    assertThat(config(run).at("/model/channels").asInt()).isEqualTo(2);
    assertThat(config(run).at("/data/shape/channels").asInt()).isEqualTo(1);
    byte[] plain = sample(run, "--steps", 3, "--class", "Bag");
    assertThat(sample(run, "--steps", 3, "--class", "Bag", "--guidance", 2)).isNotEqualTo(plain);
    assertThat(sample(run, "--steps", 3, "--class", "Bag")).isEqualTo(plain);
    Cli.run("train", "--resume", run, "--data", data, "--steps", 5).isOk();
  }

  /** The teacher goes along, so that the run can go on when its own folder is gone. */
  @Test
  void aConsistencyModelIsDistilledDrawnAndExported() throws IOException {
    Path teacher =
        train("teacher", "--objective", "edm", "--class-conditional", "--label-dropout", "0.1");
    Path run = folder.resolve("student");
    Object[] distill = {
      "train",
      "--data",
      data,
      "--run",
      run,
      "--steps",
      3,
      "--batch-size",
      4,
      "--offline",
      "--validation-images",
      4,
      "--distill",
      teacher,
      "--class-conditional"
    };
    Cli.run(distill).isOk();
    assertThat(config(run).at("/training/objective/parameterization").asText())
        .isEqualTo("consistency");
    assertThat(config(run).at("/training/objective/distillation/solver").asText())
        .isEqualTo("heun");
    assertThat(config(run).at("/schedule").toString())
        .isEqualTo("{\"type\":\"edm\",\"timesteps\":18}");
    byte[] one = sample(run, "--steps", 1);
    assertThat(sample(run)).isNotEqualTo(one);
    assertThat(sample(run, "--steps", 2, "--sampler", "consistency")).isEqualTo(sample(run));

    FolderContent.delete(teacher);
    Cli.run("train", "--resume", run, "--data", data, "--steps", 4).isOk();
    FolderContent.delete(run.resolve("teacher"));
    Cli.run("train", "--resume", run, "--data", data, "--steps", 5)
        .isBadInputAtEnd("teacher is not the folder of a run");
  }

  @Test
  void aDistilledUNet2DModelGoesToDiffusers() throws IOException {
    Path teacher = folder.resolve("teacher");
    Cli.run(
            "train",
            "--data",
            data,
            "--run",
            teacher,
            "--steps",
            2,
            "--batch-size",
            4,
            "--offline",
            "--validation-images",
            0,
            "--network",
            "unet2d",
            "--dim",
            8,
            "--dim-mults",
            "1,2",
            "--groups",
            4,
            "--timesteps",
            6,
            "--sample-steps",
            2)
        .isOk();
    Path run = folder.resolve("student");
    Cli.run(
            "train",
            "--data",
            data,
            "--run",
            run,
            "--steps",
            2,
            "--batch-size",
            4,
            "--offline",
            "--validation-images",
            0,
            "--distill",
            teacher,
            "--distill-solver",
            "euler",
            "--timesteps",
            10,
            "--loss",
            "l1")
        .isOk();
    Path pipeline = folder.resolve("pipeline");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--output", pipeline).isOk();
    assertThat(json(pipeline.resolve("model_index.json")).get("_class_name").asText())
        .isEqualTo("ConsistencyModelPipeline");
    JsonNode scheduler = json(pipeline.resolve("scheduler/scheduler_config.json"));
    assertThat(scheduler.get("_class_name").asText()).isEqualTo("CMStochasticIterativeScheduler");
    assertThat(scheduler.get("num_train_timesteps").asInt()).isEqualTo(10);
    Path drawn = folder.resolve("drawn.png");
    Cli.run("sample", "--model", pipeline, "--count", 2, "--steps", 2, "--output", drawn).isOk();
    assertThat(Files.readAllBytes(drawn)).isEqualTo(sample(run, "--steps", 2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--distill bundled --from bundled | '--distill' does not go with '--from'",
        "--distill bundled --objective v | '--parameterization' does not go with '--distill'",
        "--distill bundled --loss huber --class-conditional | by the loss l1 or l2",
        "--distill bundled | The teacher was told classes; give --class-conditional",
        "--distill bundled --class-conditional --target-decay 1 | it must be in [0,1)",
        "--target-decay 0.5 | '--target-decay' goes with '--distill', which is missing",
        "--network tutorial --self-conditioning | goes with '--network annotated'",
        "--self-conditioning --loss-terms hybrid | '--self-conditioning' does not go with '--loss-terms hybrid'",
        "--ema-decay 0.9,0.9 | each decay can be given once",
        "--offset-noise -1 | The offset noise is -1.0; it must be at least 0",
        "--schedule-shift 0 | it must be positive and finite"
      })
  void whatDoesNotFitIsRefused(String options, String message) {
    Object[] args =
        Stream.concat(
                Stream.of("train", "--data", data, "--run", folder.resolve("run"), "--steps", 1),
                Arrays.stream(options.split(" ")))
            .toArray();
    Cli.run(args).isBadInput(message);
    assertThat(folder.resolve("run")).doesNotExist();
  }
}

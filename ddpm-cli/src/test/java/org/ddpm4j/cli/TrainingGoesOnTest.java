package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Finished runs that are extended, and runs that begin with a trained network. */
class TrainingGoesOnTest {

  private static final String EMA = "ema.";
  private static final String BEGIN = "checkpoints/step-0000000.safetensors";

  /** What a run that begins with a network may be told of the network is nothing. */
  private static final List<String> BRIEF =
      List.of(
          "--offline",
          "--batch-size",
          "4",
          "--validation-images",
          "4",
          "--report-every",
          "2",
          "--sample-steps",
          "2");

  @TempDir private static Path shared;
  private static Path data;
  private static Path trained;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    trained = shared.resolve("trained");
    Cli.run(Cli.tinyTraining(data, trained, 4, "--decay", "constant", "--schedule", "cosine"))
        .isOk();
  }

  private static Cli.Result from(Object source, Path run, Object... more) {
    return Cli.run(
        Stream.of(
                Stream.of("train", "--from", source, "--run", run, "--steps", 1),
                BRIEF.stream(),
                Stream.of(more))
            .flatMap(part -> part)
            .toArray());
  }

  private static JsonNode config(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("config.json").toFile());
  }

  private static INDArray tensor(Path file, String name) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      return reader.tensor(name);
    }
  }

  /** All weights that a run began with are the average of the other, whatever it then learned. */
  private static void assertBeganWith(Path run, Path weights, String prefix) throws IOException {
    try (SafetensorsReader began = SafetensorsReader.open(run.resolve(BEGIN));
        SafetensorsReader source = SafetensorsReader.open(weights)) {
      int compared = 0;
      for (String name : began.names()) {
        if (name.startsWith("model.") && !name.contains("class_emb")) {
          assertThat(began.tensor(name))
              .as(name)
              .isEqualTo(source.tensor(prefix + name.substring("model.".length())));
          compared++;
        }
      }
      assertThat(compared).isGreaterThan(20);
    }
  }

  /** As on a full disk: a folder with something in it does not make room for a file. */
  @Test
  void aTrainingGoesOnWhereItsProgressCannotBeWritten() throws IOException {
    Path hindered = folder.resolve("hindered");
    Path whole = folder.resolve("whole");
    Cli.run(Cli.tinyTraining(data, hindered, 2, "--decay", "constant")).isOk();
    Cli.run(Cli.tinyTraining(data, whole, 4, "--decay", "constant")).isOk();
    Files.delete(hindered.resolve("progress.json"));
    Files.createDirectories(hindered.resolve("progress.json/folder"));

    Cli.Result result = Cli.run("train", "--resume", hindered, "--data", data, "--steps", 4);

    assertThat(result.isOk().err())
        .containsOnlyOnce(hindered.resolve("progress.json") + " could not be written because")
        .contains("The training goes on");
    for (String file :
        List.of("checkpoints/step-0000004.safetensors", "loss.csv", "samples.png", "loss.png")) {
      assertThat(hindered.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
  }

  @Test
  void anExtendedRunIsTheOneThatWasAsLongFromTheBeginning() throws IOException {
    Path extended = folder.resolve("extended");
    Path whole = folder.resolve("whole");
    Object[] options = {"--decay", "constant", "--checkpoint-every", 2, "--sample-every", 2};
    Cli.run(Cli.tinyTraining(data, extended, 4, options)).isOk();
    Cli.run(Cli.tinyTraining(data, whole, 8, options)).isOk();
    Cli.Result result = Cli.run("train", "--resume", extended, "--data", data, "--steps", 8);
    assertThat(result.isOk().err()).contains("going on from step 4 of 8");
    for (String file :
        List.of(
            "checkpoints/step-0000006.safetensors",
            "checkpoints/step-0000008.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "samples/step-0000004.png",
            "samples/step-0000006.png",
            "samples.png",
            "loss.csv",
            "loss.png")) {
      assertThat(extended.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
    assertThat(config(extended).at("/training/steps").intValue()).isEqualTo(8);
    assertThat(config(extended).at("/earlier_steps").toString()).isEqualTo("[4]");
    assertThat(Files.readString(extended.resolve("report.html"))).contains("Step 8 of 8");
    // Once more, without a number: nothing is left to do.
    Cli.run("train", "--resume", extended, "--data", data).isOk();
    assertThat(config(extended).at("/earlier_steps").toString()).isEqualTo("[4]");
    Cli.run("train", "--resume", extended, "--data", data, "--steps", 7)
        .isBadInputAtEnd("has done 8 steps already", "--steps 8 or more");
    assertThat(config(extended).at("/training/steps").intValue()).isEqualTo(8);
  }

  @Test
  void whatAnotherEndDoesToTheLearningRateIsSaid() {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    assertThat(
            Cli.run("train", "--resume", run, "--data", data, "--steps", 1)
                .isBadInput("has done 2 steps already, which 1 would undo")
                .err())
        .doesNotContain("learning rate");
    assertThat(
            Cli.run("train", "--resume", run, "--data", data, "--steps", 1, "--dry-run")
                .isOk()
                .err())
        .contains("end, step 1, and so goes on lower than");
    assertThat(
            Cli.run("train", "--resume", run, "--data", data, "--steps", 4, "--dry-run")
                .isOk()
                .err())
        .contains("falls to the new end, step 4, and so goes on higher than");
    assertThat(
            Cli.run("train", "--resume", trained, "--data", data, "--steps", 9, "--dry-run")
                .isOk()
                .err())
        .doesNotContain("learning rate");
  }

  @Test
  void aRunBeginsWithTheAverageOfAnother() throws IOException {
    Path run = folder.resolve("run");
    Cli.Result result = from(trained, run, "--data", data);
    assertThat(result.isOk().err()).contains("beginning with the network of " + trained);
    assertBeganWith(run, trained.resolve("checkpoints/step-0000004.safetensors"), EMA);
    // What the network is and was trained for is its own; everything else is as given.
    assertThat(config(run).at("/model")).isEqualTo(config(trained).at("/model"));
    assertThat(config(run).at("/schedule")).isEqualTo(config(trained).at("/schedule"));
    assertThat(config(run).at("/training/learning_rate/decay").asText()).isEqualTo("LINEAR");
    assertThat(config(run).at("/initial_weights/source").asText()).isEqualTo(trained.toString());
    INDArray learned = tensor(run.resolve("checkpoints/step-0000001.safetensors"), "step");
    assertThat(learned.getInt(0)).isEqualTo(1);
    // Killed before its first checkpoint of a step, and the other run gone: nothing is lost.
    Path last = run.resolve("checkpoints/step-0000001.safetensors");
    Path killed = folder.resolve("killed");
    FolderContent.copy(run, killed);
    Files.delete(killed.resolve("checkpoints/step-0000001.safetensors"));
    Cli.run("train", "--resume", killed, "--data", data).isOk();
    assertThat(killed.resolve("checkpoints/step-0000001.safetensors")).hasSameBinaryContentAs(last);
  }

  @Test
  void optionsAreStrongerThanWhatTheNetworkKnows() throws IOException {
    Path run = folder.resolve("run");
    from(
            trained,
            run,
            "--data",
            data,
            "--schedule",
            "linear",
            "--timesteps",
            9,
            "--parameterization",
            "v",
            "--dry-run")
        .isOk();
    JsonNode said =
        new ObjectMapper()
            .readTree(
                from(
                        trained,
                        run,
                        "--data",
                        data,
                        "--schedule",
                        "linear",
                        "--timesteps",
                        9,
                        "--parameterization",
                        "v",
                        "--dry-run")
                    .out());
    assertThat(said.at("/schedule/timesteps").intValue()).isEqualTo(9);
    assertThat(said.at("/training/objective/parameterization").asText()).isEqualTo("v");
    assertThat(run).doesNotExist();
  }

  /** From no classes to ten, in another size: the first prediction is still the old network's. */
  @Test
  void classesAndSizeMayBeOthers() throws IOException {
    Path run = folder.resolve("run");
    Cli.Result result =
        from(trained, run, "--data", data, "--class-conditional", "--image-size", 12);
    assertThat(result.isOk().err()).contains("classes that it does not know: T-shirt/top, ");
    assertBeganWith(run, trained.resolve("checkpoints/step-0000004.safetensors"), EMA);
    INDArray table = tensor(run.resolve(BEGIN), "model.class_embedding.weight");
    assertThat(table.shape()).containsExactly(11, 16);
    assertThat(table.amaxNumber().doubleValue()).isZero();
    assertThat(config(run).at("/data/shape/height").intValue()).isEqualTo(12);

    Path fewer = folder.resolve("fewer");
    Path photos = PictureFixture.folder(folder.resolve("photos"), 6);
    Files.move(photos.resolve("red"), photos.resolve("Bag"));
    from(
            run,
            fewer,
            "--dataset",
            "folder",
            "--data",
            photos,
            "--grayscale",
            "--image-size",
            8,
            "--class-conditional")
        .isOk();
    INDArray mapped = tensor(fewer.resolve(BEGIN), "model.class_embedding.weight");
    INDArray source =
        tensor(run.resolve("checkpoints/step-0000001.safetensors"), EMA + "class_embedding.weight");
    // Bag is class 0 here and 8 there; blue is new and begins as none, which is last in both.
    assertThat(mapped.getRow(0)).isEqualTo(source.getRow(8));
    assertThat(mapped.getRow(1)).isEqualTo(source.getRow(10));
    assertThat(mapped.getRow(2)).isEqualTo(source.getRow(10));
    Path none = folder.resolve("none");
    assertThat(from(run, none, "--data", data).isOk().err()).contains("its classes are left out");
    assertThat(config(none).at("/model/num_class_embeds").isMissingNode()).isTrue();
  }

  @Test
  void aPipelineAndANetworksFolderWillDo() throws IOException {
    Path first = folder.resolve("first");
    Cli.run(
            "train",
            "--data",
            data,
            "--run",
            first,
            "--steps",
            1,
            "--offline",
            "--network",
            "unet2d",
            "--dim",
            4,
            "--dim-mults",
            "1,2",
            "--groups",
            2,
            "--timesteps",
            6,
            "--batch-size",
            4,
            "--validation-images",
            0,
            "--sample-steps",
            2,
            "--parameterization",
            "v")
        .isOk();
    Path pipeline = folder.resolve("pipeline");
    Cli.run("convert", "--run", first, "--to", "diffusers", "--output", pipeline).isOk();
    Path run = folder.resolve("run");
    from(pipeline, run, "--data", data).isOk();
    assertBeganWith(run, pipeline.resolve("unet/diffusion_pytorch_model.safetensors"), "");
    assertThat(config(run).at("/training/objective/parameterization").asText()).isEqualTo("v");
    assertThat(config(run).at("/schedule/timesteps").intValue()).isEqualTo(6);

    Path network = folder.resolve("network");
    // In any layout that weights have: here the one file that is there.
    Path source = Files.createDirectory(folder.resolve("source"));
    Files.copy(trained.resolve("unet/config.json"), source.resolve("config.json"));
    Files.copy(
        trained.resolve("unet/diffusion_pytorch_model.safetensors"), source.resolve("last.ckpt"));
    from(source, network, "--data", data, "--timesteps", 6).isOk();
    assertBeganWith(network, trained.resolve("unet/diffusion_pytorch_model.safetensors"), "");
    assertThat(config(network).at("/schedule/type").asText()).isEqualToIgnoringCase("linear");
  }

  @Test
  void theModelThatComesAlongWillDo() throws IOException {
    Path clothes = IdxFixture.write(folder.resolve("clothes"), 4, 28, 5);
    Path run = folder.resolve("run");
    from("bundled", run, "--data", clothes).isOk();
    assertBeganWith(
        run,
        Path.of("..", "models", "fashion-mnist", "unet", "diffusion_pytorch_model.safetensors"),
        "");
  }

  @ParameterizedTest
  @CsvSource({
    "--dim, 8, '''--dim'' does not go with ''--from'''",
    "--network, tutorial, '''--network'' does not go with ''--from'''",
    "--loss-terms, hybrid, has not learned a variance",
  })
  void whatTheNetworkCannotBeIsRefused(String option, String value, String part) {
    from(trained, folder.resolve("run"), "--data", data, option, value).isBadInput(part);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void imagesAndFoldersThatDoNotFitAreRefused() throws IOException {
    Path run = folder.resolve("run");
    Path photos = PictureFixture.folder(shared.resolve("photos"), 6);
    from(trained, run, "--dataset", "folder", "--data", photos, "--image-size", 8)
        .isBadInput("takes images of 1 channel", "have 3", "--grayscale");
    from(data, run, "--data", data).isBadInput(data.toString(), "no trained network", "bundled");
    from(folder.resolve("none"), run, "--data", data).isBadInput("none", "no trained network");
    Cli.run("train", "--resume", trained, "--from", trained).isBadInput("'--from'", "'--resume'");
    assertThat(run).doesNotExist();
  }
}

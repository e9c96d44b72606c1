package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.io.FolderLock;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainCommandTest {

  private static final int STEPS = 8;

  @TempDir private static Path shared;
  private static Path data;
  private static Path trained;
  private static Cli.Result training;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    trained = shared.resolve("run <1>");
    training =
        Cli.run(
            Cli.tinyTraining(data, trained, STEPS, "--sample-every", 4, "--checkpoint-every", 4));
  }

  @Test
  void leavesACompleteRun() throws Exception {
    assertThat(training.isOk().out()).isEqualTo(trained + "\n" + trained.resolve("report.html\n"));
    assertThat(training.err()).startsWith("train: Fashion-MNIST training images from the folder ");
    assertThat(names(trained))
        .containsExactlyInAnyOrder(
            "config.json",
            "checkpoints",
            "samples",
            "samples.png",
            "training-images.png",
            "unet",
            "loss.csv",
            "loss.png",
            "time.csv",
            "progress.json",
            "report.html");
    assertThat(names(trained.resolve("checkpoints")))
        .containsExactlyInAnyOrder("step-0000004.safetensors", "step-0000008.safetensors");
    assertThat(names(trained.resolve("samples")))
        .containsExactlyInAnyOrder("step-0000004.png", "step-0000008.png");
    assertThat(names(trained.resolve("unet")))
        .containsExactlyInAnyOrder("config.json", "diffusion_pytorch_model.safetensors");
    // 64 images of 8 by 8 pixels, three times enlarged, with lines between them.
    assertThat(ImageIO.read(trained.resolve("samples.png").toFile()).getWidth())
        .isEqualTo(8 * (8 * 3 + 1) + 1);
    assertThat(ImageIO.read(trained.resolve("loss.png").toFile())).isNotNull();
  }

  @Test
  void lossTableHasALineForEachReport() throws IOException {
    List<String> lines = Files.readAllLines(trained.resolve("loss.csv"));
    assertThat(lines.get(0)).isEqualTo("step,loss,validation_loss,learning_rate,gradient_norm");
    assertThat(lines.subList(1, lines.size()))
        .extracting(line -> line.split(",")[0])
        .containsExactly("2", "4", "6", "8");
    assertThat(lines.get(4).split(",")).hasSize(5).doesNotContain("NaN");
  }

  @Test
  void reportIsOneWellFormedPage() throws Exception {
    String html = Files.readString(trained.resolve("report.html"));
    assertThat(html)
        .startsWith("<!DOCTYPE html>\n<html lang=\"en\">")
        .contains("Step 8 of 8", "'" + shared + "/run &lt;1&gt;'", "data:image/png;base64,")
        .doesNotContain("src=\"http", "href=", "<1>");
    // Samples, training images, loss and two grids.
    assertThat(html.split("<img ", -1)).hasSize(6);
    assertThat(html)
        .containsPattern("Time</th><td>0:0\\d:\\d\\d, pictures included")
        .containsPattern("Speed</th><td>[1-9]\\d* images a second")
        .containsPattern("Machine</th><td>[^<]+, \\d+ threads, float32<")
        .contains("U-Net of ResNet blocks, normalised in 2 groups; widths 4, 8; ")
        .doesNotContain("AnnotatedUnet[");
    assertThat(HtmlNesting.problems(html)).isEmpty();
  }

  @Test
  void resumingContinuesBitForBit() throws IOException {
    Path stopped = folder.resolve("run");
    Cli.run(
            Cli.tinyTraining(
                data,
                stopped,
                STEPS,
                "--sample-every",
                4,
                "--checkpoint-every",
                4,
                "--time-limit",
                "0.0000001"))
        .isOk();
    assertThat(names(stopped.resolve("checkpoints"))).containsExactly("step-0000001.safetensors");
    assertThat(stopped.resolve("samples.png")).exists();

    Cli.Result resumed = Cli.run("train", "--resume", stopped, "--data", data, "--sample-steps", 2);
    assertThat(resumed.isOk().err()).contains("from step 1 of 8");
    for (String file :
        List.of(
            "checkpoints/step-0000008.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "loss.csv",
            "samples.png")) {
      assertThat(stopped.resolve(file)).hasSameBinaryContentAs(trained.resolve(file));
    }
  }

  /** Two batches of four a step, resumed from its middle, against one that went through. */
  @Test
  void batchesAreAccumulatedAndResumed() throws IOException {
    Path whole = folder.resolve("whole");
    Path stopped = folder.resolve("stopped");
    Object[] options = {"--accumulate", 2, "--sample-every", 9, "--checkpoint-every", 1};
    Cli.run(Cli.tinyTraining(data, whole, 3, options)).isOk();
    assertThat(Files.readString(whole.resolve("report.html"))).contains("batches of 8,");
    JsonNode config = new ObjectMapper().readTree(whole.resolve("config.json").toFile());
    assertThat(config.at("/training/accumulate").intValue()).isEqualTo(2);

    Cli.run(
            Cli.tinyTraining(
                data,
                stopped,
                3,
                Stream.concat(Arrays.stream(options), Stream.of("--time-limit", "0.0000001"))
                    .toArray()))
        .isOk();
    assertThat(names(stopped.resolve("checkpoints"))).containsExactly("step-0000001.safetensors");
    Cli.run("train", "--resume", stopped, "--data", data, "--sample-steps", 2).isOk();
    String last = "checkpoints/step-0000003.safetensors";
    assertThat(stopped.resolve(last)).hasSameBinaryContentAs(whole.resolve(last));
  }

  @Test
  void theTimeLimitIsSaid() {
    Cli.Result result =
        Cli.run(Cli.tinyTraining(data, folder.resolve("run"), STEPS, "--time-limit", "0.0000001"));
    assertThat(result.isOk().err()).contains("time limit", "step 1 of 8", "--resume");
  }

  @Test
  void resumingAFinishedRunChangesNothing() throws IOException {
    byte[] before = Files.readAllBytes(trained.resolve("samples.png"));
    Cli.run("train", "--resume", trained, "--data", data, "--sample-steps", 2).isOk();
    assertThat(trained.resolve("samples.png")).hasBinaryContent(before);
  }

  @Test
  void dryRunPrintsTheConfigurationAndDoesNothing() throws IOException {
    Path run = folder.resolve("run");
    Cli.Result result =
        Cli.run(Cli.tinyTraining(data, run, 5, "--dry-run", "--seed", 3, "--loss", "huber"));
    JsonNode json = new ObjectMapper().readTree(result.isOk().out());
    assertThat(json.at("/training/steps").intValue()).isEqualTo(5);
    assertThat(json.at("/training/seed").intValue()).isEqualTo(3);
    assertThat(json.at("/model/dim").intValue()).isEqualTo(4);
    assertThat(json.at("/data/training_images").intValue()).isEqualTo(12);
    assertThat(json.at("/data/fingerprint").textValue()).hasSize(64);
    assertThat(run).doesNotExist();
  }

  @Test
  void howTheMachineComputesIsNoPartOfTheRun() {
    Path run = folder.resolve("run");
    String usual = Cli.run(Cli.tinyTraining(data, run, 5, "--dry-run")).isOk().out();
    assertThat(
            Cli.run(Cli.tinyTraining(data, run, 5, "--dry-run", "--layers", "reference"))
                .isOk()
                .out())
        .isEqualTo(usual);
    assertThat(Cli.run(Cli.tinyTraining(data, run, 5, "--dry-run", "--threads", 3)).isOk().out())
        .isEqualTo(usual);
  }

  @Test
  void theNumberOfThreadsChangesNoBit() throws IOException {
    Path run = folder.resolve("run");
    Cli.run(
            Cli.tinyTraining(
                data,
                run,
                STEPS,
                "--sample-every",
                4,
                "--checkpoint-every",
                4,
                "--layers",
                "fused",
                "--threads",
                3))
        .isOk();
    assertThat(run.resolve("loss.csv")).hasSameBinaryContentAs(trained.resolve("loss.csv"));
    assertThat(run.resolve("samples.png")).hasSameBinaryContentAs(trained.resolve("samples.png"));
  }

  @Test
  void referenceLayersLearnTheSame() throws IOException {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, STEPS, "--layers", "reference")).isOk();
    assertThat(lastLoss(run)).isCloseTo(lastLoss(trained), withinPercentage(0.1));
    // Other operations round otherwise: that it ran the reference.
    assertThat(run.resolve("checkpoints/step-0000008.safetensors").toFile())
        .satisfies(
            file ->
                assertThat(
                        Files.mismatch(
                            file.toPath(), trained.resolve("checkpoints/step-0000008.safetensors")))
                    .isNotNegative());
    Cli.run("train", "--resume", run, "--data", data, "--sample-steps", 2, "--layers", "fused")
        .isOk();
  }

  private static double lastLoss(Path run) throws IOException {
    List<String> lines = Files.readAllLines(run.resolve("loss.csv"));
    return Double.parseDouble(lines.get(lines.size() - 1).split(",")[1]);
  }

  @Test
  void whatCannotComputeIsRefusedBeforeAnythingIsWritten() {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2, "--layers", "reference", "--threads", 2))
        .isBadInput("reference layers", "--threads", "OMP_NUM_THREADS");
    Cli.run(Cli.tinyTraining(data, run, 2, "--layers", "reference", "--precision", "bfloat16"))
        .isBadInput("reference layers", "bfloat16", "fused");
    assertThat(run).doesNotExist();
  }

  @Test
  void aRunIsNeverOverwritten() {
    Cli.run(Cli.tinyTraining(data, trained, STEPS))
        .isBadInput("run <1>", "not empty", "--resume " + trained);
  }

  /** Noise so large that the loss of the first step is infinite. */
  private Object[] divergingAtOnce(Path run) {
    return Cli.tinyTraining(data, run, 2, "--offset-noise", "1e30");
  }

  @Test
  void aTrainingThatFailsBeforeItsFirstStepLeavesNoFolder() throws IOException {
    Path run = folder.resolve("runs").resolve("mine");
    Cli.run(divergingAtOnce(run)).isBadInputAtEnd("step 1", "the offset noise is 1.0E30");
    assertThat(folder.resolve("runs")).doesNotExist();

    Path own = Files.createDirectory(folder.resolve("own"));
    Cli.run(divergingAtOnce(own)).isBadInputAtEnd("step 1");
    assertThat(own).isEmptyDirectory();
    // The same folder does for the next.
    Cli.run(Cli.tinyTraining(data, own, 2)).isOk();
  }

  /** Killed before there was anything in the folder, or while something was being written. */
  @Test
  void whatAKilledTrainingLeavesOfItsBeginningIsInNobodysWay() throws IOException {
    Path run = Files.createDirectory(folder.resolve("killed"));
    Files.createFile(run.resolve(".ddpm4j-lock"));
    Files.writeString(run.resolve(".ddpm4j-config.json-123.tmp"), "{");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    assertThat(names(run)).contains("config.json").noneMatch(name -> name.startsWith("."));
  }

  /** After the checkpoint that a training of another network's weights begins with. */
  @Test
  void aFolderWithoutARunIsNotSaidToGoOnFrom() throws IOException {
    Path run = Files.createDirectories(folder.resolve("half").resolve("checkpoints")).getParent();
    Cli.run(Cli.tinyTraining(data, run, 2))
        .isBadInput("half is not empty", "no config.json", "remove what is in it", "--run");
  }

  @Test
  void aRunIsTrainedByOneProcessAtATime() throws IOException {
    FolderLock other = FolderLock.tryLock(trained).orElseThrow();
    try {
      Cli.run("train", "--resume", trained, "--data", data, "--sample-steps", 2)
          .isBadInput(trained.toString(), "in use", "wait");
    } finally {
      other.close();
    }
    Cli.run("train", "--resume", trained, "--data", data, "--sample-steps", 2).isOk();
    assertThat(trained).isDirectoryNotContaining("glob:**lock");
  }

  @Test
  void resumingRefusesOtherImages() throws IOException {
    Path other = IdxFixture.write(folder.resolve("other"), 12, 8, 9);
    Cli.run("train", "--resume", trained, "--data", other).isBadInput("other images", "--data");
  }

  @ParameterizedTest
  @CsvSource({"--accumulate, 2", "--learning-rate, 1", "--dim, 8", "--run, x"})
  void resumingRefusesOtherOptions(String option, String value) {
    Cli.run("train", "--resume", trained, "--data", data, option, value)
        .isBadInput("'" + option + "'", "'--resume'");
  }

  @Test
  void resumingWhatIsNoRunIsRefused() {
    Cli.run("train", "--resume", folder).isBadInput(folder.toString(), "config.json");
  }

  @ParameterizedTest
  @CsvSource({
    "--steps, 0, steps is 0",
    "--batch-size, 0, batch size is 0",
    "--accumulate, 0, number of batches in a step is 0",
    "--batch-size, 13, only 12 images",
    "--learning-rate, -1, learning rate",
    "--learning-rate, fast, --learning-rate",
    "--beta1, 1, beta1",
    "--warmup, -1, warm-up",
    "--decay, square, constant",
    "--loss, l3, huber",
    "--ema-decay, 1, EMA",
    "--max-gradient-norm, 0, gradient norm",
    "--validation-images, -1, --validation-images",
    "--report-every, 0, report",
    "--checkpoint-every, 0, at least 1",
    "--sample-every, 0, at least 1",
    "--sample-steps, 7, 1 to 6",
    "--time-limit, -1, time limit",
    "--timesteps, 0, timesteps is 0",
    "--beta-end, 2, Beta end",
    "--dim, 5, --dim is 5",
    "--dim-mults, '1,x', --dim-mults",
    "--dim-mults, '1,2,4,8,16', multiples of 16",
    "--groups, 3, --groups is 3",
    "--attention-heads, 0, --attention-heads is 0",
    "--block, vgg, resnet",
    "--flip, vertical, random",
    "--crop, 0.6, from 0 to 0.5",
    "--color-jitter, -0.1, from 0 to 1",
    "--image-size, 0x8, width of at least 1",
    "--dataset, cifar, fashion-mnist",
    "--layers, fastest, 'auto, fused, reference'",
    "--threads, 0, --threads",
    "--threads, 2000, --threads",
    "--precision, double, 'float32, bfloat16'",
    "--nonsense, 1, --nonsense",
  })
  void badValuesAreRefusedBeforeAnythingIsWritten(String option, String value, String part) {
    Path run = folder.resolve("run");
    Cli.run(withOption(Cli.tinyTraining(data, run, STEPS), option, value)).isBadInput(part);
    assertThat(run).doesNotExist();
  }

  /** The last one counts for nobody: an option may be given once. */
  private static Object[] withOption(Object[] args, String option, String value) {
    List<Object> changed = new ArrayList<>(List.of(args));
    int position = changed.indexOf(option);
    if (position >= 0) {
      changed.set(position + 1, value);
    } else {
      changed.add(option);
      changed.add(value);
    }
    return changed.toArray();
  }

  @Test
  void missingDataIsRefused() {
    Path nowhere = folder.resolve("nowhere");
    Cli.run(Cli.tinyTraining(nowhere, folder.resolve("run"), 1)).isBadInput(nowhere.toString());
  }

  @Test
  void truncatedImagesAreRefused() throws IOException {
    Path damaged = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path images = damaged.resolve(IdxFixture.TRAIN_IMAGES);
    byte[] bytes = Files.readAllBytes(images);
    Files.write(images, Arrays.copyOf(bytes, bytes.length - 1));
    Cli.run(Cli.tinyTraining(damaged, folder.resolve("run"), 1)).isBadInput(images.toString());
  }

  @Test
  void aWrongMagicNumberIsRefused() throws IOException {
    Path damaged = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path images = damaged.resolve(IdxFixture.TRAIN_IMAGES);
    byte[] bytes = Files.readAllBytes(images);
    bytes[2] = 77;
    Files.write(images, bytes);
    Cli.run(Cli.tinyTraining(damaged, folder.resolve("run"), 1)).isBadInput(images.toString());
  }

  @Test
  void countsThatDifferAreRefused() throws IOException {
    Path damaged = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    IdxFixture.writeLabels(damaged.resolve(IdxFixture.TRAIN_LABELS), 11);
    Cli.run(Cli.tinyTraining(damaged, folder.resolve("run"), 1))
        .isBadInput(IdxFixture.TRAIN_LABELS, "11", "12");
  }

  @Test
  void imagesThatDoNotDivideAreRefused() throws IOException {
    Path odd = IdxFixture.write(folder.resolve("data"), 12, 7, 5);
    Cli.run(Cli.tinyTraining(odd, folder.resolve("run"), 1)).isBadInput("7x7", "multiples of 2");
  }

  @Test
  void aRunFolderThatIsAFileIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("run"), "mine");
    Cli.run(Cli.tinyTraining(data, file, 1)).isBadInput(file.toString(), "is a file");
    assertThat(file).hasContent("mine");
  }

  @Test
  void aTruncatedCheckpointIsRefusedAndTheOneBeforeNamed() throws IOException {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 4, "--checkpoint-every", 2)).isOk();
    Path newest = run.resolve("checkpoints/step-0000004.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    Files.write(newest, Arrays.copyOf(bytes, bytes.length / 2));
    Cli.run("train", "--resume", run, "--data", data)
        .isBadInput(newest.toString(), "step-0000002.safetensors");
  }

  @Test
  void aDamagedCheckpointIsRefused() throws IOException {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    Path newest = run.resolve("checkpoints/step-0000002.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length - 1] ^= 1;
    Files.write(newest, bytes);
    Cli.run("train", "--resume", run, "--data", data).isBadInput(newest.toString(), "CRC");
  }

  /** Finite in its first step, whose update is so large that the second is not. */
  private Object[] divergingInTheSecondStep(Path run, Object... more) {
    return Cli.tinyTraining(
        data,
        run,
        50,
        Stream.concat(
                Stream.of(
                    "--learning-rate", 1e30, "--warmup", 0, "--max-gradient-norm", "Infinity"),
                Stream.of(more))
            .toArray());
  }

  @Test
  void aDivergingTrainingSaysSo() {
    Cli.Result result = Cli.run(divergingInTheSecondStep(folder.resolve("run")));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("ddpm: Training diverged at step", "the learning rate is 1.0E30")
        .doesNotContain("\tat ");
  }

  /** "Begin anew with a lower learning rate" is what it says. */
  @Test
  void aTrainingThatDivergesBeforeAnythingIsSavedLeavesItsFolderToTheNext() throws IOException {
    Path run = folder.resolve("run");
    Cli.Result result =
        Cli.run(divergingInTheSecondStep(run))
            .isBadInputAtEnd("diverged at step 2", "begin anew with a lower learning rate");
    assertThat(result.err()).contains("nothing was saved before step 2", "run is free");
    assertThat(run).doesNotExist();
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  /** Its weights are finite, but no longer what it draws. */
  @Test
  void soDoesOneWhoseFirstPictureCannotBeDrawn() throws IOException {
    Path run = folder.resolve("run");
    Cli.run(divergingInTheSecondStep(run, "--sample-every", 1))
        .isBadInputAtEnd(
            "The network's output is NaN or infinite",
            "with the weights of training step 1",
            "lower learning rate");
    assertThat(run).doesNotExist();
  }

  /** As one that was killed before its second step. */
  @Test
  void soDoesOneThatIsResumedFromItsBeginning() throws IOException {
    Path run = Files.createDirectory(folder.resolve("run"));
    Cli.Result config =
        Cli.run(divergingInTheSecondStep(folder.resolve("dry"), "--dry-run")).isOk();
    Files.writeString(run.resolve("config.json"), config.out());
    Cli.run("train", "--resume", run, "--data", data).isBadInputAtEnd("diverged at step 2");
    assertThat(run).isEmptyDirectory();
  }

  @Test
  void aTrainingThatDivergesLaterKeepsWhatItHasSaved() throws IOException {
    Path run = folder.resolve("run");
    Cli.Result result =
        Cli.run(divergingInTheSecondStep(run, "--checkpoint-every", 1))
            .isBadInputAtEnd("diverged at step 2");
    assertThat(result.err()).contains("keeps what was saved before step 2", "--run", "--from");
    assertThat(run.resolve("checkpoints/step-0000001.safetensors")).exists();
  }

  private static List<String> names(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}

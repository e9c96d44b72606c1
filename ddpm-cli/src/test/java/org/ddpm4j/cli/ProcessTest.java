package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.factory.Nd4j;

/** The program as a process of its own, for what only a process has: exit codes and signals. */
@Tag("slow")
@EnabledOnOs({OS.LINUX, OS.MAC})
class ProcessTest {

  private static final int TERMINATED_EXIT_CODE = 128 + 15;

  @TempDir private Path folder;

  /** ND4J unpacks its natives when first used, which one of the tests leaves no room for. */
  @BeforeAll
  static void unpackNatives() {
    Nd4j.zeros(1).close();
  }

  private Path out() {
    return folder.resolve("out.txt");
  }

  private Path err() {
    return folder.resolve("err.txt");
  }

  private static List<String> java(Object... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    if (Runtime.version().feature() >= 24) {
      // As the launcher does: Java warns of ND4J's and JavaCPP's ways otherwise.
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    Arrays.stream(args).map(Object::toString).forEach(command::add);
    return command;
  }

  private Process start(List<String> command, File output) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("OMP_NUM_THREADS", "1");
    return builder.redirectOutput(output).redirectError(err().toFile()).start();
  }

  private int run(Object... args) throws Exception {
    return start(java(args), out().toFile()).waitFor();
  }

  @Test
  void librariesAreQuiet() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    assertThat(run(Cli.tinyTraining(data, run, 2))).isZero();
    assertThat(Files.readString(out())).isEqualTo(run + "\n" + run.resolve("report.html") + "\n");
    assertThat(Files.readAllLines(err()))
        .allMatch(line -> line.startsWith("train: ") || line.startsWith("sample: "));
  }

  /** Java formats numbers in the digits of the locale unless it is told otherwise. */
  @Test
  void filesAreNamedAlikeInEveryLocale() throws Exception {
    Path pictures = folder.resolve("pictures");
    List<String> command = java();
    command.addAll(1, List.of("-Duser.language=ar", "-Duser.country=EG"));
    command.addAll(
        List.of("sample", "--count", "2", "--steps", "1", "--format", "png", "--output"));
    command.add(pictures.toString());
    command.addAll(List.of("--run", Path.of("..", "models", "fashion-mnist").toString()));
    assertThat(start(command, out().toFile()).waitFor()).isZero();
    assertThat(pictures.resolve("0000.png")).isNotEmptyFile();
    assertThat(pictures.resolve("0001.png")).isNotEmptyFile();
    assertThat(Files.readString(err())).matches("\\A\\p{ASCII}*\\z");
  }

  /** In the Java options that a user has for other programs of ND4J. */
  @Test
  void theOrderOfArraysIsTheProgramsOwn() throws Exception {
    for (String order : List.of("c", "f")) {
      List<String> command = java();
      command.add(1, "-Dndarray.order=" + order);
      command.addAll(List.of("sample", "--count", "2", "--steps", "2", "--output"));
      command.add(folder.resolve(order + ".png").toString());
      command.addAll(List.of("--run", Path.of("..", "models", "fashion-mnist").toString()));
      assertThat(start(command, out().toFile()).waitFor()).as(order).isZero();
    }
    assertThat(folder.resolve("f.png")).hasSameBinaryContentAs(folder.resolve("c.png"));
  }

  @Test
  void badInputEndsInExitCodeTwo() throws Exception {
    assertThat(run("schedules", "--timesteps", 0)).isEqualTo(2);
    assertThat(Files.readAllLines(err())).hasSize(1);
    assertThat(out()).isEmptyFile();
  }

  /** As cron begins programs: Java then knows no letters beyond ASCII in names. */
  @ParameterizedTest
  @ValueSource(strings = {"info CAFE", "interpolate --run RUN --from CAFE", "-Duser.home=CAFE"})
  @EnabledOnOs(OS.LINUX)
  void aNameWhoseLettersTheLocaleDoesNotHaveIsRefusedWithWhatToDo(String words) throws Exception {
    // Bash makes the bytes, which this process may not be able to hand over either.
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                "name=$'caf\\xc3\\xa9'; export LC_ALL=C; exec \"${@//CAFE/$name}\"",
                "-"));
    List<String> program = java();
    Path run = Path.of("..", "models", "fashion-mnist");
    program.addAll(
        words.startsWith("-D") ? 1 : program.size(),
        List.of(words.replace("RUN", run.toString()).split(" ")));
    command.addAll(program);
    assertThat(start(command, out().toFile()).waitFor()).isEqualTo(2);
    assertThat(Files.readAllLines(err())).hasSize(1);
    assertThat(Files.readString(err()))
        .startsWith("ddpm: ")
        .containsPattern("'caf\uFFFD\uFFFD[^']*' cannot be read")
        .contains("\uFFFD stands for a byte that the encoding US-ASCII", "set LC_ALL=C.UTF-8")
        .doesNotContain("unmappable");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskBehindStandardOutputIsSaid() throws Exception {
    Process process = start(java("schedules"), new File("/dev/full"));
    assertThat(process.waitFor()).isEqualTo(2);
    assertThat(Files.readAllLines(err())).hasSize(1);
    assertThat(Files.readString(err()))
        .startsWith("ddpm: Standard output could not be written (No space left on device)");
  }

  /** The shell's limit on the size of files stands for a full disk: writing on is refused. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aCheckpointThatDoesNotFitOnTheDiskIsSaid() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    List<String> command = new ArrayList<>(List.of("bash", "-c", "ulimit -f 8; exec \"$@\"", "-"));
    command.addAll(java(Cli.tinyTraining(data, run, 2)));
    assertThat(start(command, out().toFile()).waitFor()).isEqualTo(2);
    assertThat(Files.readString(err()))
        .contains("ddpm: The file " + run.resolve("checkpoints"))
        .contains("could not be written")
        .doesNotContain("\tat ");
    assertThat(run.resolve("checkpoints")).isEmptyDirectory();
    assertThat(run.resolve("config.json")).isNotEmptyFile();
  }

  @Test
  void aTerminatedTrainingCanBeResumed() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Process process =
        start(
            java(Cli.tinyTraining(data, run, 1_000_000, "--checkpoint-every", 5)), out().toFile());
    Path checkpoints = run.resolve("checkpoints");
    while (process.isAlive() && !Files.isDirectory(checkpoints)) {
      Thread.sleep(50);
    }
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    List<String> lines = Files.readAllLines(err());
    assertThat(lines.get(lines.size() - 1)).contains("interrupted, saved at step", "--resume");
    assertThat(Files.readString(err())).doesNotContain("Exception");
    assertThat(run.resolve("report.html")).content().contains("Loss");
    List<String> losses = Files.readAllLines(run.resolve("loss.csv"));
    assertThat(losses).hasSizeGreaterThan(2);
    assertThat(FolderContent.of(run).keySet()).noneMatch(name -> name.startsWith("."));

    // Before it has trained a step.
    Process early = start(java("train", "--resume", run, "--data", data), out().toFile());
    while (early.isAlive() && !Files.exists(run.resolve(".ddpm4j-lock"))) {
      Thread.sleep(1);
    }
    early.destroy();
    assertThat(early.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(early.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    assertThat(Files.readString(err())).contains("interrupted, saved at step");
    assertThat(FolderContent.of(run).keySet()).noneMatch(name -> name.startsWith("."));

    Cli.run(
            "train",
            "--resume",
            run,
            "--data",
            data,
            "--sample-steps",
            2,
            "--time-limit",
            "0.0000001")
        .isOk();
    assertThat(run.resolve("report.html")).isNotEmptyFile();
  }

  @Test
  void aTerminatedSamplingOfManyFilesGoesOn() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    int count = 600;
    Path pictures = folder.resolve("pictures");
    Object[] call = {
      "sample",
      "--run",
      run,
      "--count",
      count,
      "--batch-size",
      16,
      "--format",
      "png",
      "--output",
      pictures
    };
    Process process = start(java(call), out().toFile());
    while (process.isAlive() && !Files.exists(pictures.resolve("0015.png"))) {
      Thread.sleep(10);
    }
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    assertThat(Files.readString(err()))
        .contains("interrupted; ", " of 600 images are in", "the same command goes on");
    List<String> there = List.copyOf(FolderContent.of(pictures).keySet());
    assertThat(there).hasSizeBetween(17, count).allMatch(name -> !name.startsWith("."));

    Path whole = folder.resolve("whole");
    Cli.run(call).isOk();
    call[call.length - 1] = whole;
    Cli.run(call).isOk();
    assertThat(FolderContent.of(pictures)).hasSize(count + 1).isEqualTo(FolderContent.of(whole));
  }

  /** Of which no image is ready before it can be ended. */
  private Process startLongSampling(Path output, String... more) throws IOException {
    Path model = Path.of("..", "models", "fashion-mnist");
    List<String> command =
        java("sample", "--run", model, "--count", 256, "--steps", 1000, "--output", output);
    command.addAll(List.of(more));
    return start(command, out().toFile());
  }

  @Test
  void aSamplingThatIsTerminatedBeforeItsFirstImageSpeaksOfNone() throws Exception {
    Path pictures = folder.resolve("pictures");
    Process process = startLongSampling(pictures, "--format", "png");
    while (process.isAlive() && !Files.exists(pictures.resolve("samples.json"))) {
      Thread.sleep(10);
    }
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    assertThat(Files.readString(err()))
        .contains("sample: interrupted before the first image was ready")
        .doesNotContain("images are in");
    assertThat(FolderContent.of(pictures)).containsOnlyKeys("samples.json");
  }

  @Test
  void aTerminatedSamplingLeavesNothingAndSaysNothing() throws Exception {
    Path pictures = Files.createDirectory(folder.resolve("pictures"));
    Process process = startLongSampling(pictures.resolve("samples.png"));
    while (process.isAlive() && !Files.readString(err()).contains("sample: ")) {
      Thread.sleep(50);
    }
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    assertThat(Files.readAllLines(err())).allMatch(line -> line.startsWith("sample: "));
    assertThat(out()).isEmptyFile();
    assertThat(pictures).isEmptyDirectory();
  }

  /** Java alone would end in the middle, and what was written by then stay for ever. */
  @Test
  void aTerminatedConversionLeavesAllOrNothing() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    String network = "--network unet2d --dim 16 --dim-mults 1,2 --timesteps 6 --sample-steps 2";
    String training = "--offline --steps 1 --batch-size 4 --validation-images 0 " + network;
    List<Object> train = new ArrayList<>(List.of("train", "--data", data, "--run", run));
    train.addAll(List.of(training.split(" ")));
    Cli.run(train.toArray()).isOk();
    Path model = folder.resolve("model");
    Process process =
        start(
            java("convert", "--run", run, "--to", "diffusers", "--output", model), out().toFile());
    while (process.isAlive() && !Files.isDirectory(model)) {
      Thread.onSpinWait();
    }
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(Files.readString(err())).isEmpty();
    if (Files.exists(model)) {
      assertThat(FolderContent.of(model).keySet())
          .contains("model_index.json")
          .noneMatch(name -> name.startsWith("."));
    }
  }
}

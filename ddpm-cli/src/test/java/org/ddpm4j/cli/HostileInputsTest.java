package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every command with strange files in every place where it reads one: exit code 2, one sentence,
 * and nothing of the program's inside. A build tries an eighth of the kinds in each place, in turn;
 * with {@code -Dddpm4j.hostile.all=true} all are tried in all places, which takes minutes.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "it has neither these devices nor pipes")
class HostileInputsTest {

  /** Of Java's stack traces and exceptions. */
  private static final Pattern INSIDE =
      Pattern.compile("\\tat |Exception|\\b(java|javax|com|org)(\\.[a-z0-9]+)+\\.[A-Z]");

  /** Stands for the place of the strange file, or of the folder that holds it. */
  private static final String PLACE = "{}";

  private static final List<String> OTHER_THAN_FILES =
      List.of(
          "nothing",
          "folder",
          "endless device",
          "empty device",
          "link to nowhere",
          "link to itself",
          "pipe that nobody writes to");

  /** How help names what a file is given for. */
  private static final Pattern FILE_LABEL = Pattern.compile("FILE|DIR|MODEL|PATH");

  /** What is written, or only kept: damaged features of a data set are made anew. */
  private static final Set<String> OTHER_THAN_INPUTS = Set.of("--output", "--plot", "--cache");

  /** A run to make, and what the studio shows or leaves out while it serves. */
  private static final Set<String> NOT_READ_AT_ONCE =
      Set.of("train --run", "studio --runs", "studio --images");

  private static final int SHARE = Boolean.getBoolean("ddpm4j.hostile.all") ? 1 : 8;

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;
  private static Path pipeline;
  private static Path picture;
  private static byte[] weights;

  @TempDir private Path folder;

  /** Makes a strange file. */
  private interface Strange {
    void make(Path place) throws Exception;
  }

  /**
   * Where a command reads a file.
   *
   * @param sound a folder to begin with, or null where the file stands alone
   * @param file which of its files is strange, empty where the file stands alone
   * @param command the words, with {@link #PLACE}
   */
  private record Place(Path sound, String file, List<String> command) {

    static Place alone(Object... command) {
      return new Place(null, "", words(command));
    }

    static Place in(Path sound, String file, Object... command) {
      return new Place(sound, file, words(command));
    }

    private static List<String> words(Object... command) {
      return Arrays.stream(command).map(Object::toString).toList();
    }

    @Override
    public String toString() {
      return (file.isEmpty() ? "" : file + " of ") + String.join(" ", command);
    }
  }

  @BeforeAll
  static void makeSoundOnes() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2, "--checkpoint-every", 2)).isOk();
    Path unet2d = shared.resolve("unet2d");
    Object[] training =
        Cli.tinyTraining(data, unet2d, 1, "--network", "unet2d", "--checkpoint-every", 1);
    // Heads are an option of another network.
    List<Object> fitting = new ArrayList<>(List.of(training));
    for (String option : List.of("--attention-heads", "--attention-head-dim")) {
      int at = fitting.indexOf(option);
      fitting.remove(at + 1);
      fitting.remove(at);
    }
    Cli.run(fitting.toArray()).isOk();
    pipeline = shared.resolve("pipeline");
    Cli.run("convert", "--run", unet2d, "--to", "diffusers", "--output", pipeline).isOk();
    picture = shared.resolve("picture.png");
    Cli.run("sample", "--run", run, "--count", 1, "--steps", 1, "--scale", 1, "--output", picture)
        .isOk();
    weights = Files.readAllBytes(run.resolve("unet/diffusion_pytorch_model.safetensors"));
  }

  private static Strange bytes(byte[] content) {
    return place -> Files.write(place, content);
  }

  private static Strange text(String content) {
    return bytes(content.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] withHeaderLength(long length, int following) {
    return ByteBuffer.allocate(Long.BYTES + following)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .array();
  }

  /** What people have where a file should be, and what attackers put there. */
  private static Map<String, Strange> strangeFiles() {
    byte[] noise = new byte[5000];
    new Random(1).nextBytes(noise);
    Map<String, Strange> files = new LinkedHashMap<>();
    files.put("nothing", place -> {});
    files.put("empty", bytes(new byte[0]));
    files.put("one byte", bytes(new byte[1]));
    files.put("zeros", bytes(new byte[4096]));
    files.put("noise", bytes(noise));
    files.put("cut off weights", bytes(Arrays.copyOf(weights, weights.length / 2)));
    files.put("weights cut in the header", bytes(Arrays.copyOf(weights, 40)));
    files.put("header of 2^63 - 1 bytes", bytes(withHeaderLength(Long.MAX_VALUE, 100)));
    files.put("header of -1 bytes", bytes(withHeaderLength(-1, 100)));
    files.put("header of 90 MB", bytes(withHeaderLength(90_000_000, 100)));
    files.put("pickle", bytes(new byte[] {(byte) 0x80, 2, '}', 'q', 0, 'X', 5, 0, 0, 0}));
    files.put("zip", text("PK\u0003\u0004\u0014\0\0\0\0\0archive/data.pkl"));
    files.put("gzip", bytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2}));
    files.put(
        "LFS pointer",
        text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:"
                + "0".repeat(64)
                + "\nsize 123\n"));
    files.put("HTML", text("<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"));
    files.put("JSON of another kind", text("[1, 2, 3]"));
    files.put("JSON object", text("{}"));
    files.put("JSON null", text("null"));
    files.put("deep JSON", text("[".repeat(100_000)));
    files.put("deep object", text("{\"a\":".repeat(50_000)));
    files.put("long number", text("{\"_model\":" + "9".repeat(5000) + "}"));
    files.put("key twice", text("{\"_model\":\"annotated\",\"_model\":\"annotated\"}"));
    files.put("many lines", text("a\n\n\tat org.example\nb\u001b[2J\u202e"));
    files.put("broken UTF-8", bytes(new byte[] {'{', '"', (byte) 0xc3, (byte) 0x28, '"', '}'}));
    files.put(
        "PNG header of 2^31 pixels",
        bytes(
            new byte[] {
              (byte) 0x89,
              'P',
              'N',
              'G',
              '\r',
              '\n',
              0x1a,
              '\n',
              0,
              0,
              0,
              13,
              'I',
              'H',
              'D',
              'R',
              0x7f,
              (byte) 0xff,
              (byte) 0xff,
              (byte) 0xff,
              0x7f,
              (byte) 0xff,
              (byte) 0xff,
              (byte) 0xff,
              8,
              2,
              0,
              0,
              0,
              0,
              0,
              0,
              0
            }));
    files.put(
        "IDX of 2^32 images",
        bytes(new byte[] {0, 0, 8, 3, -1, -1, -1, -1, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2}));
    files.put("folder", place -> Files.createDirectory(place));
    files.put("endless device", place -> Files.createSymbolicLink(place, Path.of("/dev/zero")));
    files.put("empty device", place -> Files.createSymbolicLink(place, Path.of("/dev/null")));
    files.put("link to nowhere", place -> Files.createSymbolicLink(place, Path.of("nowhere")));
    files.put("link to itself", place -> Files.createSymbolicLink(place, place.getFileName()));
    files.put(
        "pipe that nobody writes to",
        place -> {
          if (new ProcessBuilder("mkfifo", place.toString()).start().waitFor() != 0) {
            throw new IOException("mkfifo failed.");
          }
        });
    return files;
  }

  static List<Arguments> places() throws IOException {
    List<Place> places = allPlaces();
    return IntStream.range(0, places.size())
        .mapToObj(i -> Arguments.of(places.get(i), i % SHARE))
        .toList();
  }

  private static List<Place> allPlaces() throws IOException {
    Object[] quick = {"--steps", 1, "--count", 1};
    String newest = "checkpoints/step-0000002.safetensors";
    List<Place> places = new ArrayList<>();
    // Files alone.
    places.add(with(quick, Place.alone("sample", "--run", run, "--noise", PLACE)));
    places.add(Place.alone("sample", "--run", run, "--checkpoint", PLACE));
    places.add(Place.alone("convert", "--run", run, "--to", "samediff", "--checkpoint", PLACE));
    places.add(Place.alone("predict", "--model", run.resolve("unet"), "--input", PLACE));
    places.add(Place.alone("inpaint", "--run", run, "--image", PLACE, "--mask-box", "0,0,4,4"));
    places.add(Place.alone("inpaint", "--run", run, "--image", picture, "--mask", PLACE));
    places.add(Place.alone("image-to-image", "--run", run, "--image", PLACE));
    places.add(Place.alone("invert", "--run", run, "--image", PLACE));
    places.add(Place.alone("interpolate", "--run", run, "--from", PLACE, "--to", picture));
    places.add(Place.alone("interpolate", "--run", run, "--from", picture, "--to", PLACE));
    // Files where folders are.
    for (String command : List.of("sample", "info", "samplers", "evaluate", "convert")) {
      places.add(
          command.equals("convert")
              ? Place.alone("convert", "--to", "diffusers", "--run", PLACE)
              : Place.alone(command, "--run", PLACE));
    }
    places.add(Place.alone("sample", "--model", PLACE));
    places.add(Place.alone("convert", "--to", "run", "--model", PLACE));
    places.add(Place.alone("predict", "--model", PLACE, "--input", picture));
    places.add(Place.alone("info", PLACE));
    places.add(Place.alone("train", "--resume", PLACE));
    for (String set : List.of("mnist", "cifar10", "cifar100", "tiny-imagenet", "folder")) {
      places.add(Place.alone("data", "--dataset", set, "--data", PLACE));
      places.add(Place.alone("train", "--dataset", set, "--steps", 1, "--data", PLACE));
    }
    for (String command : List.of("inpaint", "image-to-image", "interpolate", "invert")) {
      places.add(Place.alone(command, "--run", PLACE));
      places.add(Place.alone(command, "--model", PLACE));
      places.add(Place.alone(command, "--run", run, "--checkpoint", PLACE));
      places.add(Place.alone(command, "--run", run, "--data", PLACE));
    }
    Object[] compared = {"--count", 10, "--cache", shared.resolve("cache")};
    for (String command : List.of("distances", "nearest")) {
      places.add(Place.alone(command, "--run", PLACE));
      places.add(Place.alone(command, "--model", PLACE, "--data", data));
      places.add(
          with(
              compared, Place.alone(command, "--run", run, "--data", data, "--checkpoint", PLACE)));
      places.add(with(compared, Place.alone(command, "--run", run, "--data", PLACE)));
    }
    places.add(
        with(
            compared,
            Place.alone("distances", "--run", run, "--data", data, "--inception", PLACE)));
    places.add(
        with(
            compared,
            Place.alone("distances", "--dataset", "mnist", "--data", data, "--images", PLACE)));
    places.add(Place.alone("evaluate", "--distances", "--run", PLACE));
    places.add(Place.alone("evaluate", "--run", run, "--data", data, "--checkpoint", PLACE));
    places.add(Place.alone("evaluate", "--run", run, "--data", PLACE));
    places.add(
        with(compared, Place.alone("samplers", "--run", run, "--distances", "--data", PLACE)));
    places.add(Place.alone("train", "--data", data, "--steps", 1, "--from", PLACE));
    places.add(Place.alone("train", "--data", data, "--steps", 1, "--distill", PLACE));
    for (String command : List.of("serve", "studio")) {
      places.add(Place.alone(command, "--model", PLACE));
      // What may pass for a token is followed by a model that is missing.
      places.add(Place.alone(command, "--model", shared.resolve("none"), "--token-file", PLACE));
    }
    places.add(Place.alone("info", "--run", PLACE));
    // Files in folders.
    places.add(
        Place.in(run, "config.json", "train", "--data", data, "--steps", 1, "--from", PLACE));
    for (String file : List.of("config.json", newest)) {
      places.add(Place.in(run, file, "sample", "--run", PLACE));
      places.add(Place.in(run, file, "train", "--resume", PLACE, "--data", data));
      places.add(Place.in(run, file, "convert", "--to", "samediff", "--run", PLACE));
    }
    places.add(Place.in(run, "config.json", "info", "--run", PLACE));
    places.add(Place.in(run, "config.json", "evaluate", "--run", PLACE));
    places.add(Place.in(run, "config.json", "samplers", "--run", PLACE));
    for (String file : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
      Path unet = run.resolve("unet");
      places.add(
          Place.in(unet, file, "sample", "--model", PLACE, "--schedule", "linear", "--size", 8));
      places.add(Place.in(unet, file, "predict", "--model", PLACE, "--input", picture));
      places.add(Place.in(unet, file, "info", PLACE));
    }
    for (String file :
        List.of(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors")) {
      places.add(Place.in(pipeline, file, "sample", "--model", PLACE));
      places.add(Place.in(pipeline, file, "convert", "--to", "run", "--model", PLACE));
    }
    for (String file : List.of("train-images-idx3-ubyte", "train-labels-idx1-ubyte")) {
      places.add(Place.in(data, file, "data", "--dataset", "mnist", "--data", PLACE));
    }
    Path pictures = Files.createDirectories(shared.resolve("pictures"));
    if (Files.notExists(pictures.resolve("b.png"))) {
      Files.copy(picture, pictures.resolve("b.png"));
    }
    places.add(Place.in(pictures, "a.png", "data", "--dataset", "folder", "--data", PLACE));
    Path cifar = Files.createDirectories(shared.resolve("cifar"));
    Files.write(cifar.resolve("data_batch_1.bin"), new byte[3073]);
    places.add(
        Place.in(cifar, "data_batch_1.bin", "data", "--dataset", "cifar10", "--data", PLACE));
    return places;
  }

  private static Place with(Object[] more, Place place) {
    List<String> command = new ArrayList<>(place.command());
    Arrays.stream(more).map(Object::toString).forEach(command::add);
    return new Place(place.sound(), place.file(), command);
  }

  @ParameterizedTest
  @MethodSource("places")
  @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void everyStrangeFileEndsInASentence(Place place, int turn) throws Exception {
    List<String> wrong = new ArrayList<>();
    int number = 0;
    for (Map.Entry<String, Strange> strange : strangeFiles().entrySet()) {
      if (number++ % SHARE != turn) {
        continue;
      }
      Path target = folder.resolve("place" + number);
      Path file = target.resolve(place.file());
      if (place.sound() != null) {
        copy(place.sound(), target);
        delete(file);
      } else {
        file = target;
      }
      strange.getValue().make(file);
      if (isTakenRightly(place, strange.getKey())) {
        continue;
      }
      Object[] command =
          Stream.concat(
                  place.command().stream().map(word -> word.replace(PLACE, target.toString())),
                  Stream.of("--output", folder.resolve("output")))
              .toArray();
      boolean hasOutput =
          !List.of("info", "train", "evaluate", "serve", "studio").contains(place.command().get(0));
      Cli.Result result = Cli.run(hasOutput ? command : withoutLast(command));
      if (result.code() != Failures.BAD_INPUT
          || !result.err().lines().reduce((first, last) -> last).orElse("").matches("ddpm: .*[.?]")
          || INSIDE.matcher(result.err()).find()) {
        wrong.add(strange.getKey() + ": exit code " + result.code() + ", " + start(result.err()));
      }
      if (Files.isSymbolicLink(file)) {
        // JUnit would warn of where it leads.
        Files.delete(file);
      }
    }
    assertThat(wrong).isEmpty();
  }

  /**
   * Whoever adds a command, or an option that names a file to read, adds a place, or says here why
   * there is none.
   */
  @Test
  void everyCommandAndEveryFileOfItHasAPlace() throws IOException {
    Set<String> there = new TreeSet<>();
    for (Place place : allPlaces()) {
      String command = place.command().get(0);
      place.command().forEach(word -> there.add(command + " " + word));
    }
    Set<String> missing = new TreeSet<>();
    Set<String> commands = new TreeSet<>();
    for (CommandLine command : Cli.program().getSubcommands().values()) {
      String name = command.getCommandName();
      for (OptionSpec option : command.getCommandSpec().options()) {
        if (FILE_LABEL.matcher(option.paramLabel()).find()
            && option.arity().max() > 0
            && !OTHER_THAN_INPUTS.contains(option.longestName())
            && !NOT_READ_AT_ONCE.contains(name + " " + option.longestName())) {
          commands.add(name);
          missing.add(name + " " + option.longestName());
        }
      }
      if (!command.getCommandSpec().positionalParameters().isEmpty()) {
        commands.add(name);
      }
    }
    missing.removeAll(there);
    assertThat(missing).as("options that name files, and no place of theirs").isEmpty();
    commands.removeIf(command -> there.stream().anyMatch(word -> word.startsWith(command + " ")));
    assertThat(commands)
        .as("commands that read files or words")
        .containsExactlyInAnyOrder(
            // Their one word is of a list.
            "bench", "lesson", "help", "spark");
  }

  private static Object[] withoutLast(Object[] command) {
    return Arrays.copyOf(command, command.length - 2);
  }

  private static String start(String text) {
    return text.substring(0, Math.min(700, text.length()));
  }

  /** A file that may be missing, or be left out, or mean something. */
  private static boolean isTakenRightly(Place place, String strange) {
    if (place.file().equals("a.png")) {
      return OTHER_THAN_FILES.contains(strange);
    }
    // Then there is the moving average; and a scheduler may leave all to its defaults.
    boolean isCheckpoint = place.file().startsWith("checkpoints");
    // A pipeline's index may be missing, and a link that leads nowhere is no file.
    if (place.file().equals("model_index.json")) {
      return strange.equals("nothing") || strange.startsWith("link to ");
    }
    return isCheckpoint && !place.command().get(0).equals("train") && strange.equals("nothing")
        || place.file().endsWith("scheduler_config.json") && strange.equals("JSON object");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    }
  }

  private static void delete(Path file) throws IOException {
    if (Files.exists(file)) {
      try (Stream<Path> all = Files.walk(file)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}

package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.FileFailure;

/**
 * The runs in a folder, whoever trains them. A run is asked for by the name of its folder, which
 * must be one of those that are there: no name leads out of the catalogue.
 */
public final class RunCatalogue {

  /**
   * A training writes its progress more often than this, unless a step takes longer, or it measures
   * distances.
   */
  private static final Duration SILENCE = Duration.ofSeconds(20);

  private static final Pattern GRID = Pattern.compile("step-(\\d{1,18})\\.png");

  private final Path folder;

  /** What a run is doing. */
  public enum State {
    /** A process trains it now. */
    RUNNING,
    /** It was stopped before its last step, and can go on. */
    STOPPED,
    /** All its steps are done. */
    DONE,
    /** It has no checkpoint yet, and nobody trains it. */
    EMPTY;

    /**
     * The name in JSON.
     *
     * @return in small letters
     */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A run.
   *
   * @param name of its folder
   * @param path of its folder
   * @param config of the run
   * @param state what it is doing
   * @param progress what its process says, if it does
   * @param step the newest that is known
   * @param changed when its newest file was written
   */
  public record Run(
      String name,
      Path path,
      RunConfig config,
      State state,
      Optional<RunProgress> progress,
      long step,
      Instant changed) {

    /**
     * Steps of the whole training.
     *
     * @return how many; 0 where it was not trained here
     */
    public long steps() {
      return config.training().map(training -> training.config().steps()).orElse(0L);
    }

    /**
     * The losses.
     *
     * @return of the file loss.csv
     * @throws IOException if it cannot be read
     */
    public LossTable losses() throws IOException {
      return LossTable.read(path.resolve("loss.csv"));
    }

    /**
     * How far samples were from real images on the way.
     *
     * @return of the file distances.csv, if they were measured: step, frechet_distance,
     *     kernel_distance, precision, recall
     * @throws IOException if it cannot be read
     */
    public Optional<CsvColumns> distances() throws IOException {
      return CsvColumns.read(
          path.resolve("distances.csv"),
          "step",
          "frechet_distance",
          "kernel_distance",
          "precision",
          "recall");
    }

    /**
     * The loss at each timestep.
     *
     * @return of the file bound.csv, if the run was evaluated: t, bits_per_dim, eps_mse, x0_mse
     * @throws IOException if it cannot be read
     */
    public Optional<CsvColumns> bound() throws IOException {
      return CsvColumns.read(path.resolve("bound.csv"), "t", "bits_per_dim", "eps_mse", "x0_mse");
    }
  }

  /**
   * A run that cannot be read.
   *
   * @param name of its folder
   * @param reason a sentence that names the file
   */
  public record Damaged(String name, String reason) {}

  /**
   * What lies in the folder.
   *
   * @param runs the newest first
   * @param damaged what trainings have left and cannot be read, in the order of their names
   */
  public record Listing(List<Run> runs, List<Damaged> damaged) {

    /** Copies the lists. */
    public Listing {
      runs = List.copyOf(runs);
      damaged = List.copyOf(damaged);
    }
  }

  /** A run, or what is left of one, or neither. */
  private record Found(Optional<Run> run, Optional<Damaged> damaged) {}

  /**
   * A catalogue.
   *
   * @param folder whose folders are runs; need not exist
   */
  public RunCatalogue(Path folder) {
    this.folder = folder;
  }

  /** {@return where the runs lie} */
  public Path folder() {
    return folder;
  }

  /**
   * All runs, and what is left of runs; folders that are neither are left out.
   *
   * @return what lies in the folder
   * @throws IOException if the folder cannot be read
   */
  public Listing list() throws IOException {
    List<Run> runs = new ArrayList<>();
    List<Damaged> damaged = new ArrayList<>();
    for (String name : names()) {
      Found found = read(name);
      found.run().ifPresent(runs::add);
      found.damaged().ifPresent(damaged::add);
    }
    runs.sort(Comparator.comparing(Run::changed).reversed());
    return new Listing(runs, damaged);
  }

  private List<String> names() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(folder)) {
      return folders
          .filter(path -> Files.isRegularFile(path.resolve("config.json")) || isTrained(path))
          .map(path -> path.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  /** Whether there is what only a training leaves; others, too, have a config.json. */
  private static boolean isTrained(Path path) {
    return Files.isDirectory(new RunFolder(path).checkpoints().path())
        || Files.exists(path.resolve("loss.csv"))
        || Files.exists(path.resolve("progress.json"));
  }

  /**
   * A run by its name.
   *
   * @param name as {@link #list} lists it
   * @return the run, if there is one that can be read
   * @throws IOException if the folder cannot be read
   */
  public Optional<Run> find(String name) throws IOException {
    return names().contains(name) ? read(name).run() : Optional.empty();
  }

  /**
   * What is wrong with a run.
   *
   * @param name as {@link #list} lists it
   * @return why it cannot be read, if it cannot
   * @throws IOException if the folder cannot be read
   */
  public Optional<Damaged> damage(String name) throws IOException {
    return names().contains(name) ? read(name).damaged() : Optional.empty();
  }

  private Found read(String name) {
    Path path = folder.resolve(name);
    try {
      RunConfig config = new RunFolder(path).readConfig();
      Optional<RunProgress> progress = RunProgress.read(path.resolve("progress.json"));
      long step = Math.max(progress.map(RunProgress::step).orElse(0L), stepOfCheckpoint(path));
      return new Found(
          Optional.of(
              new Run(
                  name,
                  path,
                  config,
                  state(path, config, progress, step),
                  progress,
                  step,
                  changed(path))),
          Optional.empty());
    } catch (IOException e) {
      return new Found(
          Optional.empty(),
          isTrained(path) ? Optional.of(new Damaged(name, sentence(path, e))) : Optional.empty());
    } catch (RuntimeException e) {
      // A folder that is being removed, while its files are listed.
      return new Found(Optional.empty(), Optional.empty());
    }
  }

  /** The JDK's own exceptions are no sentences. */
  private static String sentence(Path path, IOException e) {
    return e instanceof FileSystemException failure && failure.getFile() != null
        ? FileFailure.unreadable(path.resolve(failure.getFile()), e).getMessage()
        : e.getMessage();
  }

  private static State state(Path path, RunConfig config, Optional<RunProgress> progress, long step)
      throws IOException {
    if (progress.isPresent()
        && progress
            .get()
            .isAlive(
                Files.getLastModifiedTime(path.resolve("progress.json"))
                    .toInstant()
                    .isAfter(Instant.now().minus(SILENCE)))) {
      return State.RUNNING;
    }
    RunFolder run = new RunFolder(path);
    if (config.training().isEmpty() || run.hasAverageOnly()) {
      return State.DONE;
    }
    if (run.checkpoints().all().isEmpty()) {
      return State.EMPTY;
    }
    return step >= config.training().get().config().steps() ? State.DONE : State.STOPPED;
  }

  private static long stepOfCheckpoint(Path path) throws IOException {
    Optional<Path> newest = new RunFolder(path).checkpoints().latest();
    if (newest.isEmpty()) {
      return 0;
    }
    String digits = newest.get().getFileName().toString().replaceAll("\\D", "");
    return digits.isEmpty() || digits.length() > 18 ? 0 : Long.parseLong(digits);
  }

  private static Instant changed(Path path) throws IOException {
    Instant newest = Files.getLastModifiedTime(path).toInstant();
    for (String file : List.of("progress.json", "loss.csv", "config.json")) {
      if (Files.exists(path.resolve(file))) {
        FileTime written = Files.getLastModifiedTime(path.resolve(file));
        newest = newest.isAfter(written.toInstant()) ? newest : written.toInstant();
      }
    }
    return newest;
  }

  /**
   * The steps of which there are grids of samples.
   *
   * @param run whose
   * @return in ascending order
   * @throws IOException if the folder cannot be read
   */
  public List<Long> grids(Run run) throws IOException {
    Path samples = new RunFolder(run.path()).samples();
    if (!Files.isDirectory(samples)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(samples)) {
      return files
          .map(file -> GRID.matcher(file.getFileName().toString()))
          .filter(Matcher::matches)
          .map(matcher -> Long.parseLong(matcher.group(1)))
          .sorted()
          .toList();
    }
  }

  /**
   * A grid of samples.
   *
   * @param run whose
   * @param step of the training
   * @return PNG, or empty if there is none of that step
   * @throws IOException if it cannot be read
   */
  public Optional<byte[]> grid(Run run, long step) throws IOException {
    Path samples = new RunFolder(run.path()).samples();
    if (!grids(run).contains(step)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(samples)) {
      Optional<Path> file =
          files
              .filter(Files::isRegularFile)
              .filter(
                  path -> {
                    Matcher matcher = GRID.matcher(path.getFileName().toString());
                    return matcher.matches() && Long.parseLong(matcher.group(1)) == step;
                  })
              .findFirst();
      return file.isPresent() ? Optional.of(Files.readAllBytes(file.get())) : Optional.empty();
    }
  }
}

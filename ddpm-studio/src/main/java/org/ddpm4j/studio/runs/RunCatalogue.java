package org.ddpm4j.studio.runs;

import java.io.IOException;
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

/**
 * The runs in a folder, whoever trains them. A run is asked for by the name of its folder, which
 * must be one of those that are there: no name leads out of the catalogue.
 */
public final class RunCatalogue {

  /** A training writes its progress more often than this. */
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
   * All runs; folders that are none or cannot be read are left out.
   *
   * @return the newest first
   * @throws IOException if the folder cannot be read
   */
  public List<Run> all() throws IOException {
    List<Run> runs = new ArrayList<>();
    for (String name : names()) {
      read(name).ifPresent(runs::add);
    }
    runs.sort(Comparator.comparing(Run::changed).reversed());
    return runs;
  }

  private List<String> names() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(folder)) {
      return folders
          .filter(path -> Files.isRegularFile(path.resolve("config.json")))
          .map(path -> path.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  /**
   * A run by its name.
   *
   * @param name as {@link #all} lists it
   * @return the run, if there is one
   * @throws IOException if the folder cannot be read
   */
  public Optional<Run> find(String name) throws IOException {
    return names().contains(name) ? read(name) : Optional.empty();
  }

  private Optional<Run> read(String name) {
    Path path = folder.resolve(name);
    try {
      RunConfig config = new RunFolder(path).readConfig();
      Optional<RunProgress> progress = RunProgress.read(path.resolve("progress.json"));
      long step = Math.max(progress.map(RunProgress::step).orElse(0L), stepOfCheckpoint(path));
      return Optional.of(
          new Run(
              name,
              path,
              config,
              state(path, config, progress, step),
              progress,
              step,
              changed(path)));
    } catch (IOException | RuntimeException e) {
      // Somebody else's folder, or one that is being removed.
      return Optional.empty();
    }
  }

  private static State state(Path path, RunConfig config, Optional<RunProgress> progress, long step)
      throws IOException {
    if (progress.isPresent()
        && !progress.get().ended()
        && ProcessHandle.of(progress.get().process()).isPresent()
        && Files.getLastModifiedTime(path.resolve("progress.json"))
            .toInstant()
            .isAfter(Instant.now().minus(SILENCE))) {
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

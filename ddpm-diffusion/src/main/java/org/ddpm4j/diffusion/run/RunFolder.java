package org.ddpm4j.diffusion.run;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeSet;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.CheckpointFolder;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.NewFolder;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Where the files of a run lie.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {

  /** Checkpoints that a run keeps. */
  public static final int KEPT_CHECKPOINTS = 2;

  private static final String CONFIG = "config.json";

  private static final long MAX_CONFIG_BYTES = 1 << 20;

  /** Checks that there is a path. */
  public RunFolder {
    Objects.requireNonNull(path, "path");
  }

  /**
   * Makes the folder of a new run.
   *
   * @param path a folder that does not exist yet or is empty
   * @param config of the run, written at once
   * @return the folder
   * @throws IOException if the folder holds files or cannot be written; it is then as before
   */
  public static RunFolder create(Path path, RunConfig config) throws IOException {
    Objects.requireNonNull(path, "path");
    requireNew(path);
    NewFolder.fill(path, CONFIG, unfinished -> new RunFolder(unfinished).writeConfig(config));
    return new RunFolder(path);
  }

  /**
   * Makes the folder of a run of which there is only the trained network. Its configuration is
   * written last, so that a folder is a run only when it is whole.
   *
   * @param path a folder that does not exist yet or is empty
   * @param config of the run
   * @param unet the network
   * @return the folder
   * @throws IOException if the folder holds files or cannot be written; it is then as before
   */
  public static RunFolder create(Path path, RunConfig config, Unet unet) throws IOException {
    Objects.requireNonNull(path, "path");
    requireNew(path);
    NewFolder.fill(
        path,
        CONFIG,
        unfinished -> {
          RunFolder folder = new RunFolder(unfinished);
          UnetFolder.write(folder.unet(), unet);
          folder.writeConfig(config);
        });
    return new RunFolder(path);
  }

  /**
   * Writes the configuration anew, of a run that is extended.
   *
   * @param config of the run
   * @throws IOException if it cannot be written; the one before is then still there
   */
  public void writeConfig(RunConfig config) throws IOException {
    AtomicFile.writeString(configFile(), config.toJson() + "\n");
  }

  /**
   * Removes the temporary files that a killed process has left. Nobody else may be working on the
   * run.
   *
   * @throws IOException if a folder cannot be read, or a file not be removed
   */
  public void removeUnfinished() throws IOException {
    for (Path folder : List.of(path, checkpoints().path(), samples(), unet())) {
      AtomicFile.removeUnfinished(folder);
      NewFolder.removeAbandoned(folder);
    }
  }

  /**
   * Refuses a folder that is not to be made into a run.
   *
   * @param path a folder that does not exist yet or is empty
   * @throws IOException if it holds files
   */
  public static void requireNew(Path path) throws IOException {
    if (!NewFolder.isUnused(path)) {
      throw new IOException(
          Text.format(
              "The run folder %s is not empty, and a run never overwrites another; resume it or choose a new folder.",
              path));
    }
  }

  /**
   * The folder of a run that exists.
   *
   * @param path the folder
   * @return the folder
   * @throws IOException if there is no run
   */
  public static RunFolder open(Path path) throws IOException {
    RunFolder folder = new RunFolder(path);
    if (!Files.isRegularFile(folder.configFile())) {
      String instead =
          Files.isRegularFile(path)
              ? "it is a file"
              : Files.exists(path.resolve("model_index.json"))
                  ? "it is a pipeline of diffusers"
                  : Files.exists(path) ? "it has no config.json" : "it does not exist";
      throw new IOException(
          Text.format(
              "%s is not the folder of a run: %s; name the folder that train made.",
              path, instead));
    }
    return folder;
  }

  /**
   * Reads the configuration.
   *
   * @return the configuration
   * @throws IOException if the file is missing or damaged
   */
  public RunConfig readConfig() throws IOException {
    Path file = configFile();
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new IOException(
            Text.format(
                "%s is a folder or a device where the configuration of a run is expected; restore the file that the run began with.",
                file));
      }
      if (Files.size(file) > MAX_CONFIG_BYTES) {
        throw new IOException(
            Text.format(
                "%s has %d byte(s), too many for the configuration of a run; restore the file that the run began with.",
                file, Files.size(file)));
      }
      return RunConfig.fromJson(
          SmallTextFile.withoutByteOrderMark(Files.readString(file)), file.toString());
    } catch (CharacterCodingException e) {
      throw new IOException(
          Text.format(
              "%s is not a text file in UTF-8; restore the file that the run began with.", file),
          e);
    } catch (NoSuchFileException e) {
      throw new IOException(
          Text.format("%s is missing; name the folder that train made.", file), e);
    } catch (FileSystemException e) {
      throw SmallTextFile.unreadable(file, e);
    }
  }

  /**
   * Reads the configuration of a run whose training is to go on.
   *
   * @return the configuration
   * @throws IOException if the file is missing or damaged, or the run drew its random numbers
   *     otherwise than today
   */
  public RunConfig readConfigToResume() throws IOException {
    RunConfig config = readConfig();
    if (config.training().isEmpty()) {
      throw new IOException(
          Text.format(
              "The model of the run %s was not trained here, so that there is no training to go on with; begin a new run.",
              path));
    }
    if (config.format() != RunConfig.FORMAT) {
      throw new IOException(
          Text.format(
              "The run %s has the format %d, whose random numbers are drawn otherwise than those of format %d, so that going on would be neither run; finish it with the ddpm4j that began it (%s), or begin a new run.",
              path, config.format(), RunConfig.FORMAT, config.version()));
    }
    return config;
  }

  /**
   * Whether there is nothing but the moving average of the weights, the folder {@link #unet()}.
   *
   * @return true if there is no checkpoint
   * @throws IOException if the folder cannot be read
   */
  public boolean hasAverageOnly() throws IOException {
    return checkpoints().all().isEmpty() && Files.exists(unet());
  }

  /**
   * Reads the trained network: the newest checkpoint's or, where there is none, that of the folder
   * {@link #unet()}.
   *
   * @param config of this run
   * @param weights which of a checkpoint's
   * @param checkpoint its file, or empty for the newest
   * @param execution how the network computes
   * @return the network
   * @throws IOException if a file is missing or damaged, or the last weights are asked for of a run
   *     that has the average alone
   */
  public Unet readUnet(
      RunConfig config, TrainedWeights weights, Optional<Path> checkpoint, Execution execution)
      throws IOException {
    return readUnet(config, weights, OptionalDouble.empty(), checkpoint, execution);
  }

  /**
   * Reads the network with a moving average of a training that had several.
   *
   * @param config of this run
   * @param decay of the average
   * @param checkpoint its file, or empty for the newest
   * @param execution how the network computes
   * @return the network
   * @throws IOException if a file is missing or damaged, or the run has no average of that decay
   */
  public Unet readAverage(
      RunConfig config, double decay, Optional<Path> checkpoint, Execution execution)
      throws IOException {
    SortedSet<Double> decays = new TreeSet<>();
    config
        .training()
        .ifPresent(
            training -> {
              decays.add(training.config().emaDecay());
              decays.addAll(training.config().allFurtherDecays());
            });
    if (!decays.contains(decay)) {
      throw new IOException(
          Text.format(
              "The run %s has no moving average of decay %s; %s.",
              path,
              decay,
              decays.isEmpty() ? "it is not known how it was trained" : "it has " + decays));
    }
    boolean isUsual = decay == config.training().orElseThrow().config().emaDecay();
    return readUnet(
        config,
        TrainedWeights.EMA,
        isUsual ? OptionalDouble.empty() : OptionalDouble.of(decay),
        checkpoint,
        execution);
  }

  private Unet readUnet(
      RunConfig config,
      TrainedWeights weights,
      OptionalDouble furtherDecay,
      Optional<Path> checkpoint,
      Execution execution)
      throws IOException {
    if (checkpoint.isEmpty() && hasAverageOnly()) {
      if (weights != TrainedWeights.EMA || furtherDecay.isPresent()) {
        throw new IOException(
            Text.format(
                "The run %s has no checkpoints but only the moving average of its weights; take that.",
                path));
      }
      return UnetFolder.read(unet(), DataType.FLOAT, execution);
    }
    long seed = config.training().map(TrainingDescription::initialWeightsSeed).orElse(0L);
    Unet unet = Unet.create(config.model().network(), DataType.FLOAT, seed, execution);
    Checkpoint state =
        checkpoint.isPresent()
            ? Checkpoint.read(checkpoint.get(), unet.parameters())
            : readLatestCheckpoint(unet.parameters());
    unet.parameters()
        .assign(
            furtherDecay.isPresent()
                ? state.ema(furtherDecay.getAsDouble())
                : weights == TrainedWeights.EMA ? state.ema() : state.weights());
    return unet;
  }

  /**
   * Reads the newest checkpoint of a run whose training is to go on.
   *
   * @param like values of the run's network; not changed
   * @return the state
   * @throws IOException if there is none, it is damaged or of a version that cannot be resumed
   */
  public Checkpoint readCheckpointToResume(Parameters like) throws IOException {
    Checkpoint checkpoint = readLatestCheckpoint(like);
    try {
      checkpoint.requireResumable();
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format(
              "%s cannot be resumed from: %s", checkpoints().latest().orElse(path), e.getMessage()),
          e);
    }
    return checkpoint;
  }

  /**
   * Reads the newest checkpoint.
   *
   * @param like values of the run's network; not changed
   * @return the state
   * @throws IOException if there is none or it is damaged; an older one that may do is then named
   */
  public Checkpoint readLatestCheckpoint(Parameters like) throws IOException {
    Path latest =
        checkpoints()
            .latest()
            .orElseThrow(
                () ->
                    new IOException(
                        Text.format(
                            Files.exists(unet())
                                ? "The run %s has no checkpoint any more but only the moving average of its weights, from which a training cannot go on; bring a checkpoint back, or begin a new run with that network."
                                : "The run %s has no checkpoint yet; it was interrupted before its first, so begin a new run.",
                            path)));
    try {
      return Checkpoint.read(latest, like);
    } catch (IOException e) {
      var all = checkpoints().all();
      if (all.size() < 2) {
        throw e;
      }
      throw new IOException(
          Text.format(
              "%s Move that file away to go on from %s.", e.getMessage(), all.get(all.size() - 2)),
          e);
    }
  }

  /**
   * The checkpoints.
   *
   * @return their folder, of which the newest few are kept
   */
  public CheckpointFolder checkpoints() {
    return new CheckpointFolder(path.resolve("checkpoints"), KEPT_CHECKPOINTS);
  }

  /**
   * The configuration's file.
   *
   * @return config.json
   */
  public Path configFile() {
    return path.resolve(CONFIG);
  }

  /**
   * The folder of the sample grids that were drawn along the way.
   *
   * @return samples/
   */
  public Path samples() {
    return path.resolve("samples");
  }

  /**
   * The folder of the trained network, the moving average of the weights, as diffusers lays it out.
   *
   * @return unet/
   */
  public Path unet() {
    return path.resolve("unet");
  }
}

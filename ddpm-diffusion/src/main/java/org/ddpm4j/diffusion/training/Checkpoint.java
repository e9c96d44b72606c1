package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Parameters;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The whole state of a training between two steps. The position in the shuffled data and the state
 * of the random numbers are functions of the step, so the step stands for them.
 *
 * <p>On disk it is one safetensors file: the tensors {@code model.*}, {@code ema.*}, {@code
 * exp_avg.*} and {@code exp_avg_sq.*} under PyTorch's names and in its layouts, {@code step},
 * {@code window.*}, and the columns of the loss history as {@code history.*} and what importance
 * sampling has learned as {@code timesteps.*}. Averages of other decays are {@code ema_0.99.*} and
 * the like. A checksum covers all of them; the metadata hold nothing but it, the format and its
 * version.
 *
 * @param version of the format, which says how the run draws its random numbers, 1 to {@link
 *     #VERSION}
 * @param step number of steps done, at least 0
 * @param weights of the network
 * @param ema moving average of the weights
 * @param firstMoment of AdamW
 * @param secondMoment of AdamW
 * @param history the reports so far; copied
 * @param window sums since the last report
 * @param timesteps losses by which timesteps are drawn, where they are
 * @param furtherEmas moving averages of other decays, by decay; copied
 */
public record Checkpoint(
    int version,
    long step,
    Parameters weights,
    Parameters ema,
    Parameters firstMoment,
    Parameters secondMoment,
    List<LossHistory.Entry> history,
    Window window,
    Optional<ImportanceTimesteps.State> timesteps,
    SortedMap<Double, Parameters> furtherEmas) {

  /**
   * The version of runs that draw by {@link org.ddpm4j.kernels.random.Philox}. Those of version 1
   * had a stream of random numbers for each image and step.
   */
  public static final int VERSION = 2;

  private static final String FORMAT = "ddpm4j-checkpoint";
  private static final String STEP = "step";
  private static final String WINDOW_LOSS = "window.loss";
  private static final String WINDOW_GRADIENT_NORM = "window.gradient_norm";
  private static final String WINDOW_STEPS = "window.steps";
  private static final String HISTORY = "history.";
  private static final String FURTHER_EMA = "ema_";
  private static final Pattern FURTHER_EMA_NAME =
      Pattern.compile(FURTHER_EMA + "(0\\.[0-9]{1,17})\\.");
  private static final String TIMESTEP_LOSSES = "timesteps.losses";
  private static final String TIMESTEP_COUNTS = "timesteps.counts";

  /**
   * Checks version and step.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public Checkpoint {
    Objects.requireNonNull(history, "history");
    Objects.requireNonNull(furtherEmas, "furtherEmas");
    Ranges.require(
        version >= 1 && version <= VERSION,
        "version of the checkpoint",
        version,
        "it must be from 1 to " + VERSION);
    Ranges.require(step >= 0, "step of the checkpoint", step, "it must be at least 0");
    history = List.copyOf(history);
    Objects.requireNonNull(timesteps, "timesteps");
    Objects.requireNonNull(furtherEmas, "furtherEmas");
    furtherEmas = Collections.unmodifiableSortedMap(new TreeMap<>(furtherEmas));
  }

  /**
   * With one moving average.
   *
   * @param version of the format
   * @param step number of steps done
   * @param weights of the network
   * @param ema moving average of the weights
   * @param firstMoment of AdamW
   * @param secondMoment of AdamW
   * @param history the reports so far
   * @param window sums since the last report
   * @param timesteps losses by which timesteps are drawn, where they are
   * @throws IllegalArgumentException if version or step is out of range
   */
  public Checkpoint(
      int version,
      long step,
      Parameters weights,
      Parameters ema,
      Parameters firstMoment,
      Parameters secondMoment,
      List<LossHistory.Entry> history,
      Window window,
      Optional<ImportanceTimesteps.State> timesteps) {
    this(
        version,
        step,
        weights,
        ema,
        firstMoment,
        secondMoment,
        history,
        window,
        timesteps,
        new TreeMap<>());
  }

  /**
   * A moving average beside the usual one.
   *
   * @param decay of it
   * @return its weights
   * @throws IllegalArgumentException if the checkpoint has none of that decay
   */
  public Parameters ema(double decay) {
    Parameters found = furtherEmas.get(decay);
    if (found == null) {
      throw new IllegalArgumentException(
          Text.format(
              "The checkpoint has no moving average of decay %s beside the usual one; it has %s.",
              decay, furtherEmas.isEmpty() ? "none" : furtherEmas.keySet()));
    }
    return found;
  }

  /**
   * Sums since the last report.
   *
   * @param loss sum of the losses
   * @param gradientNorm sum of the gradients' norms
   * @param steps number of summands, at least 0
   */
  public record Window(double loss, double gradientNorm, long steps) {

    /**
     * Checks the number.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Window {
      Ranges.require(steps >= 0, "number of steps in the window", steps, "it must be at least 0");
    }
  }

  /**
   * Checks that a training can go on from here. Its weights are good for sampling in any case.
   *
   * @throws IllegalArgumentException if the run drew its random numbers otherwise than today
   */
  public void requireResumable() {
    if (version != VERSION) {
      throw new IllegalArgumentException(
          Text.format(
              "The checkpoint has version %d, whose run drew its random numbers otherwise than version %d does, so that going on would be neither run; finish it with the ddpm4j that began it, or begin a new run.",
              version, VERSION));
    }
  }

  /**
   * Writes the file, whole or not at all.
   *
   * @param file to write or replace
   * @throws IOException if it cannot be written; a file of that name is then as it was
   */
  public void write(Path file) throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    states()
        .forEach(
            (prefix, values) ->
                values.toPyTorch().forEach((name, tensor) -> tensors.put(prefix + name, tensor)));
    tensors.put(STEP, Nd4j.createFromArray(step));
    tensors.put(WINDOW_LOSS, Nd4j.createFromArray(window.loss()));
    tensors.put(WINDOW_GRADIENT_NORM, Nd4j.createFromArray(window.gradientNorm()));
    tensors.put(WINDOW_STEPS, Nd4j.createFromArray(window.steps()));
    column(tensors, "step", LossHistory.Entry::step);
    column(tensors, "loss", LossHistory.Entry::loss);
    column(tensors, "validation_loss", LossHistory.Entry::validationLoss);
    column(tensors, "learning_rate", LossHistory.Entry::learningRate);
    column(tensors, "gradient_norm", LossHistory.Entry::gradientNorm);
    timesteps.ifPresent(
        state -> {
          tensors.put(TIMESTEP_LOSSES, Nd4j.createFromArray(state.losses()));
          tensors.put(TIMESTEP_COUNTS, Nd4j.createFromArray(state.counts()));
        });

    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", FORMAT);
    metadata.put("version", Integer.toString(version));
    SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
  }

  private Map<String, Parameters> states() {
    Map<String, Parameters> states = new LinkedHashMap<>();
    states.put("model.", weights);
    states.put("ema.", ema);
    states.put("exp_avg.", firstMoment);
    states.put("exp_avg_sq.", secondMoment);
    furtherEmas.forEach((decay, average) -> states.put(prefix(decay), average));
    return states;
  }

  /**
   * Of the tensors of a further average; without an exponent, in which a reader finds the decay.
   */
  private static String prefix(double decay) {
    return FURTHER_EMA + BigDecimal.valueOf(decay).toPlainString() + ".";
  }

  /** Room for the further averages of a file. */
  private static SortedMap<Double, Parameters> furtherEmas(
      SafetensorsReader reader, Parameters like) {
    SortedMap<Double, Parameters> found = new TreeMap<>();
    for (String name : reader.names()) {
      Matcher matcher = FURTHER_EMA_NAME.matcher(name);
      if (matcher.lookingAt()) {
        found.computeIfAbsent(Double.valueOf(matcher.group(1)), decay -> like.zerosLike());
      }
    }
    return found;
  }

  private void column(
      Map<String, INDArray> tensors, String name, ToDoubleFunction<LossHistory.Entry> value) {
    double[] values = history.stream().mapToDouble(value).toArray();
    if (values.length > 0) {
      tensors.put(HISTORY + name, Nd4j.createFromArray(values));
    }
  }

  /**
   * Reads a file.
   *
   * @param file written by {@link #write}
   * @param like values of the network that the checkpoint is of; not changed
   * @return the state
   * @throws IOException if the file is missing, damaged or of another network
   */
  public static Checkpoint read(Path file, Parameters like) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      int version = version(file, reader.metadata());
      reader.verifyChecksum();
      Checkpoint checkpoint =
          new Checkpoint(
              version,
              only(file, reader, STEP, DataType.INT64).getLong(0),
              like.zerosLike(),
              like.zerosLike(),
              like.zerosLike(),
              like.zerosLike(),
              history(file, reader),
              new Window(
                  only(file, reader, WINDOW_LOSS, DataType.DOUBLE).getDouble(0),
                  only(file, reader, WINDOW_GRADIENT_NORM, DataType.DOUBLE).getDouble(0),
                  only(file, reader, WINDOW_STEPS, DataType.INT64).getLong(0)),
              timesteps(file, reader),
              furtherEmas(reader, like));
      for (Map.Entry<String, Parameters> state : checkpoint.states().entrySet()) {
        fill(file, reader, state.getKey(), state.getValue());
      }
      return checkpoint;
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("%s cannot be resumed from: %s", file, e.getMessage()), e);
    }
  }

  private static int version(Path file, Map<String, String> metadata) throws IOException {
    String version = Objects.requireNonNullElse(metadata.get("version"), "missing");
    if (!FORMAT.equals(metadata.get("format")) || !version.matches("[1-" + VERSION + "]")) {
      throw new IOException(
          Text.format(
              "%s is not a checkpoint of version 1 or %d: its format is %s and its version %s; name a file from a run's checkpoints folder.",
              file, VERSION, metadata.get("format"), version));
    }
    if (!metadata.containsKey(SafetensorsWriter.CRC32C_KEY)) {
      throw new IOException(
          Text.format(
              "%s is a checkpoint without its checksum, so its numbers cannot be trusted; resume from another checkpoint.",
              file));
    }
    return Integer.parseInt(version);
  }

  private static void fill(Path file, SafetensorsReader reader, String prefix, Parameters values)
      throws IOException {
    DataType dataType = values.flat().dataType();
    Map<String, INDArray> tensors = new HashMap<>();
    for (String name : reader.names()) {
      if (name.startsWith(prefix)) {
        if (reader.dataType(name) != dataType) {
          throw new IOException(
              Text.format(
                  "%s does not fit this run's network: the tensor %s is of type %s where the network has %s.",
                  file, name, reader.dataType(name), dataType));
        }
        tensors.put(name.substring(prefix.length()), reader.tensor(name));
      }
    }
    try {
      values.assignPyTorch(tensors);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format("%s does not fit this run's network: %s", file, e.getMessage()), e);
    }
  }

  /** A tensor of one element. */
  private static INDArray only(Path file, SafetensorsReader reader, String name, DataType dataType)
      throws IOException {
    return vector(file, reader, name, dataType, 1);
  }

  private static INDArray vector(
      Path file, SafetensorsReader reader, String name, DataType dataType, long length)
      throws IOException {
    DataType foundType = reader.dataType(name);
    long[] foundShape = reader.shape(name);
    if (foundType != dataType || foundShape.length != 1 || foundShape[0] != length) {
      throw new IOException(
          Text.format(
              "%s is damaged: its tensor %s is %s%s where a checkpoint has %s[%d]; resume from another checkpoint.",
              file, name, foundType, Arrays.toString(foundShape), dataType, length));
    }
    return reader.tensor(name);
  }

  private static List<LossHistory.Entry> history(Path file, SafetensorsReader reader)
      throws IOException {
    if (reader.names().stream().noneMatch(name -> name.startsWith(HISTORY))) {
      return List.of();
    }
    long[] shape = reader.shape(HISTORY + "step");
    long length = shape.length == 0 ? 0 : shape[0];
    INDArray steps = column(file, reader, "step", length);
    INDArray losses = column(file, reader, "loss", length);
    INDArray validationLosses = column(file, reader, "validation_loss", length);
    INDArray learningRates = column(file, reader, "learning_rate", length);
    INDArray gradientNorms = column(file, reader, "gradient_norm", length);
    List<LossHistory.Entry> entries = new ArrayList<>();
    for (long i = 0; i < length; i++) {
      entries.add(
          new LossHistory.Entry(
              (long) steps.getDouble(i),
              losses.getDouble(i),
              validationLosses.getDouble(i),
              learningRates.getDouble(i),
              gradientNorms.getDouble(i)));
    }
    return entries;
  }

  private static Optional<ImportanceTimesteps.State> timesteps(Path file, SafetensorsReader reader)
      throws IOException {
    if (!reader.names().contains(TIMESTEP_LOSSES)) {
      return Optional.empty();
    }
    long[] shape = reader.shape(TIMESTEP_LOSSES);
    long length = shape.length == 0 ? 0 : shape[0];
    long timesteps = length / ImportanceTimesteps.LATEST;
    return Optional.of(
        new ImportanceTimesteps.State(
            vector(file, reader, TIMESTEP_LOSSES, DataType.DOUBLE, length).toDoubleVector(),
            vector(file, reader, TIMESTEP_COUNTS, DataType.INT32, timesteps).toIntVector()));
  }

  private static INDArray column(Path file, SafetensorsReader reader, String name, long length)
      throws IOException {
    return vector(file, reader, HISTORY + name, DataType.DOUBLE, length);
  }
}

package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.io.SafetensorsReader;
import org.ddpm4j.unet.io.SafetensorsWriter;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The whole state of a training between two steps. The position in the shuffled data and the state
 * of the random numbers are functions of the step, so the step stands for them.
 *
 * <p>On disk it is one safetensors file with a checksum: the tensors {@code model.*}, {@code
 * ema.*}, {@code exp_avg.*} and {@code exp_avg_sq.*} under PyTorch's names and in its layouts, the
 * columns of the loss history as {@code history.*}, and the rest as metadata.
 *
 * @param step number of steps done
 * @param weights of the network
 * @param ema moving average of the weights
 * @param firstMoment of AdamW
 * @param secondMoment of AdamW
 * @param history the reports so far
 * @param window sums since the last report
 */
public record Checkpoint(
    long step,
    Parameters weights,
    Parameters ema,
    Parameters firstMoment,
    Parameters secondMoment,
    List<LossHistory.Entry> history,
    Window window) {

  private static final String FORMAT = "ddpm4j-checkpoint";
  private static final String VERSION = "1";
  private static final String HISTORY = "history.";

  /**
   * Sums since the last report.
   *
   * @param loss sum of the losses
   * @param gradientNorm sum of the gradients' norms
   * @param steps number of summands
   */
  public record Window(double loss, double gradientNorm, long steps) {}

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
    column(tensors, "step", LossHistory.Entry::step);
    column(tensors, "loss", LossHistory.Entry::loss);
    column(tensors, "validation_loss", LossHistory.Entry::validationLoss);
    column(tensors, "learning_rate", LossHistory.Entry::learningRate);
    column(tensors, "gradient_norm", LossHistory.Entry::gradientNorm);

    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", FORMAT);
    metadata.put("version", VERSION);
    metadata.put("step", Long.toString(step));
    metadata.put("window.loss", Double.toString(window.loss()));
    metadata.put("window.gradient_norm", Double.toString(window.gradientNorm()));
    metadata.put("window.steps", Long.toString(window.steps()));
    SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
  }

  private Map<String, Parameters> states() {
    Map<String, Parameters> states = new LinkedHashMap<>();
    states.put("model.", weights);
    states.put("ema.", ema);
    states.put("exp_avg.", firstMoment);
    states.put("exp_avg_sq.", secondMoment);
    return states;
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
      Map<String, String> metadata = reader.metadata();
      if (!FORMAT.equals(metadata.get("format")) || !VERSION.equals(metadata.get("version"))) {
        throw new IOException(
            "%s is not a checkpoint of version %s: its format is %s and its version %s; name a file from a run's checkpoints folder."
                .formatted(file, VERSION, metadata.get("format"), metadata.get("version")));
      }
      reader.verifyChecksum();
      Checkpoint checkpoint =
          new Checkpoint(
              (long) number(file, metadata, "step"),
              like.zerosLike(),
              like.zerosLike(),
              like.zerosLike(),
              like.zerosLike(),
              history(reader),
              new Window(
                  number(file, metadata, "window.loss"),
                  number(file, metadata, "window.gradient_norm"),
                  (long) number(file, metadata, "window.steps")));
      for (Map.Entry<String, Parameters> state : checkpoint.states().entrySet()) {
        fill(file, reader, state.getKey(), state.getValue());
      }
      return checkpoint;
    }
  }

  private static void fill(Path file, SafetensorsReader reader, String prefix, Parameters values)
      throws IOException {
    Map<String, INDArray> tensors = new HashMap<>();
    for (String name : reader.names()) {
      if (name.startsWith(prefix)) {
        tensors.put(name.substring(prefix.length()), reader.tensor(name));
      }
    }
    try {
      values.assignPyTorch(tensors);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "%s does not fit this run's network: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static double number(Path file, Map<String, String> metadata, String key)
      throws IOException {
    String text = metadata.get(key);
    try {
      return Double.parseDouble(String.valueOf(text));
    } catch (NumberFormatException e) {
      throw new IOException(
          "%s is damaged: its %s is %s instead of a number; resume from another checkpoint."
              .formatted(file, key, text),
          e);
    }
  }

  private static List<LossHistory.Entry> history(SafetensorsReader reader) throws IOException {
    List<LossHistory.Entry> entries = new ArrayList<>();
    if (reader.names().contains(HISTORY + "step")) {
      double[] steps = column(reader, "step");
      double[] losses = column(reader, "loss");
      double[] validationLosses = column(reader, "validation_loss");
      double[] learningRates = column(reader, "learning_rate");
      double[] gradientNorms = column(reader, "gradient_norm");
      for (int i = 0; i < steps.length; i++) {
        entries.add(
            new LossHistory.Entry(
                (long) steps[i],
                losses[i],
                validationLosses[i],
                learningRates[i],
                gradientNorms[i]));
      }
    }
    return entries;
  }

  private static double[] column(SafetensorsReader reader, String name) throws IOException {
    return reader.tensor(HISTORY + name).toDoubleVector();
  }
}

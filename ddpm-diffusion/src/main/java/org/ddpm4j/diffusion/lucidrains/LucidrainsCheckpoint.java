package org.ddpm4j.diffusion.lucidrains;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.pytorch.PyTorchReader;
import org.ddpm4j.io.weights.WeightsFile;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.LucidrainsWeights;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a checkpoint of lucidrains' {@code Trainer} holds ({@code model-N.pt}), or a state dict of
 * his {@code GaussianDiffusion}: a network, the betas it was trained with, and the weights of its
 * losses, which tell what it predicts. The size of the images is in none of them.
 *
 * <p>Images are in [-1,1], which is his {@code auto_normalize}.
 *
 * @param unet a {@link org.ddpm4j.unet.model.LucidrainsUnet}
 * @param parameterization what it predicts: ε, x0 or v
 * @param schedule the noise, beta by beta as in the file
 * @param scheduleConfig the noise by name, if it has one: his {@code linear}, {@code cosine} or
 *     {@code sigmoid}
 */
public record LucidrainsCheckpoint(
    Unet unet,
    Parameterization parameterization,
    NoiseSchedule schedule,
    Optional<ScheduleConfig> scheduleConfig)
    implements AutoCloseable {

  private static final String BETAS = "betas";
  private static final String LOSS_WEIGHT = "loss_weight";
  private static final String NETWORK = "model.";

  /** Where moving averages of a diffusion are: in his checkpoints, and in a state dict of EMA. */
  private static final List<String> AVERAGES = List.of("ema.ema_model.", "ema_model.");

  /** Where a diffusion is itself: in his checkpoints, and in a state dict of its own. */
  private static final List<String> MODELS = List.of("model.", "");

  /** Checks that there is everything. */
  public LucidrainsCheckpoint {
    Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(scheduleConfig, "scheduleConfig");
  }

  /**
   * Whether a path is meant to be such a file.
   *
   * @param path of anything
   * @return true if it is a file of tensors by its name or its first bytes
   */
  public static boolean isFile(Path path) {
    Objects.requireNonNull(path, "path");
    return Files.isRegularFile(path)
        && (WeightsFile.isNamedSo(path.getFileName().toString()) || PyTorchReader.isPyTorch(path));
  }

  /**
   * Whether the tensors of a file are of such a checkpoint.
   *
   * @param reader of the file
   * @return true if there is a network of his inside a diffusion
   */
  public static boolean isCheckpoint(TensorReader reader) {
    Objects.requireNonNull(reader, "reader");
    return find(reader, AVERAGES).or(() -> find(reader, MODELS)).isPresent();
  }

  /**
   * Reads a checkpoint.
   *
   * @param file of PyTorch or of safetensors
   * @param weights which of the two that he keeps; empty for the moving average where there is one
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @param execution how the network computes
   * @return what it holds, to be closed by the caller
   * @throws IOException if it cannot be read, is damaged, or is no such checkpoint
   */
  public static LucidrainsCheckpoint read(
      Path file, Optional<TrainedWeights> weights, DataType dataType, Execution execution)
      throws IOException {
    try (TensorReader reader = WeightsFile.open(file)) {
      String diffusion = diffusion(reader, weights, file);
      // First of all: diffusions of early releases lack other tensors, too.
      LucidrainsWeights.config(reader, diffusion + NETWORK);
      double[] betas = vector(reader, diffusion, BETAS, ScheduleConfig.MAX_TIMESTEPS);
      NoiseSchedule schedule = NoiseSchedule.of(betas);
      Parameterization parameterization =
          LossWeights.parameterization(
              schedule, vector(reader, diffusion, LOSS_WEIGHT, betas.length));
      return new LucidrainsCheckpoint(
          LucidrainsWeights.read(reader, diffusion + NETWORK, dataType, execution),
          parameterization,
          schedule,
          NamedBetas.find(betas));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format("The checkpoint %s cannot be read: %s", file, e.getMessage()), e);
    }
  }

  /** What stands before the names of a diffusion's tensors. */
  private static String diffusion(
      TensorReader reader, Optional<TrainedWeights> weights, Path file) {
    Optional<String> average = find(reader, AVERAGES);
    Optional<String> model = find(reader, MODELS);
    Optional<String> chosen =
        weights.isEmpty()
            ? average.or(() -> model)
            : weights.get() == TrainedWeights.EMA ? average : model;
    return chosen.orElseThrow(
        () ->
            new IllegalArgumentException(
                average.isPresent() || model.isPresent()
                    ? Text.format(
                            "it has no %s, only the %s; choose these",
                            model.isPresent() ? "moving average" : "weights of the last step",
                            model.isPresent() ? "weights of the last step" : "moving average")
                        + "."
                    : "it has no network of lucidrains' denoising-diffusion-pytorch within a diffusion (no tensor model.init_conv.weight); "
                        + ofAnotherKind(file)));
  }

  /** What to do with the weights of a network that is none of his. */
  private static String ofAnotherKind(Path file) {
    return Files.exists(file.resolveSibling(UnetFolder.CONFIG))
        ? Text.format(
            "beside it lies a %s, so name their folder, %s.",
            UnetFolder.CONFIG, file.toAbsolutePath().getParent())
        : Text.format("a network of another kind needs a folder with its %s.", UnetFolder.CONFIG);
  }

  private static Optional<String> find(TensorReader reader, List<String> places) {
    return places.stream()
        .filter(place -> LucidrainsWeights.isAt(reader, place + NETWORK))
        .findFirst();
  }

  private static double[] vector(TensorReader reader, String place, String name, int most)
      throws IOException {
    String tensor = place + name;
    if (!reader.names().contains(tensor)) {
      throw new IllegalArgumentException(
          Text.format(
              "it has no tensor %s, which tells %s.",
              tensor, name.equals(BETAS) ? "the noise schedule" : "what the network predicts"));
    }
    long[] shape = reader.shape(tensor);
    if (shape.length != 1 || shape[0] < 1 || shape[0] > most) {
      throw new IllegalArgumentException(
          Text.format(
              "its tensor %s has the shape %s, where one of 1 to %d numbers is expected.",
              tensor, Arrays.toString(shape), most));
    }
    INDArray values = reader.tensor(tensor);
    return values.castTo(DataType.DOUBLE).toDoubleVector();
  }

  /**
   * The row of the class embedding that stands for no class.
   *
   * @return the last, or empty if the network is told no classes
   */
  public OptionalInt nullClass() {
    return unet.config().classEmbeddings() == 0
        ? OptionalInt.empty()
        : OptionalInt.of(unet.config().nullClass());
  }

  /** Closes the network. */
  @Override
  public void close() {
    unet.close();
  }
}

package org.ddpm4j.diffusion.lucidrains;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.Denoiser.Estimate;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.pytorch.PyTorchReader;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Files of lucidrains' own trainer, from {@code bench/make_lucidrains_fixtures.py}. */
class LucidrainsCheckpointTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir private Path folder;

  private static Path fixture(String name) throws Exception {
    return Path.of(LucidrainsCheckpointTest.class.getResource(name).toURI());
  }

  private static LucidrainsCheckpoint read(Path file, TrainedWeights weights) throws IOException {
    return LucidrainsCheckpoint.read(
        file, Optional.ofNullable(weights), DataType.FLOAT, Execution.reference());
  }

  /** His {@code model_predictions}, of his moving average and of his last weights. */
  @ParameterizedTest
  @EnumSource
  void estimatesWhatHisDiffusionDoes(TrainedWeights weights) throws Exception {
    String name = weights == TrainedWeights.EMA ? "ema" : "raw";
    try (LucidrainsCheckpoint checkpoint = read(fixture("model-1.pt"), weights);
        SafetensorsReader io = SafetensorsReader.open(fixture("io.safetensors"))) {
      assertThat(checkpoint.parameterization()).isEqualTo(Parameterization.V);
      assertThat(checkpoint.scheduleConfig())
          .contains(ScheduleConfig.of(ScheduleType.SIGMOID_JABRI, 40));
      assertThat(checkpoint.nullClass()).isEmpty();
      INDArray x = io.tensor("x");
      int[] times = io.tensor("t").toIntVector();
      for (int n = 0; n < times.length; n++) {
        var image = NDArrayIndex.interval(n, n + 1);
        Estimate estimate =
            new NetworkDenoiser(
                    checkpoint.unet()::predict,
                    checkpoint.parameterization(),
                    checkpoint.schedule())
                .denoise(x.get(image), times[n]);
        assertClose(estimate.x0(), io.tensor(name + ".x0").get(image));
        assertClose(estimate.eps(), io.tensor(name + ".noise").get(image));
      }
    }
  }

  private static void assertClose(INDArray actual, INDArray expected) {
    INDArray wanted = expected.castTo(DataType.DOUBLE);
    assertThat(actual.castTo(DataType.DOUBLE).sub(wanted).norm2Number().doubleValue())
        .isLessThan(TOLERANCE * wanted.norm2Number().doubleValue());
  }

  @Test
  void theMovingAverageIsTakenUnlessToldOtherwise() throws Exception {
    try (LucidrainsCheckpoint one = read(fixture("model-1.pt"), null);
        LucidrainsCheckpoint other = read(fixture("model-1.pt"), TrainedWeights.EMA)) {
      assertThat(one.unet().parameters().fingerprint())
          .isEqualTo(other.unet().parameters().fingerprint());
    }
  }

  /** Classes, and the null class behind them. */
  @Test
  void readsNetworksThatAreToldClasses() throws Exception {
    try (LucidrainsCheckpoint checkpoint = read(fixture("classes.pt"), null);
        SafetensorsReader io = SafetensorsReader.open(fixture("classes.safetensors"))) {
      assertThat(checkpoint.parameterization()).isEqualTo(Parameterization.EPSILON);
      assertThat(checkpoint.scheduleConfig()).contains(ScheduleConfig.of(ScheduleType.COSINE, 30));
      assertThat(checkpoint.nullClass()).hasValue(3);
      INDArray y =
          checkpoint
              .unet()
              .predict(new UnetInput(io.tensor("x"), io.tensor("t"), io.tensor("labels")));
      assertClose(y, io.tensor("y"));
    }
  }

  /** Of release 1.8: groups, and attention without memories, whose heads are four. */
  @Test
  void readsNetworksThatAreNormalisedInGroups() throws Exception {
    try (LucidrainsCheckpoint checkpoint = read(fixture("groups.pt"), null);
        SafetensorsReader io = SafetensorsReader.open(fixture("groups.safetensors"))) {
      assertThat(checkpoint.parameterization()).isEqualTo(Parameterization.EPSILON);
      assertThat(checkpoint.scheduleConfig())
          .contains(ScheduleConfig.of(ScheduleType.SIGMOID_JABRI, 20));
      assertThat(checkpoint.unet().config())
          .isEqualTo(LucidrainsUnet.of(8, 1, List.of(1, 1)).withGroups(8, 0));
      INDArray y = checkpoint.unet().predict(new UnetInput(io.tensor("x"), io.tensor("t"), null));
      assertClose(y, io.tensor("y"));
    }
  }

  @Test
  void refusesNetworksOfEarlyReleases() throws Exception {
    Map<String, Consumer<Map<String, INDArray>>> changes = new LinkedHashMap<>();
    changes.put(
        "Its network is of an early release of denoising-diffusion-pytorch, before 1.8",
        tensors -> {
          tensors.put("model.p2_loss_weight", tensors.remove("model.loss_weight"));
          tensors.put("model.model.mid_attn.fn.norm.g", zeros(1, 8, 1, 1));
          tensors.remove("model.model.mid_attn.norm.g");
        });
    changes.put(
        "How many stands nowhere in the file, and 8, his default, do not divide 12 channels",
        tensors -> tensors.put("model.model.time_mlp.1.weight", zeros(48, 12)));
    for (Map.Entry<String, Consumer<Map<String, INDArray>>> change : changes.entrySet()) {
      Path file = changed("groups.pt", change.getValue());
      assertThatThrownBy(() -> read(file, null))
          .as(change.getKey())
          .isInstanceOf(IOException.class)
          .hasMessageContaining(change.getKey());
    }
  }

  @Test
  void drawsAsAnyModel() throws Exception {
    try (DiffusionModel model = DiffusionModel.ofLucidrains(fixture("model-1.pt"), 8, 16)) {
      assertThat(model.sample(1, 5).get(0).getWidth()).isEqualTo(16);
      assertThat(model.description().schedule().type()).isEqualTo(ScheduleType.SIGMOID_JABRI);
    }
    assertThatThrownBy(() -> DiffusionModel.ofLucidrains(fixture("model-1.pt"), 9, 8))
        .hasMessageContaining("height and width must be multiples of 2");
  }

  static Stream<Arguments> objectives() {
    Map<String, ScheduleType> schedules =
        Map.of(
            "linear", ScheduleType.LINEAR_SCALED,
            "cosine", ScheduleType.COSINE,
            "sigmoid", ScheduleType.SIGMOID_JABRI);
    Map<String, Parameterization> objectives =
        Map.of(
            "pred_noise", Parameterization.EPSILON,
            "pred_x0", Parameterization.X0,
            "pred_v", Parameterization.V);
    return schedules.entrySet().stream()
        .flatMap(
            schedule ->
                objectives.entrySet().stream()
                    .flatMap(
                        objective ->
                            Stream.of("plain", "min_snr")
                                .map(
                                    kind ->
                                        Arguments.of(
                                            schedule.getKey(),
                                            objective.getKey(),
                                            kind,
                                            schedule.getValue(),
                                            objective.getValue()))));
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void buffersTellScheduleAndObjective(
      String schedule,
      String objective,
      String kind,
      ScheduleType type,
      Parameterization parameterization)
      throws Exception {
    try (SafetensorsReader buffers = SafetensorsReader.open(fixture("buffers.safetensors"))) {
      double[] betas = vector(buffers, schedule + ".betas");
      assertThat(NamedBetas.find(betas)).contains(ScheduleConfig.of(type, betas.length));
      double[] weights = vector(buffers, String.join(".", schedule, objective, kind));
      assertThat(LossWeights.parameterization(NoiseSchedule.of(betas), weights))
          .isEqualTo(parameterization);
    }
  }

  private static double[] vector(SafetensorsReader reader, String name) throws IOException {
    return reader.tensor(name).castTo(DataType.DOUBLE).toDoubleVector();
  }

  @Test
  void otherBetasHaveNoName() {
    assertThat(NamedBetas.find(0.1, 0.2, 0.4)).isEmpty();
  }

  private Path changed(String name, Consumer<Map<String, INDArray>> change) throws Exception {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (PyTorchReader reader = PyTorchReader.open(fixture(name))) {
      tensors.putAll(reader.tensors());
    }
    change.accept(tensors);
    Path file = folder.resolve("changed.safetensors");
    Files.deleteIfExists(file);
    SafetensorsWriter.write(file, tensors, Map.of());
    return file;
  }

  private static INDArray zeros(long... shape) {
    return Nd4j.zeros(DataType.FLOAT, shape);
  }

  @Test
  void refusesWhatDoesNotFit() throws Exception {
    Map<String, Consumer<Map<String, INDArray>>> changes = new LinkedHashMap<>();
    changes.put(
        "it has no tensor model.loss_weight, which tells what the network predicts",
        tensors -> tensors.remove("model.loss_weight"));
    changes.put(
        "it has no tensor model.betas, which tells the noise schedule",
        tensors -> tensors.remove("model.betas"));
    changes.put(
        "its tensor model.betas has the shape [2, 2], where one of 1 to",
        tensors -> tensors.put("model.betas", zeros(2, 2)));
    changes.put("β", tensors -> tensors.put("model.betas", zeros(30).addi(2)));
    changes.put(
        "it has 30 betas and 4 weights of losses",
        tensors -> tensors.put("model.loss_weight", zeros(4)));
    changes.put(
        "its loss_weight is that of no objective that is known",
        tensors -> tensors.put("model.loss_weight", zeros(30).addi(0.3)));
    changes.put(
        "Its network is of an early release of denoising-diffusion-pytorch, before 2.0 (with classes)",
        tensors -> {
          tensors.put("model.model.downs.0.0.block1.norm.weight", zeros(4));
          tensors.remove("model.loss_weight");
        });
    changes.put(
        "The tensor model.model.final_conv.weight is missing",
        tensors -> tensors.remove("model.model.final_conv.weight"));
    changes.put(
        "The tensor model.model.time_mlp.1.weight has the shape [16], where 2 sizes are expected",
        tensors -> tensors.put("model.model.time_mlp.1.weight", zeros(16)));
    changes.put(
        "has 9 channels, which is no multiple of the network's width, 4",
        tensors -> tensors.put("model.model.mid_block1.block1.proj.weight", zeros(9, 8, 3, 3)));
    changes.put(
        "The tensor ups.1.3.bias [4] is missing",
        tensors -> tensors.remove("model.model.ups.1.3.bias"));
    changes.put(
        "The tensor extra is none of the network's parameters",
        tensors -> tensors.put("model.model.extra", zeros(2)));
    changes.put(
        "The tensor model.model.null_classes_emb has 5 numbers, where classes have 4",
        tensors -> tensors.put("model.model.null_classes_emb", zeros(5)));
    changes.put(
        "The network takes 1 channel and answers with 5",
        tensors -> tensors.put("model.model.final_conv.weight", zeros(5, 4, 1, 1)));
    for (Map.Entry<String, Consumer<Map<String, INDArray>>> change : changes.entrySet()) {
      Path file = changed("classes.pt", change.getValue());
      assertThatThrownBy(() -> read(file, null))
          .as(change.getKey())
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("The checkpoint " + file + " cannot be read: ")
          .hasMessageContaining(change.getKey());
    }
  }

  @ParameterizedTest
  @CsvSource({"EMA, 'it has no moving average, only the weights of the last step; choose these.'"})
  void refusesWeightsThatAreNotThere(TrainedWeights weights, String message) {
    assertThatThrownBy(() -> read(fixture("classes.pt"), weights)).hasMessageContaining(message);
  }

  @Test
  void refusesFilesOfOtherNetworks() throws Exception {
    Path other = folder.resolve("other.safetensors");
    SafetensorsWriter.write(other, Map.of("weight", zeros(3)), Map.of());
    assertThatThrownBy(() -> read(other, null))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("it has no network of lucidrains' denoising-diffusion-pytorch");
    Path text = Files.writeString(folder.resolve("model.pt"), "no tensors");
    assertThat(LucidrainsCheckpoint.isFile(text)).isTrue();
    assertThat(LucidrainsCheckpoint.isFile(folder)).isFalse();
    assertThatThrownBy(() -> read(text, null)).isInstanceOf(IOException.class);
  }
}

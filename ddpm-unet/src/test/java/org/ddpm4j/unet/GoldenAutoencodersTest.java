package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Autoencoders of diffusers: outputs and gradients, in double precision, from {@code
 * bench/make_autoencoder_fixtures.py}.
 */
class GoldenAutoencodersTest {

  private static final String[] MODELS = {
    "autoencoder_kl", "autoencoder_kl_attention", "autoencoder_vq"
  };

  private static final Execution FUSED = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2);

  @TempDir private Path folder;

  private enum Way {
    DOUBLE_REFERENCE(DataType.DOUBLE, Execution.reference(), 1e-9, 1e-6),
    FLOAT_REFERENCE(DataType.FLOAT, Execution.reference(), 1e-5, 1e-4),
    FLOAT_FUSED(DataType.FLOAT, FUSED, 1e-5, 1e-4);

    final DataType dataType;
    final Execution execution;
    final double outputTolerance;
    final double gradientTolerance;

    Way(DataType dataType, Execution execution, double outputTolerance, double gradientTolerance) {
      this.dataType = dataType;
      this.execution = execution;
      this.outputTolerance = outputTolerance;
      this.gradientTolerance = gradientTolerance;
    }
  }

  static Stream<Arguments> cases() {
    return Stream.of(MODELS)
        .flatMap(model -> Stream.of(Way.values()).map(way -> Arguments.of(model, way)));
  }

  private static Path fixture(String model) {
    return Path.of(GoldenAutoencodersTest.class.getResource(model + "/config.json").getPath())
        .getParent();
  }

  private static Autoencoder read(String model, Way way) throws IOException {
    return AutoencoderFolder.read(fixture(model), Optional.empty(), way.dataType, way.execution);
  }

  private static SafetensorsReader tensors(String model, String file) throws IOException {
    return SafetensorsReader.open(fixture(model).resolve(file));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void reproducesDiffusers(String model, Way way) throws IOException {
    try (Autoencoder autoencoder = read(model, way);
        SafetensorsReader io = tensors(model, "io.safetensors");
        SafetensorsReader expected = tensors(model, "grads.safetensors")) {
      double scale = autoencoder.config().latents().scalingFactor();
      INDArray x = io.tensor("x").castTo(way.dataType);
      INDArray h = io.tensor("h");
      boolean isGaussian = autoencoder.codebook().isEmpty();
      INDArray encoded =
          isGaussian ? h.get(NDArrayIndex.all(), NDArrayIndex.interval(0, h.size(1) / 2)) : h;
      assertClose(autoencoder.encode(x).div(scale), encoded, way.outputTolerance);

      INDArray z = io.tensor("z").castTo(way.dataType);
      INDArray scaled = z.mul(scale);
      INDArray y = io.tensor("y");
      assertClose(
          autoencoder.decode(scaled, Autoencoder.Quantization.NONE), y, way.outputTolerance);
      assertClose(autoencoder.decode(scaled), isGaussian ? y : io.tensor("q"), way.outputTolerance);

      Map<String, INDArray> actual = new LinkedHashMap<>();
      addGradients(autoencoder.encoder(), x, io.tensor("gh"), actual);
      addGradients(autoencoder.decoder(), z, io.tensor("gy"), actual);
      assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(expected.names());
      double largest = 0;
      for (String parameter : expected.names()) {
        largest = Math.max(largest, norm(expected.tensor(parameter)));
      }
      for (String parameter : expected.names()) {
        INDArray wanted = expected.tensor(parameter);
        // Some are zero up to rounding, as of a bias before a normalisation.
        double bound = way.gradientTolerance * Math.max(norm(wanted), 1e-3 * largest);
        assertThat(norm(difference(actual.get(parameter), wanted)))
            .as(parameter)
            .isLessThanOrEqualTo(bound);
      }
    }
  }

  private static void addGradients(
      Unet network, INDArray x, INDArray g, Map<String, INDArray> gradients) {
    Parameters gradient = network.parameters().zerosLike();
    UnetInput input = UnetInput.of(x, Nd4j.zeros(network.dataType(), x.size(0)));
    network.vectorJacobianProduct(input, g.castTo(DataType.DOUBLE).div(g.length()), gradient);
    gradients.putAll(gradient.toPyTorch());
  }

  private static INDArray difference(INDArray a, INDArray b) {
    return a.castTo(DataType.DOUBLE).sub(b.castTo(DataType.DOUBLE));
  }

  private static double norm(INDArray a) {
    return a.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }

  private static void assertClose(INDArray actual, INDArray expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(norm(difference(actual, expected))).isLessThan(tolerance * norm(expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"autoencoder_kl", "autoencoder_kl_attention", "autoencoder_vq"})
  void readsWhatItWrites(String model) throws IOException {
    try (Autoencoder autoencoder = read(model, Way.FLOAT_REFERENCE)) {
      AutoencoderFolder.write(folder, autoencoder);
      try (Autoencoder again =
          AutoencoderFolder.read(folder, Optional.empty(), DataType.FLOAT, Execution.reference())) {
        assertThat(again.config()).isEqualTo(autoencoder.config());
        assertThat(again.toPyTorch()).isEqualTo(autoencoder.toPyTorch());
        assertThat(again.fingerprint()).isEqualTo(autoencoder.fingerprint());
      }
    }
  }

  /** Against a loop over all distances. */
  @Test
  void theNearestVectorIsTheNearest() {
    INDArray vectors = new RandomArrays(3).gaussian(1, 23, 4);
    INDArray latents = new RandomArrays(4).gaussian(1, 2, 4, 3, 5);
    Codebook codebook = new Codebook(vectors);
    INDArray numbers = codebook.nearest(latents);
    INDArray found = codebook.lookUp(numbers);
    for (int n = 0; n < 2; n++) {
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 5; j++) {
          int best = -1;
          double least = Double.POSITIVE_INFINITY;
          for (int k = 0; k < 23; k++) {
            double sum = 0;
            for (int c = 0; c < 4; c++) {
              double d = vectors.getDouble(k, c) - latents.getDouble(n, c, i, j);
              sum += d * d;
            }
            best = sum < least ? k : best;
            least = Math.min(sum, least);
          }
          assertThat(numbers.getInt(n, i, j)).isEqualTo(best);
          for (int c = 0; c < 4; c++) {
            assertThat(found.getDouble(n, c, i, j))
                .isEqualTo((double) (float) vectors.getDouble(best, c));
          }
        }
      }
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> codebook.lookUp(Nd4j.createFromArray(23).reshape(1, 1, 1)))
        .withMessageContaining("no vector 23");
  }

  @Test
  void aMissingKeyHasDiffusersDefault() throws IOException {
    AutoencoderConfig kl =
        AutoencoderFolder.configFromJson("{\"_class_name\": \"AutoencoderKL\"}", "test");
    DiffusersDefaults.assertAre(
        AutoencoderFolder.configToJson(kl), DiffusersDefaults.GAUSSIAN_AUTOENCODER);
    DiffusersDefaults.assertAre(
        AutoencoderFolder.configToJson(
            AutoencoderFolder.configFromJson("{\"_class_name\": \"VQModel\"}", "test")),
        DiffusersDefaults.QUANTIZED_AUTOENCODER);
    AutoencoderConfig vq =
        AutoencoderFolder.configFromJson(
            "{\"_class_name\": \"VQModel\", \"latent_channels\": 5}", "test");
    assertThat(vq.latents().stateChannels()).isEqualTo(5);
  }

  /** CompVis/ldm-celebahq-256 has 55,322,782 parameters with its 8192 vectors of 3. */
  @Test
  void hasAsManyParametersAsThePublishedOne() throws IOException {
    AutoencoderConfig config =
        AutoencoderFolder.configFromJson(
            """
            {"_class_name": "VQModel", "_diffusers_version": "0.1.2", "act_fn": "silu",
             "block_out_channels": [128, 256, 512], "in_channels": 3, "latent_channels": 3,
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
             "layers_per_block": 2, "num_vq_embeddings": 8192, "out_channels": 3,
             "sample_size": 256}
            """,
            "test");
    assertThat(config.pixelsPerLatent()).isEqualTo(4);
    assertThat(
            Autoencoder.declarations(config, DataType.FLOAT).stream()
                .mapToLong(parameter -> parameter.length())
                .sum())
        .isEqualTo(55_322_782);
  }

  @ParameterizedTest
  @CsvSource({
    "'\"_class_name\": \"AutoencoderTiny\"', supported are \"AutoencoderKL\" and \"VQModel\"",
    "'\"norm_type\": \"spatial\"', 'norm_type is \"spatial\"; supported is \"group\"'",
    "'\"shift_factor\": 0.1', shift_factor is 0.1",
    "'\"scaling_factor\": 0', scaling_factor is 0.0",
    "'\"scaling_factor\": \"1\"', scaling_factor is",
    "'\"norm_num_groups\": 3', which does not divide 64",
    "'\"block_out_channels\": []', '0, 1 and 1 entries'",
    "'\"block_out_channels\": [64, 64]', '2, 1 and 1 entries'",
    "'\"down_block_types\": [\"DownBlock2D\"]', 'an entry that is \"DownBlock2D\"'",
    "'\"layers_per_block\": 100', layers_per_block is 100",
    "'\"latent_channels\": 0', latent_channels is 0",
    "'\"num_vq_embeddings\": 99999999', num_vq_embeddings is 99999999",
    "'\"sample_size\": null', sample_size is null",
    "'\"something\": 1', 'something is 1, a key that is not known here'",
    "'\"force_upcast\": 1', force_upcast is 1",
  })
  void whatCannotBeBuiltIsRefused(String key, String message) {
    String name = message.contains("shift") ? "AutoencoderKL" : "VQModel";
    String json =
        key.contains("_class_name")
            ? "{" + key + "}"
            : "{\"_class_name\": \"" + name + "\", " + key + "}";
    assertThatThrownBy(() -> AutoencoderFolder.configFromJson(json, "test"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("test: This autoencoder cannot be built: ")
        .hasMessageContaining(message);
  }

  @Test
  void damagedFilesAreTold() throws IOException {
    for (String file : new String[] {"config.json", "diffusion_pytorch_model.safetensors"}) {
      Files.copy(fixture("autoencoder_vq").resolve(file), folder.resolve(file));
    }
    Path config = folder.resolve("config.json");
    String before = Files.readString(config);
    Files.writeString(config, before.replace("\"vq_embed_dim\": 2", "\"vq_embed_dim\": 3"));
    assertThatThrownBy(
            () ->
                AutoencoderFolder.read(
                    folder, Optional.empty(), DataType.FLOAT, Execution.reference()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The tensor quant_conv.weight has the shape [2, 3, 1, 1]");
    Files.writeString(config, "[]");
    assertThatThrownBy(() -> AutoencoderFolder.readConfig(config))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("_class_name is missing");
    Files.delete(config);
    assertThatThrownBy(() -> AutoencoderFolder.readConfig(config))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("config.json");
  }
}

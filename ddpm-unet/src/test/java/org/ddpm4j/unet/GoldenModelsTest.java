package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.LayersChoice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Outputs, losses and gradients of networks in PyTorch, in double precision, from {@code
 * bench/make_model_fixtures.py} and {@code bench/make_unet2d_fixtures.py}. The latter agrees with
 * diffusers' own networks; {@code bench/make_ncsnpp_fixture.py} is one of them. Those of {@code
 * bench/make_lucidrains_fixtures.py} are lucidrains' own. Those of {@code
 * bench/make_dropout_fixtures.py} are diffusers' in training, with our masks.
 */
class GoldenModelsTest {

  private static final List<String> MODELS =
      List.of(
          "tutorial",
          "tutorial_classes",
          "minimal",
          "annotated_classes",
          "annotated_out_dim",
          "unet2d_one_level",
          "unet2d_mixed",
          "unet2d_padding_classes",
          "unet2d_former_names",
          "unet2d_ncsnpp",
          "unet2d_dropout",
          "dit",
          "dit_dropout",
          "lucidrains",
          "lucidrains_learned",
          "lucidrains_classes",
          "lucidrains_groups");

  /** The names that files of ours and of diffusers have for labels. */
  private static final List<String> LABELS = List.of("labels", "class_labels");

  private enum Way {
    DOUBLE_REFERENCE(DataType.DOUBLE, Execution.reference(), 1e-9, 1e-6),
    // Cotangents in single precision are rounded, of which gradients that nearly cancel keep most.
    FLOAT_REFERENCE(DataType.FLOAT, Execution.reference(), 1e-5, 2e-4),
    FLOAT_FUSED(
        DataType.FLOAT, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2), 1e-5, 2e-4);

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
    return MODELS.stream()
        .flatMap(model -> Stream.of(Way.values()).map(way -> Arguments.of(model, way)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void reproducesPyTorch(String model, Way way) throws Exception {
    Path folder = Path.of(GoldenModelsTest.class.getResource(model).toURI());
    try (Unet unet = UnetFolder.read(folder, way.dataType, way.execution);
        SafetensorsReader io = SafetensorsReader.open(folder.resolve("io.safetensors"));
        SafetensorsReader expected = SafetensorsReader.open(folder.resolve("grads.safetensors"))) {
      INDArray labels = null;
      for (String name : LABELS) {
        labels = io.names().contains(name) ? io.tensor(name) : labels;
      }
      UnetInput input = new UnetInput(io.tensor("x"), io.tensor("t"), labels);
      if (io.names().contains("dropout")) {
        long[] key = io.tensor("dropout").toLongVector();
        input = input.withDropout(new BatchKey(key[0], (int) key[1], key[2], key[3]));
      }

      INDArray y = io.tensor("y");
      assertThat(norm(unet.predict(input), y)).isLessThan(way.outputTolerance * norm(y));

      INDArray g = io.tensor("g");
      INDArray weights = io.tensor("weights").castTo(DataType.DOUBLE).reshape(g.size(0), 1, 1, 1);
      Parameters gradient = unet.parameters().zerosLike();
      INDArray cotangent = g.castTo(DataType.DOUBLE).div(g.length()).mul(weights);
      unet.vectorJacobianProduct(input, cotangent, gradient);

      Map<String, INDArray> actual = gradient.toPyTorch();
      assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(expected.names());
      double largest = 0;
      for (String parameter : expected.names()) {
        largest = Math.max(largest, norm(expected.tensor(parameter)));
      }
      List<String> wrong = new ArrayList<>();
      for (String parameter : expected.names()) {
        INDArray wanted = expected.tensor(parameter);
        // Some are zero up to rounding, as of a bias before a normalisation over all channels.
        double scale = Math.max(norm(wanted), 1e-3 * largest);
        double error = norm(actual.get(parameter), wanted);
        if (!(error <= way.gradientTolerance * scale)) {
          wrong.add("%s differs by %.3g of %.3g".formatted(parameter, error, scale));
        }
      }
      assertThat(wrong).isEmpty();
    }
  }

  private static double norm(INDArray a, INDArray b) {
    return norm(a.castTo(DataType.DOUBLE).sub(b.castTo(DataType.DOUBLE)));
  }

  private static double norm(INDArray a) {
    return a.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }
}

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.layers.LayersChoice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Whole networks on a card, or on its emulation where there is none: outputs and gradients against
 * those of PyTorch and diffusers.
 */
class DeviceNetworksTest {

  private static final List<String> MODELS =
      List.of(
          "tutorial_classes",
          "minimal",
          "annotated_classes",
          "annotated_resnet",
          "annotated_convnext",
          "unet2d_small",
          "unet2d_mixed",
          "unet2d_padding_classes");

  /** The rest takes the emulation too long. */
  private static final List<String> EMULATED =
      List.of("annotated_classes", "unet2d_small", "unet2d_padding_classes");

  private static final List<String> LABELS = List.of("labels", "class_labels");

  /** Where a folder of further fixtures is, for a machine with a card. */
  private static final String FURTHER = System.getProperty("ddpm4j.fixtures");

  private static DeviceName device() {
    DeviceName card = DeviceName.parse("cuda");
    return Devices.obstacle(card).isEmpty() ? card : DeviceName.parse("emulated");
  }

  static Stream<Arguments> cases() throws Exception {
    List<Path> folders = new ArrayList<>();
    boolean emulated = device().kind().equals("emulated");
    for (String model : emulated ? EMULATED : MODELS) {
      folders.add(folder(model));
    }
    if (FURTHER != null && !emulated) {
      try (Stream<Path> list = Files.list(Path.of(FURTHER))) {
        list.filter(path -> Files.exists(path.resolve("grads.safetensors")))
            .sorted()
            .forEach(folders::add);
      }
    }
    return folders.stream()
        .flatMap(
            folder ->
                Stream.of(Precision.values())
                    .filter(precision -> !emulated || precision != Precision.TFLOAT32)
                    .map(precision -> Arguments.of(folder, precision)));
  }

  private static Path folder(String model) throws Exception {
    URL packed = DeviceNetworksTest.class.getResource("/org/ddpm4j/unet/" + model);
    return packed == null
        ? Path.of("../ddpm-unet/src/test/resources/org/ddpm4j/unet", model)
        : Path.of(packed.toURI());
  }

  /** The minimal network normalises nothing, so that rounding grows from layer to layer. */
  private static double tolerance(Path folder, Precision precision) {
    return switch (precision) {
      case FLOAT32 -> 1e-4;
      case TFLOAT32 -> 1e-2;
      case BFLOAT16 -> folder.endsWith("minimal") ? 0.15 : 6e-2;
    };
  }

  /** Where a network has twice as many outputs, the fixtures take the slopes twice. */
  private static INDArray slopes(INDArray g, INDArray y) {
    return g.size(1) == y.size(1) ? g : Nd4j.concat(1, g, g);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void reproducesPyTorch(Path folder, Precision precision) throws Exception {
    DeviceName device = device();
    assumeTrue(Devices.obstacle(device).isEmpty(), () -> Devices.obstacle(device).orElseThrow());
    Execution execution = new Execution(LayersChoice.FUSED, precision, 1, device);
    double tolerance = tolerance(folder, precision);
    try (Unet unet = UnetFolder.read(folder, DataType.FLOAT, execution);
        SafetensorsReader io = SafetensorsReader.open(folder.resolve("io.safetensors"));
        SafetensorsReader expected = SafetensorsReader.open(folder.resolve("grads.safetensors"))) {
      INDArray labels = null;
      for (String name : LABELS) {
        labels = io.names().contains(name) ? io.tensor(name) : labels;
      }
      UnetInput input = new UnetInput(io.tensor("x"), io.tensor("t"), labels);
      INDArray y = io.tensor("y");
      assertThat(norm(unet.predict(input), y) / norm(y)).isLessThan(tolerance);

      Parameters gradient = unet.parameters().zerosLike();
      INDArray cotangent = slopes(io.tensor("g"), y).div(y.length());
      if (io.names().contains("weights")) {
        cotangent.muli(io.tensor("weights").reshape(y.size(0), 1, 1, 1));
      }
      unet.vectorJacobianProduct(input, cotangent, gradient);
      Map<String, INDArray> actual = gradient.toPyTorch();
      double all = 0;
      double difference = 0;
      List<String> wrong = new ArrayList<>();
      double largest = 0;
      for (String parameter : expected.names()) {
        largest = Math.max(largest, norm(expected.tensor(parameter)));
      }
      for (String parameter : expected.names()) {
        INDArray wanted = expected.tensor(parameter);
        double error = norm(actual.get(parameter), wanted);
        all += Math.pow(norm(wanted), 2);
        difference += Math.pow(error, 2);
        // Some are zero up to rounding, as of a bias before a normalisation over all channels.
        double scale = Math.max(norm(wanted), 1e-1 * largest);
        if (!(error <= 3 * tolerance * scale)) {
          wrong.add("%s differs by %.3g of %.3g".formatted(parameter, error, scale));
        }
      }
      assertThat(Math.sqrt(difference / all)).as("%s", wrong).isLessThan(tolerance);
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

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What whole networks ask a large card for, each with the tiles that were chosen for its shapes,
 * compiles for it. A build does so for two networks in the precision of their trainings; with
 * {@code -Dddpm4j.kernels.all=true} for all, in all.
 */
class NetworkKernelsTest {

  /** One that fills no card, and one that fills any. */
  private static final List<Integer> BATCHES = List.of(1, 128);

  /** They take eight minutes of a processor. */
  private static final boolean ALL = Boolean.getBoolean("ddpm4j.kernels.all");

  @BeforeAll
  static void needsTheCompiler() {
    Nvrtc.assumePresent();
  }

  /** A network and the height and width of its images. */
  private record Network(UnetConfig config, int size) {}

  private static List<Network> networks() throws IOException {
    List<Network> networks = new ArrayList<>();
    networks.add(new Network(AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1), 28));
    networks.add(new Network(Unet2D.cifar10(), 32));
    if (ALL) {
      networks.add(new Network(AnnotatedUnet.convnext(28, 1, List.of(1, 2, 4)), 28));
      networks.add(new Network(ofBench("ncsnpp"), 64));
      networks.add(new Network(ofBench("dit"), 32));
      networks.add(new Network(ofBench("lucidrains"), 64));
    }
    return networks;
  }

  private static UnetConfig ofBench(String name) throws IOException {
    Path file =
        Path.of("../ddpm-cli/src/main/resources/org/ddpm4j/cli/measure").resolve(name + ".json");
    return UnetFolder.configFromJson(Files.readString(file), name);
  }

  static Stream<Precision> precisions() {
    return ALL ? Stream.of(Precision.values()) : Stream.of(Precision.BFLOAT16);
  }

  @ParameterizedTest
  @MethodSource("precisions")
  void compile(Precision precision) throws IOException {
    for (Network network : networks()) {
      ask(network, precision);
    }
    List<PlannedDeviceProvider.Request> requests = PlannedDeviceProvider.takeRequests();
    assertThat(requests)
        .extracting(PlannedDeviceProvider.Request::kernel)
        .contains("convolution_gather", "convolution_weight_gradient", "attention_forward");
    assertThat(requests.parallelStream().flatMap(NetworkKernelsTest::errors)).isEmpty();
  }

  private static Stream<String> errors(PlannedDeviceProvider.Request request) {
    List<String> options = Nvrtc.options(Nvrtc.HOPPER, request.defines());
    String source = KernelCompiler.source(request.file(), request.kernel());
    Nvrtc.Log log = Nvrtc.compile(source, options);
    return log.hasFailed() ? Stream.of(request + ": " + log.text()) : Stream.empty();
  }

  private static void ask(Network network, Precision precision) {
    Execution execution =
        new Execution(LayersChoice.FUSED, precision, 1, DeviceName.parse("planned"));
    int size = network.size();
    UnetConfig config = network.config();
    try (Unet unet = Unet.create(config, DataType.FLOAT, 1, execution)) {
      for (int images : BATCHES) {
        INDArray x = Nd4j.zeros(DataType.FLOAT, images, config.inChannels(), size, size);
        INDArray t = Nd4j.zeros(DataType.FLOAT, images);
        UnetInput input = new UnetInput(x, t, config.classEmbeddings() > 0 ? t : null);
        INDArray y = unet.predict(input);
        unet.lossAndGradient(LossFunction.L2, input, y, null, unet.parameters().zerosLike());
      }
    }
  }
}

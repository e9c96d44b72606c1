package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.ddpm4j.kernels.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetConfig;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.io.SafetensorsReader;
import org.ddpm4j.unet.io.SafetensorsWriter;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a U-Net on the tensors of a file, to compare it with other libraries. */
@Command(
    name = "predict",
    description = "Run a U-Net on the tensors of a file.",
    footer = {
      "",
      "Reads x [N,C,H,W] and t [N] and writes y. With --gradients it also reads g of y's shape",
      "and writes grad.<parameter>, the gradient of mean(y*g), in PyTorch's layouts; where y has",
      "a multiple of g's channels, g is repeated along them."
    })
final class PredictCommand implements Callable<Integer> {

  enum NumberFormat {
    FLOAT32(DataType.FLOAT, Precision.FLOAT32),
    /** FLOAT in which convolutions multiply numbers of less precision. */
    BFLOAT16(DataType.FLOAT, Precision.BFLOAT16),
    DOUBLE(DataType.DOUBLE, Precision.FLOAT32);

    private final DataType dataType;
    private final Precision convolutions;

    NumberFormat(DataType dataType, Precision convolutions) {
      this.dataType = dataType;
      this.convolutions = convolutions;
    }
  }

  private final Console console;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder with config.json and diffusion_pytorch_model.safetensors.")
  private Path model;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file with x and t.")
  private Path input;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file to write.")
  private Path output;

  @Option(names = "--gradients", description = "Write the gradients of all parameters, too.")
  private boolean gradients;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      converter = Names.NumberFormats.class,
      completionCandidates = Names.NumberFormats.class,
      defaultValue = Defaults.PRECISION,
      description =
          "Number format; bfloat16, of convolutions alone, needs a processor with AVX512-BF16 or"
              + " AMX: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private NumberFormat precision;

  @Mixin private LayersOptions layers;

  PredictCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    Execution execution = layers.execution(precision.dataType, precision.convolutions);
    Unet unet = UnetFolder.read(model, precision.dataType, execution);
    Map<String, INDArray> results = new LinkedHashMap<>();
    try (SafetensorsReader reader = SafetensorsReader.open(input)) {
      INDArray x = images(reader, unet.config());
      INDArray t = timesteps(reader, x);
      INDArray y = unet.predict(x, t);
      results.put("y", y);
      if (gradients) {
        Parameters gradient = unet.parameters().zerosLike();
        unet.lossAndGradient(LossFunction.INNER_PRODUCT, x, t, weights(reader, y), gradient);
        gradient.toPyTorch().forEach((name, tensor) -> results.put("grad." + name, tensor));
      }
    }
    SafetensorsWriter.write(output, results, Map.of("format", "pt"));
    console.printLine(output.toString());
    return 0;
  }

  private INDArray images(SafetensorsReader reader, UnetConfig config) throws IOException {
    INDArray x = number(reader, "x");
    if (x.rank() != 4 || x.size(0) < 1 || x.size(1) != config.inChannels()) {
      throw wrongShape("x", x, "[N,%d,H,W] with N at least 1".formatted(config.inChannels()));
    }
    int height = Math.toIntExact(x.size(2));
    int width = Math.toIntExact(x.size(3));
    BadInputException.check(
        () -> {
          config.checkImageSize(height, width);
          return x;
        });
    return x;
  }

  private INDArray timesteps(SafetensorsReader reader, INDArray x) throws IOException {
    INDArray t = number(reader, "t");
    if (t.rank() != 1 || t.length() != x.size(0)) {
      throw wrongShape("t", t, "[%d], a timestep for each image of x".formatted(x.size(0)));
    }
    return t;
  }

  private INDArray weights(SafetensorsReader reader, INDArray y) throws IOException {
    INDArray g = number(reader, "g");
    boolean fits =
        g.rank() == 4
            && g.size(0) == y.size(0)
            && g.size(1) > 0
            && y.size(1) % g.size(1) == 0
            && g.size(2) == y.size(2)
            && g.size(3) == y.size(3);
    if (!fits) {
      throw wrongShape("g", g, Arrays.toString(y.shape()) + ", that of y");
    }
    INDArray[] copies = new INDArray[(int) (y.size(1) / g.size(1))];
    Arrays.fill(copies, g);
    return copies.length == 1 ? g : Nd4j.concat(1, copies);
  }

  private INDArray number(SafetensorsReader reader, String name) throws IOException {
    return reader.tensor(name).castTo(precision.dataType);
  }

  private IOException wrongShape(String name, INDArray tensor, String expected) {
    return new IOException(
        "The tensor %s of %s has the shape %s; this U-Net takes %s."
            .formatted(name, input, Arrays.toString(tensor.shape()), expected));
  }
}

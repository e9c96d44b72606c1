package org.ddpm4j.cli.exchange;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.Inputs;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.LayersOptions;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs a U-Net on the tensors of a file, to compare it with other libraries. */
@Command(
    name = "predict",
    description = "Run a U-Net on the tensors of a file.",
    footer = {
      "",
      "Reads x [N,C,H,W] and t [N], and class_labels [N] if the network knows classes, and writes",
      "y. With --gradients it also reads g of y's shape and writes grad.<parameter>, the gradient",
      "of mean(y*g), in PyTorch's layouts, of all parameters that are trained; where y has a",
      "multiple of g's channels, or g those of x, g is repeated along them."
    })
@Introduction(example = "ddpm predict --model unet --input x.st --output y.st")
public final class PredictCommand implements Callable<Integer> {

  private static final String DEFAULT_PRECISION = "float32";

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

  private static final class NumberFormats extends EnumConverter<NumberFormat> {
    NumberFormats() {
      super(NumberFormat.class);
    }

    /** Also as it was spelled when there was no bfloat16. */
    @Override
    public NumberFormat convert(String text) {
      return text.equalsIgnoreCase("float") ? NumberFormat.FLOAT32 : super.convert(text);
    }
  }

  /** diffusers' name for them. */
  private static final String LABELS = "class_labels";

  private final Console console;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      required = true,
      description =
          "Folder of a network, with config.json and its weights, or of a pipeline, or a checkpoint"
              + " of lucidrains' trainer, or OWNER/NAME of the hub.")
  private Path model;

  @Mixin private ModelPlace place;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file with x and t, and class_labels if there are classes.")
  private Path input;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file to write.")
  private Path output;

  @Option(
      names = "--gradients",
      description = "Write the gradients of all trained parameters, too.")
  private boolean withGradients;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      converter = NumberFormats.class,
      completionCandidates = NumberFormats.class,
      defaultValue = DEFAULT_PRECISION,
      description =
          "Number format; bfloat16, of convolutions alone, needs a processor with AVX512-BF16 or"
              + " AMX: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private NumberFormat precision;

  @Mixin private LayersOptions layers;

  @Spec private CommandSpec spec;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public PredictCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    AtomicFile.requireWritable(output);
    Inputs.requireOther(spec, output);
    Execution execution = layers.execution(console, precision.dataType, precision.convolutions);
    Map<String, INDArray> results = new LinkedHashMap<>();
    Path folder = place.folder(model, console);
    Path network = ModelPlace.network(folder, console);
    try (Unet unet = read(network, execution);
        SafetensorsReader reader = SafetensorsReader.open(input)) {
      INDArray x = images(reader, unet.config());
      INDArray labels = labels(reader, unet.config(), x);
      UnetInput batch = new UnetInput(x, perImage(reader, "t", "a timestep", x), labels);
      INDArray y = unet.predict(batch);
      requireFinite(y, "output");
      results.put("y", y);
      if (withGradients) {
        Parameters gradient = unet.parameters().zerosLike();
        INDArray g = weights(reader, x, y);
        unet.vectorJacobianProduct(batch, g.div(g.length()), gradient);
        requireFinite(gradient.flat(), "gradient");
        Map<String, INDArray> gradients = gradient.toPyTorch();
        for (Parameter parameter : gradient.declarations()) {
          if (parameter.learning() == Parameter.Learning.TRAINED) {
            results.put("grad." + parameter.name(), gradients.get(parameter.name()));
          }
        }
      }
    }
    SafetensorsWriter.write(output, results, Map.of("format", "pt"));
    console.printLine(output.toString());
    return 0;
  }

  private Unet read(Path network, Execution execution) throws IOException {
    return LucidrainsCheckpoint.isFile(network)
        ? LucidrainsCheckpoint.read(network, Optional.empty(), precision.dataType, execution).unet()
        : UnetFolder.read(network, place.variant(), precision.dataType, execution);
  }

  private INDArray images(SafetensorsReader reader, UnetConfig config) throws IOException {
    INDArray x = number(reader, "x");
    if (x.rank() != 4 || x.size(0) < 1 || x.size(1) != config.inChannels()) {
      throw wrongShape("x", x, Text.format("[N,%d,H,W] with N at least 1", config.inChannels()));
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

  private INDArray perImage(SafetensorsReader reader, String name, String what, INDArray x)
      throws IOException {
    INDArray numbers = number(reader, name);
    if (numbers.rank() != 1 || numbers.length() != x.size(0)) {
      throw wrongShape(name, numbers, Text.format("[%d], %s for each image of x", x.size(0), what));
    }
    return numbers;
  }

  /** Null if the network knows no classes. */
  private INDArray labels(SafetensorsReader reader, UnetConfig config, INDArray x)
      throws IOException {
    int count = config.classEmbeddings();
    if (count == 0) {
      if (reader.names().contains(LABELS)) {
        throw new IOException(
            Text.format(
                "%s has %s, but the network in %s knows no classes; take the tensor out or another network.",
                input, LABELS, model));
      }
      return null;
    }
    INDArray labels = perImage(reader, LABELS, "a label", x);
    for (long n = 0; n < labels.length(); n++) {
      double label = labels.getDouble(n);
      if (!(label >= 0 && label < count && label == Math.rint(label))) {
        throw new IOException(
            Text.format(
                "The tensor %s of %s has %s for image %d; labels of this U-Net are whole numbers from 0 to %d.",
                LABELS, input, label, n, count - 1));
      }
    }
    return labels;
  }

  private INDArray weights(SafetensorsReader reader, INDArray x, INDArray y) throws IOException {
    INDArray g = number(reader, "g");
    boolean fits =
        g.rank() == 4
            && g.size(0) == y.size(0)
            && g.size(1) > 0
            && (y.size(1) % g.size(1) == 0 || g.size(1) == x.size(1))
            && g.size(2) == y.size(2)
            && g.size(3) == y.size(3);
    if (!fits) {
      throw wrongShape("g", g, Arrays.toString(y.shape()) + ", that of y");
    }
    if (g.size(1) == y.size(1)) {
      return g;
    }
    INDArray[] copies = new INDArray[Math.toIntExact((y.size(1) - 1) / g.size(1) + 1)];
    Arrays.fill(copies, g);
    return Nd4j.concat(1, copies)
        .get(
            NDArrayIndex.all(),
            NDArrayIndex.interval(0, y.size(1)),
            NDArrayIndex.all(),
            NDArrayIndex.all());
  }

  private INDArray number(SafetensorsReader reader, String name) throws IOException {
    INDArray numbers = reader.tensor(name).castTo(precision.dataType);
    // What is wrong with a label is said of the image that it is for.
    if (!name.equals(LABELS) && !BatchArithmetic.isFinite(numbers)) {
      throw new IOException(
          Text.format(
              "The tensor %s of %s has values that are NaN or infinite in %s; write it again.",
              name, input, EnumConverter.spelling(precision)));
    }
    return numbers;
  }

  /** Of numbers that are finite themselves, only such weights or an overflow make others. */
  private void requireFinite(INDArray output, String what) throws IOException {
    if (!BatchArithmetic.isFinite(output)) {
      throw new IOException(
          Text.format(
              "The network's %s is NaN or infinite though what it is given is not; check the weights in %s and the size of the numbers in %s, or compute in a higher --precision.",
              what, model, input));
    }
  }

  private IOException wrongShape(String name, INDArray tensor, String expected) {
    return new IOException(
        Text.format(
            "The tensor %s of %s has the shape %s; this U-Net takes %s.",
            name, input, Arrays.toString(tensor.shape()), expected));
  }
}

package org.ddpm4j.cli.draw;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ClassChoice;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.GuidanceOptions;
import org.ddpm4j.cli.options.ModelOptions;
import org.ddpm4j.cli.options.Pixels;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingListener;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Draws images with a trained network. */
@Command(
    name = "sample",
    description = "Draw images with a trained network.",
    footer = {
      "",
      "The same seed gives the same images, however many are drawn and in whatever batches.",
      "With the --model of a network alone, the schedule must be given as in training; a"
          + " pipeline's",
      "folder says it, and how to draw: --sampler and its options change that."
    })
public final class SampleCommand implements Callable<Integer> {

  private static final String DEFAULT_ANIMATED = "x0";

  enum Format {
    /** One picture of all images. */
    GRID("samples.png"),
    /** A file for each image. */
    PNG("samples"),
    /** The grid while it is being drawn. */
    GIF("samples.gif"),
    /** The numbers themselves, as the network sees pixels. */
    SAFETENSORS("samples.safetensors");

    private final String defaultOutput;

    Format(String defaultOutput) {
      this.defaultOutput = defaultOutput;
    }
  }

  /** What an animation shows. */
  enum Animated {
    /** The estimate of the final image. */
    X0,
    /** The noisy state. */
    X
  }

  private static final int MAX_COUNT = 100_000;

  /** Of a picture; a grid of 64 by 64 images of 32 by 32 pixels, twice enlarged, has a quarter. */
  private static final long MAX_PIXELS = 1L << 26;

  /** Of all frames of an animation together. */
  private static final long MAX_ANIMATION_PIXELS = 1L << 27;

  private static final int MAX_FRAMES = 32;
  private static final int MILLIS_PER_FRAME = 100;

  private final Console console;

  @Spec private CommandSpec spec;

  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_COUNT,
      description = "Number of images (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description =
          "With a network that was told classes: draw this one only, by name or number (default:"
              + " all in turn).")
  private String onlyClass;

  @Option(
      names = "--no-class",
      description =
          "With a network that was told classes: draw images of none, whatever classes are called.")
  private boolean noClass;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--noise",
      paramLabel = "FILE",
      description =
          "Safetensors file with noise [N,C,H,W], from N(0,1), that the N images begin with instead"
              + " of the seed's.")
  private Path noiseFile;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "grid",
      description =
          "${COMPLETION-CANDIDATES}: one picture, one file per image, an animation of the"
              + " denoising, or a tensor images [N,C,H,W] as the network sees pixels (default:"
              + " ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      description =
          "File, or folder for png (default: samples.png, samples/, samples.gif or"
              + " samples.safetensors in the run's folder or, with --model, here).")
  private Path output;

  @Option(
      names = "--scale",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_SCALE,
      description = "Enlargement of grid and gif, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int scale;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_BATCH_SIZE,
      description = "Images in one go (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--animate",
      paramLabel = "NAME",
      defaultValue = DEFAULT_ANIMATED,
      description =
          "What a gif shows, the estimates of the image or the noisy states:"
              + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Animated animated;

  /** What the images begin with, if it is not the seed's. */
  private Optional<INDArray> noise = Optional.empty();

  @Mixin private SamplerOptions samplerOptions;

  @Mixin private GuidanceOptions guidanceOptions;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public SampleCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::draw);
  }

  private int draw() throws IOException {
    BadInputException.requireRange("--count", count, 1, MAX_COUNT);
    BadInputException.requireRange("--batch-size", batchSize, 1, MAX_COUNT);
    BadInputException.requireRange("--scale", scale, 1, 16);
    Path target =
        Objects.requireNonNullElseGet(
            output, () -> modelOptions.defaultOutput(format.defaultOutput));
    requirePlace(target);
    DiffusionModel model = modelOptions.read(console);
    noise = noiseFile == null ? Optional.empty() : Optional.of(noise(model));
    PathSampler sampler = samplerOptions.sampler(model);
    SamplerOptions.requireX0(model, sampler.first());
    DiffusionPipeline pipeline = pipeline(model, sampler);
    switch (format) {
      case GRID -> {
        requirePixels(model, 1, MAX_PIXELS);
        Images.writePng(
            grid(sample(pipeline, SamplingListener.NONE), columns(model), model.normalization()),
            target);
      }
      case PNG -> {
        Folders.create(target);
        writeSingly(sample(pipeline, SamplingListener.NONE), model.normalization(), target);
      }
      case GIF -> {
        int frames = Math.min(MAX_FRAMES, pipeline.sampler().steps());
        requirePixels(model, frames, MAX_ANIMATION_PIXELS);
        Images.writeGif(animation(model, pipeline, frames), MILLIS_PER_FRAME, target);
      }
      case SAFETENSORS ->
          SafetensorsWriter.write(
              target, Map.of("images", sample(pipeline, SamplingListener.NONE)), Map.of());
    }
    console.printLine(target.toString());
    return 0;
  }

  /** Before the images are drawn. */
  private void requirePlace(Path target) throws IOException {
    if (format == Format.PNG) {
      Folders.requireWritable(target);
    } else {
      AtomicFile.requireWritable(target);
    }
  }

  private DiffusionPipeline pipeline(DiffusionModel model, PathSampler sampler) {
    OptionalInt chosen = ClassChoice.of(onlyClass, noClass, model);
    DiffusionPipeline pipeline = model.pipeline(sampler, guidanceOptions.guidance(model));
    return chosen.isPresent() ? pipeline.withClassOf(i -> chosen.getAsInt()) : pipeline;
  }

  /** The noise of the file, of as many images as are then drawn. */
  private INDArray noise(DiffusionModel model) throws IOException {
    if (spec.commandLine().getParseResult().hasMatchedOption("--count")) {
      throw new ParameterException(
          spec.commandLine(),
          "The option '--count' does not go with '--noise', whose file says how many images it is"
              + " for");
    }
    try (SafetensorsReader reader = SafetensorsReader.open(noiseFile)) {
      long[] found = reader.shape("noise");
      ImageShape shape = model.shape();
      if (found.length != 4
          || found[0] < 1
          || found[0] > MAX_COUNT
          || found[1] != shape.channels()
          || found[2] != shape.height()
          || found[3] != shape.width()) {
        throw new IOException(
            String.format(
                Locale.ROOT,
                "The tensor noise of %s has the shape %s; it must be [N,%d,%d,%d], N images from 1 to %d.",
                noiseFile,
                Arrays.toString(found),
                shape.channels(),
                shape.height(),
                shape.width(),
                MAX_COUNT));
      }
      count = (int) found[0];
      INDArray noise = reader.tensor("noise").castTo(DataType.FLOAT);
      if (!NotFiniteException.isFinite(noise)) {
        throw new IOException(
            String.format(
                Locale.ROOT,
                "The tensor noise of %s has values that are NaN or infinite; write it again, from N(0,1).",
                noiseFile));
      }
      return noise;
    }
  }

  private void requirePixels(DiffusionModel model, int frames, long max) {
    ImageShape shape = model.shape();
    Pixels.requirePictures(shape);
    long columns = Images.squareColumns(count);
    long pixels =
        columns * columns * (shape.height() * scale + 1L) * (shape.width() * scale + 1L) * frames;
    if (pixels > max) {
      throw new BadInputException(
          String.format(
              Locale.ROOT,
              "%d images of %s at --scale %d make too large a picture; lower --count or --scale, or choose --format png.",
              count,
              shape,
              scale));
    }
  }

  private INDArray sample(DiffusionPipeline pipeline, SamplingListener listener) {
    SamplingOptions options =
        SamplingOptions.defaults().withBatchSize(batchSize).withListener(listener);
    return Progress.ofSampling(
        console,
        pipeline,
        count,
        options,
        reporting ->
            noise.isPresent()
                ? pipeline.sampleFrom(noise.get(), seed, reporting)
                : pipeline.sample(count, seed, reporting));
  }

  /** A column for each class where classes take turns, otherwise a roughly square picture. */
  private int columns(DiffusionModel model) {
    int classes = model.isClassConditional() ? model.classNames().size() : 0;
    return onlyClass == null && !noClass && classes > 1 && count % classes == 0
        ? classes
        : Images.squareColumns(count);
  }

  private BufferedImage grid(INDArray images, int columns, Normalization normalization) {
    return Images.grid(images, columns, scale, normalization);
  }

  private void writeSingly(INDArray images, Normalization normalization, Path folder)
      throws IOException {
    int digits = Math.max(4, Integer.toString(count - 1).length());
    for (int i = 0; i < count; i++) {
      Cancellation.NONE.check();
      Images.writePng(
          Images.toPicture(images.slice(i), normalization),
          folder.resolve(String.format(Locale.ROOT, "%0" + digits + "d.png", i)));
    }
  }

  private List<BufferedImage> animation(
      DiffusionModel model, DiffusionPipeline pipeline, int frames) {
    int allSteps = pipeline.sampler().steps();
    FrameCollector collector = new FrameCollector(allSteps, frames, count, model.shape());
    sample(pipeline, (now, x, x0) -> collector.add(now.step(), animated == Animated.X0 ? x0 : x));
    List<BufferedImage> pictures = new ArrayList<>();
    for (INDArray frame : collector.frames()) {
      pictures.add(grid(frame, columns(model), model.normalization()));
    }
    return pictures;
  }
}

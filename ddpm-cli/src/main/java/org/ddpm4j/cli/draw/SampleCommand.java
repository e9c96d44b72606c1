package org.ddpm4j.cli.draw;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ClassChoice;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.GuidanceOptions;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Inputs;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelOptions;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.image.ImageGrid;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.BatchConsumer;
import org.ddpm4j.diffusion.pipeline.BatchNoise;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingListener;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Draws images with a trained network. */
@Command(
    name = "sample",
    description = "Draw images with a trained network.",
    footer = {
      "",
      "The same seed gives the same images, however many are drawn and in whatever batches.",
      "With --format png each is written when it is ready; after Ctrl-C the same command goes on.",
      "With the --model of a network alone, the schedule must be given as in training; a"
          + " pipeline's",
      "folder says it, and how to draw: --sampler and its options change that."
    })
@Introduction(
    example = "ddpm sample --count 16 --sampler unipc --steps 10",
    first = {
      "--run",
      "--model",
      "--count",
      "--class",
      "--seed",
      "--sampler",
      "--steps",
      "--guidance",
      "--format",
      "--output"
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

    /** Of the name of a file. */
    private String ending() {
      return defaultOutput.substring(defaultOutput.lastIndexOf('.') + 1);
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

  @HasEffect(without = "--noise", because = "whose file says how many images it is for")
  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_COUNT,
      description = "Number of images (default: ${DEFAULT-VALUE}).")
  private int count;

  @HasEffect(without = "--no-class", decidedBy = ClassChoice.class)
  @Option(
      names = "--class",
      paramLabel = "NAME",
      description =
          "With a network that was told classes: draw this one only, by name or number (default:"
              + " all in turn).")
  private String onlyClass;

  @HasEffect(without = "--class", decidedBy = ClassChoice.class)
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
          "${COMPLETION-CANDIDATES}: one picture, with a column for each class where they come out"
              + " even, one file per image, an animation of the denoising, or a tensor images"
              + " [N,C,H,W] as the network sees pixels (default: ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      description =
          "File, or folder for png (default: samples.png, samples/, samples.gif or"
              + " samples.safetensors in the run's folder or, with --model, here).")
  private Path output;

  @HasEffect(with = "--format=grid|gif", because = "which is not enlarged")
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

  @HasEffect(with = "--format=gif")
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

  private Optional<String> noiseSum = Optional.empty();

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
    Path target = output == null ? modelOptions.defaultOutput(format.defaultOutput) : output;
    requirePlace(target);
    DiffusionModel model = modelOptions.read(console);
    noise = noiseFile == null ? Optional.empty() : Optional.of(noise(model));
    PathSampler sampler = samplerOptions.sampler(model);
    SamplerOptions.requireX0(model, sampler.first());
    DiffusionPipeline pipeline = pipeline(model, sampler);
    switch (format) {
      case GRID -> {
        requirePixels(model, 1, MAX_PIXELS);
        Images.writePng(grid(model, pipeline), target);
      }
      case PNG -> {
        Outputs.requirePictures(model.shape());
        drawSingly(model, pipeline, target);
      }
      case GIF -> {
        int frames = Math.min(MAX_FRAMES, pipeline.sampler().steps());
        requirePixels(model, frames, MAX_ANIMATION_PIXELS);
        Images.writeGif(animation(model, pipeline, frames), MILLIS_PER_FRAME, target);
      }
      case SAFETENSORS -> {
        ImageShape shape = model.shape();
        requireBytes(shape);
        SafetensorsWriter.writeInParts(
            target,
            "images",
            DataType.FLOAT,
            new long[] {count, shape.channels(), shape.height(), shape.width()},
            next ->
                drawAll(
                    pipeline,
                    SamplingListener.NONE,
                    (first, images) -> {
                      next.accept(images);
                      release(images);
                    }));
      }
    }
    console.printLine(target.toString());
    return 0;
  }

  /** Before the images are drawn. */
  private void requirePlace(Path target) throws IOException {
    if (format == Format.PNG) {
      Folders.requireWritable(target);
    } else {
      Outputs.requireKind("--output", target, format.ending());
      AtomicFile.requireWritable(target);
      Inputs.requireOther(spec, target);
    }
  }

  private DiffusionPipeline pipeline(DiffusionModel model, PathSampler sampler) {
    OptionalInt chosen = ClassChoice.of(onlyClass, noClass, model);
    DiffusionPipeline pipeline = model.pipeline(sampler, guidanceOptions.guidance(model));
    return chosen.isPresent() ? pipeline.withClassOf(i -> chosen.getAsInt()) : pipeline;
  }

  /** The noise of the file, of as many images as are then drawn. */
  private INDArray noise(DiffusionModel model) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(noiseFile)) {
      long[] found = reader.shape("noise");
      ImageShape shape = model.stateShape();
      if (found.length != 4
          || found[0] < 1
          || found[0] > MAX_COUNT
          || found[1] != shape.channels()
          || found[2] != shape.height()
          || found[3] != shape.width()) {
        throw new IOException(
            Text.format(
                "The tensor noise of %s has the shape %s; it must be [N,%d,%d,%d], N images from 1 to %d.",
                noiseFile,
                Arrays.toString(found),
                shape.channels(),
                shape.height(),
                shape.width(),
                MAX_COUNT));
      }
      count = (int) found[0];
      noiseSum = Optional.of(Long.toHexString(reader.crc32c()));
      INDArray noise = reader.tensor("noise").castTo(DataType.FLOAT);
      if (!BatchArithmetic.isFinite(noise)) {
        throw new IOException(
            Text.format(
                "The tensor noise of %s has values that are NaN or infinite; write it again, from N(0,1).",
                noiseFile));
      }
      return noise;
    }
  }

  private void requirePixels(DiffusionModel model, int frames, long max) {
    ImageShape shape = model.shape();
    Outputs.requirePictures(shape);
    long columns = columns(model);
    long rows = (count + columns - 1) / columns;
    long pixels =
        columns * rows * (shape.height() * scale + 1L) * (shape.width() * scale + 1L) * frames;
    if (pixels > max) {
      throw new BadInputException(
          "%d image(s) of %s at --scale %d would make too large a picture; lower --count or --scale, or choose --format png.",
          count, shape, scale);
    }
  }

  /** A tensor of a file has at most as many bytes as Java counts. */
  private void requireBytes(ImageShape shape) {
    long bytesOfOne = 4L * shape.channels() * shape.height() * shape.width();
    if (count * bytesOfOne > Integer.MAX_VALUE) {
      throw new BadInputException(
          "%d image(s) of %s cannot go into one tensor; draw at most %d with --format safetensors, or choose --format png.",
          count, shape, Integer.MAX_VALUE / bytesOfOne);
    }
  }

  private void drawAll(
      DiffusionPipeline pipeline, SamplingListener listener, BatchConsumer consumer)
      throws IOException {
    draw(pipeline, IntStream.range(0, batches()).toArray(), listener, consumer);
  }

  /**
   * Memory outside of the heap: the garbage collector sees small objects only, and may wait long.
   */
  private static void release(INDArray images) {
    if (images.closeable()) {
      images.close();
    }
  }

  private int batches() {
    return (count - 1) / batchSize + 1;
  }

  /**
   * Draws batches while the console shows how far it is. An image is always drawn in the batch of
   * its number, so that it comes out alike whatever else is drawn.
   */
  private void draw(
      DiffusionPipeline pipeline, int[] numbers, SamplingListener listener, BatchConsumer consumer)
      throws IOException {
    BatchNoise starts =
        noise
            .map(values -> BatchNoise.startingFrom(values, seed))
            .orElseGet(() -> BatchNoise.seeded(seed));
    long steps = (long) numbers.length * pipeline.sampler().steps();
    try (Progress progress = new Progress(console, "sample", "steps", 0, steps)) {
      long[] done = {0};
      SamplingOptions options =
          SamplingOptions.defaults()
              .withBatchSize(batchSize)
              .withListener(listener.and((now, x, x0) -> progress.update(++done[0], "")));
      for (int number : numbers) {
        int first = number * batchSize;
        int end = (int) Math.min(count, first + (long) batchSize);
        pipeline.sampleInBatches(first, end, starts, options, consumer);
      }
    }
  }

  /** A column for each class where classes take turns, otherwise a roughly square picture. */
  private int columns(DiffusionModel model) {
    int classes = model.isClassConditional() ? model.classNames().size() : 0;
    return onlyClass == null && !noClass && classes > 1 && count % classes == 0
        ? classes
        : Images.squareColumns(count);
  }

  private BufferedImage grid(DiffusionModel model, DiffusionPipeline pipeline) throws IOException {
    ImageShape shape = model.shape();
    ImageGrid grid =
        new ImageGrid(
            count,
            columns(model),
            shape.channels(),
            shape.height(),
            shape.width(),
            scale,
            model.normalization());
    drawAll(
        pipeline,
        SamplingListener.NONE,
        (first, images) -> {
          grid.add(first, images);
          release(images);
        });
    return grid.picture();
  }

  /** Draws what the folder lacks, and writes each batch before the next is begun. */
  private void drawSingly(DiffusionModel model, DiffusionPipeline pipeline, Path target)
      throws IOException {
    try (SampleFolder folder =
        SampleFolder.open(target, SampleFacts.of(spec, model, noiseSum), count)) {
      note(folder.present(), "sample: %d of %d images are there already", count);
      note(
          folder.beyond(),
          "sample: the folder has %d more image(s), of an earlier call that drew more");
      int[] missing =
          IntStream.range(0, batches())
              .filter(
                  number ->
                      IntStream.range(
                              number * batchSize, (int) Math.min(count, (number + 1L) * batchSize))
                          .anyMatch(folder::isMissing))
              .toArray();
      try {
        draw(
            pipeline,
            missing,
            SamplingListener.NONE,
            (first, images) -> {
              for (int i = 0; i < images.size(0); i++) {
                folder.write(first + i, Images.toPicture(images.slice(i), model.normalization()));
              }
              release(images);
              Cancellation.NONE.check();
            });
      } catch (CancellationException e) {
        noteInterrupted(folder.present(), target);
        throw e;
      }
    }
  }

  private void noteInterrupted(int ready, Path target) {
    if (ready == 0) {
      console.note("sample: interrupted before the first image was ready");
    } else {
      console.note(
          "sample: interrupted; %d of %d images are in %s, and the same command goes on",
          ready, count, target);
    }
  }

  /** Says how many images there are, if there are any. */
  private void note(long number, String format, Object... more) {
    if (number > 0) {
      Object[] all = Stream.concat(Stream.of(number), Arrays.stream(more)).toArray();
      console.note(format, all);
    }
  }

  private List<BufferedImage> animation(
      DiffusionModel model, DiffusionPipeline pipeline, int frames) throws IOException {
    int allSteps = pipeline.sampler().steps();
    FrameCollector collector = new FrameCollector(allSteps, frames, count, model.stateShape());
    drawAll(
        pipeline,
        (now, x, x0) -> collector.add(now.step(), animated == Animated.X0 ? x0 : x),
        (first, images) -> release(images));
    List<BufferedImage> pictures = new ArrayList<>();
    for (INDArray frame : collector.frames()) {
      pictures.add(Images.grid(model.decode(frame), columns(model), scale, model.normalization()));
    }
    return pictures;
  }
}

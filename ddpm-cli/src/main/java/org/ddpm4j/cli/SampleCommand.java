package org.ddpm4j.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.run.SamplerConfig;
import org.ddpm4j.diffusion.run.SamplerType;
import org.ddpm4j.diffusion.run.ScheduleConfig;
import org.ddpm4j.diffusion.run.ScheduleType;
import org.ddpm4j.diffusion.sampling.Cancellation;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.io.Folders;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.ArgGroup;
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
      "With --model, the schedule and the size of the images must be given as in training."
    })
final class SampleCommand implements Callable<Integer> {

  enum Format {
    /** One picture of all images. */
    GRID("samples.png"),
    /** A file for each image. */
    PNG("samples"),
    /** The grid while it is being drawn. */
    GIF("samples.gif");

    private final Path defaultOutput;

    Format(String defaultOutput) {
      this.defaultOutput = Path.of(defaultOutput);
    }
  }

  /** What is done to each estimate of x0. */
  enum Clip {
    NONE {
      @Override
      X0Constraint constraint(Normalization normalization) {
        return X0Constraint.NONE;
      }
    },
    /** To the values that pixels can have. */
    RANGE {
      @Override
      X0Constraint constraint(Normalization normalization) {
        return X0Constraint.clip(normalization);
      }
    },
    /** To a range of its own, which is then made [-1,1]. */
    DYNAMIC {
      @Override
      X0Constraint constraint(Normalization normalization) {
        if (!normalization.equals(Normalization.SYMMETRIC)) {
          throw new BadInputException(
              "Dynamic thresholding is for images in [-1,1]; this network's are normalised otherwise, so choose --clip range or none.");
        }
        return X0Constraint.dynamicThreshold(Double.parseDouble(Defaults.DYNAMIC_THRESHOLD));
      }
    };

    abstract X0Constraint constraint(Normalization normalization);
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

  @ArgGroup(exclusive = true)
  private Source source = new Source();

  private static final class Source {
    @Option(
        names = "--run",
        paramLabel = "DIR",
        description = "Folder that train made (default: the model of clothes that ddpm4j brings).")
    private Path run;

    @Option(
        names = "--model",
        paramLabel = "DIR",
        description = "Folder with config.json and diffusion_pytorch_model.safetensors.")
    private Path model;
  }

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
          "With a network that was told classes: draw this one only, by name or number, or none"
              + " (default: all in turn).")
  private String onlyClass;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Denoising steps, 1 to T, spread over the chain (default: "
              + Defaults.SAMPLE_STEPS
              + ").")
  private Integer steps;

  @Option(
      names = "--sampler",
      paramLabel = "NAME",
      converter = Names.Samplers.class,
      completionCandidates = Names.Samplers.class,
      defaultValue = Defaults.SAMPLER,
      description = "How: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private SamplerType samplerType;

  @Option(
      names = "--spacing",
      paramLabel = "NAME",
      converter = Names.Spacing.class,
      completionCandidates = Names.Spacing.class,
      description =
          "Which timesteps the steps are at: ${COMPLETION-CANDIDATES} (default: leading for ddim,"
              + " pndm and plms, linspace for the others).")
  private TimestepSpacing spacing;

  @Option(
      names = "--karras",
      description =
          "Take the noise levels of Karras et al. instead (not with ddpm, pndm and plms).")
  private boolean isKarras;

  @Option(
      names = "--order",
      paramLabel = "N",
      description =
          "Order of dpm++, dpm++-sde, unipc and deis, 1 to 3 (default: 2), or of lms, 1 to 4"
              + " (default: 4).")
  private Integer order;

  @Option(
      names = "--eta",
      paramLabel = "X",
      description = "Noise of ddim, from 0, none, to 1, as much as ddpm (default: 0).")
  private Double eta;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = Names.SampleFormats.class,
      completionCandidates = Names.SampleFormats.class,
      defaultValue = "grid",
      description =
          "${COMPLETION-CANDIDATES}: one picture, one file per image, or an animation of the"
              + " denoising (default: ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      description =
          "File, or folder for png (default: samples.png, samples/ or samples.gif in the run's"
              + " folder ${sys:line.separator}or, with --model, here).")
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
      names = "--variance",
      paramLabel = "NAME",
      converter = Names.Variance.class,
      completionCandidates = Names.Variance.class,
      description =
          "Variance of ddpm's reverse process: ${COMPLETION-CANDIDATES} (default: learned if the"
              + " network has, or else "
              + Defaults.VARIANCE
              + ").")
  private ReverseVariance variance;

  @Option(
      names = "--clip",
      paramLabel = "NAME",
      converter = Names.Clip.class,
      completionCandidates = Names.Clip.class,
      defaultValue = Defaults.CLIP,
      description =
          "Whether estimates of x0 are clipped, to the values that pixels can have or by dynamic"
              + " thresholding: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Clip clip;

  @Option(
      names = "--animate",
      paramLabel = "NAME",
      converter = Names.Animated.class,
      completionCandidates = Names.Animated.class,
      defaultValue = Defaults.ANIMATED,
      description =
          "What a gif shows, the estimates of the image or the noisy states:"
              + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Animated animated;

  @Option(
      names = "--weights",
      paramLabel = "NAME",
      converter = Names.Weights.class,
      completionCandidates = Names.Weights.class,
      description =
          "With --run: the moving average or the last weights: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.WEIGHTS
              + ").")
  private TrainedRun.Weights weights;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "With --run: which checkpoint (default: the newest).")
  private Path checkpoint;

  @Option(
      names = "--schedule",
      paramLabel = "TYPE",
      converter = Names.Schedule.class,
      completionCandidates = Names.Schedule.class,
      defaultValue = Defaults.SCHEDULE,
      description =
          "With --model: the noise schedule, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private ScheduleType schedule;

  @Mixin private ChainOptions chain;

  @Option(
      names = "--parameterization",
      paramLabel = "NAME",
      converter = Names.Parameterizations.class,
      completionCandidates = Names.Parameterizations.class,
      defaultValue = Defaults.PARAMETERIZATION,
      description =
          "With --model: what the network predicts, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private Parameterization parameterization;

  @Option(
      names = "--size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description = "With --model: height and width of the images, as in 32x32, or one number.")
  private Size size;

  @Option(
      names = "--normalization",
      paramLabel = "NAME",
      converter = Names.PixelScales.class,
      completionCandidates = Names.PixelScales.class,
      defaultValue = Defaults.NORMALIZATION,
      description =
          "With --model: how the network sees pixels, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}, which is [-1,1]).")
  private Pixels pixels;

  @Mixin private ExecutionOptions execution;

  SampleCommand(Console console) {
    this.console = console;
  }

  /** A network, its schedule and the images that it makes. */
  private record Model(
      Unet unet,
      Parameterization parameterization,
      ScheduleConfig schedule,
      ImageShape shape,
      Normalization normalization,
      List<String> classNames,
      Path folder) {}

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::draw);
  }

  private int draw() throws IOException {
    BadInputException.requireRange("--count", count, 1, MAX_COUNT);
    BadInputException.requireRange("--batch-size", batchSize, 1, MAX_COUNT);
    BadInputException.requireRange("--scale", scale, 1, 16);
    Model model = source.model == null ? ofRun() : ofModelFolder();
    Drawing drawing =
        Sampling.drawing(
            model.unet(),
            model.parameterization(),
            model.schedule(),
            model.shape(),
            Sampling.steps(steps, model.schedule()),
            samplerConfig(model),
            clip.constraint(model.normalization()),
            Sampling.classOf(onlyClass, model.classNames(), model.unet().config()));
    Path target = Objects.requireNonNullElse(output, model.folder().resolve(format.defaultOutput));
    switch (format) {
      case GRID -> {
        requirePixels(model.shape(), 1, MAX_PIXELS);
        Images.writePng(
            grid(sample(drawing, SamplingObserver.NONE), columns(model), model.normalization()),
            target);
      }
      case PNG -> {
        Folders.create(target);
        writeSingly(sample(drawing, SamplingObserver.NONE), model.normalization(), target);
      }
      case GIF -> {
        int frames = Math.min(MAX_FRAMES, drawing.sampler().steps());
        requirePixels(model.shape(), frames, MAX_ANIMATION_PIXELS);
        Images.writeGif(animation(drawing, model, frames), MILLIS_PER_FRAME, target);
      }
    }
    console.printLine(target.toString());
    return 0;
  }

  private SamplerConfig samplerConfig(Model model) {
    ReverseVariance reverseVariance =
        samplerType == SamplerType.DDPM
            ? Sampling.variance(variance, model.unet().config())
            : variance;
    return BadInputException.check(
        () ->
            new SamplerConfig(
                samplerType,
                spacing,
                0,
                isKarras,
                order,
                eta,
                reverseVariance,
                null,
                Convention.PAPER));
  }

  private Model ofRun() throws IOException {
    for (String option :
        List.of(
            "--schedule",
            "--timesteps",
            "--beta-start",
            "--beta-end",
            "--parameterization",
            "--zero-terminal-snr",
            "--size",
            "--normalization")) {
      refuse(option, "--run, whose configuration says it");
    }
    Path folder =
        TrainedRun.folder(source.run, spec, "one of '--run=DIR' and '--model=DIR' is needed");
    TrainedRun run = TrainedRun.read(folder, checkpoint, weights, execution.execution());
    return new Model(
        run.unet(),
        run.parameterization(),
        run.config().schedule(),
        run.config().data().shape(),
        run.config().data().normalization(),
        run.config().data().classNames(),
        source.run == null ? Path.of("") : folder);
  }

  private Model ofModelFolder() throws IOException {
    refuse("--checkpoint", "--model, which has none");
    refuse("--weights", "--model, which has only one set");
    if (size == null) {
      throw new ParameterException(
          spec.commandLine(), "Missing option '--size=HxW', which '--model' needs");
    }
    Unet unet = UnetFolder.read(source.model, DataType.FLOAT, execution.execution());
    Normalization normalization = pixels.normalization();
    ImageShape shape =
        BadInputException.check(
            () -> {
              normalization.requireChannels(unet.config().inChannels());
              unet.config().checkImageSize(size.height(), size.width());
              return new ImageShape(unet.config().inChannels(), size.height(), size.width());
            });
    return new Model(
        unet,
        parameterization,
        chain.config(schedule),
        shape,
        normalization,
        List.of(),
        Path.of(""));
  }

  private void refuse(String option, String why) {
    if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
      throw new ParameterException(
          spec.commandLine(), "The option '%s' does not go with %s".formatted(option, why));
    }
  }

  private void requirePixels(ImageShape shape, int frames, long max) {
    long columns = Images.squareColumns(count);
    long pixels =
        columns * columns * (shape.height() * scale + 1L) * (shape.width() * scale + 1L) * frames;
    if (pixels > max || (shape.channels() != 1 && shape.channels() != 3)) {
      throw new BadInputException(
          shape.channels() != 1 && shape.channels() != 3
              ? "Images of %d channels cannot become pictures; only 1 (grey) and 3 (colour) can."
                  .formatted(shape.channels())
              : "%d images of %s at --scale %d make too large a picture; lower --count or --scale, or choose --format png."
                  .formatted(count, shape, scale));
    }
  }

  private INDArray sample(Drawing drawing, SamplingObserver observer) {
    return Sampling.sample(console, drawing, count, seed, batchSize, observer);
  }

  /** A column for each class where classes take turns, otherwise a roughly square picture. */
  private int columns(Model model) {
    int classes = model.unet().config().classEmbeddings() == 0 ? 0 : model.classNames().size();
    return onlyClass == null && classes > 1 && count % classes == 0
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
          folder.resolve(("%0" + digits + "d.png").formatted(i)));
    }
  }

  private List<BufferedImage> animation(Drawing drawing, Model model, int frames) {
    int allSteps = drawing.sampler().steps();
    FrameCollector collector = new FrameCollector(allSteps, frames, count, drawing.shape());
    sample(
        drawing, (stepsDone, x, x0) -> collector.add(stepsDone, animated == Animated.X0 ? x0 : x));
    List<BufferedImage> pictures = new ArrayList<>();
    for (INDArray frame : collector.frames()) {
      pictures.add(grid(frame, columns(model), model.normalization()));
    }
    return pictures;
  }
}

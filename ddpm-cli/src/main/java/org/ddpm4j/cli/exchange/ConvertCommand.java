package org.ddpm4j.cli.exchange;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Inputs;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.KnownDataSet;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.options.NetworkWords;
import org.ddpm4j.cli.options.OptionRules;
import org.ddpm4j.cli.options.SamplerTypeOptions;
import org.ddpm4j.cli.options.Size;
import org.ddpm4j.cli.options.SizeConverter;
import org.ddpm4j.cli.options.Version;
import org.ddpm4j.cli.options.WeightsOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.OnnxFile;
import org.ddpm4j.unet.SameDiffFile;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.DiffusersNetwork;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes the folder of one program of that of another. */
@Command(
    name = "convert",
    description =
        "Make a diffusers pipeline of a run, a run of a diffusers pipeline, or an ONNX model or"
            + " SameDiff graph of any network.",
    footer = {
      "",
      "A run's moving average goes to diffusers, with --sampler and its options as the scheduler;",
      "only networks that were trained with --network unet2d can go there. A pipeline becomes the",
      "folder of a run that sample, evaluate and info work on, and that cannot be resumed; so",
      "does a checkpoint of lucidrains' trainer, with --size. A SameDiff graph, of any of these or",
      "of a network's folder, predicts for images of one size in every ND4J program, and an ONNX",
      "model wherever ONNX Runtime runs."
    })
@Introduction(
    example = "ddpm convert --model pipeline --to run --output converted",
    first = {
      "--to",
      "--run",
      "--model",
      "--output",
      "--size",
      "--dataset",
      "--sampler",
      "--weights",
      "--checkpoint",
      "--variant"
    })
public final class ConvertCommand implements Callable<Integer> {

  /** What is made. */
  enum Target {
    /** The folder of a diffusers pipeline. */
    DIFFUSERS,
    /** The folder of a run, without checkpoints. */
    RUN,
    /** A graph of ND4J's own operations in a file. */
    SAMEDIFF,
    /** A graph of ONNX's operations in a file. */
    ONNX
  }

  /** Of which network of a pipeline the graph is. */
  enum Part {
    /** The one that denoises. */
    NETWORK,
    /** Of the autoencoder: latents of images. */
    ENCODER,
    /** Of the autoencoder: images of latents. */
    DECODER
  }

  private final Console console;

  @Spec private CommandSpec spec;

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(
        names = "--run",
        paramLabel = "DIR",
        description = "Folder that train made, for --to diffusers, samediff and onnx.")
    private Path run;

    @Option(
        names = {"--model", "--from"},
        paramLabel = "MODEL",
        description =
            "Folder of a diffusers pipeline, or OWNER/NAME of the hub, or of a network alone, for --to"
                + " samediff and onnx; or a checkpoint of lucidrains' trainer, model-N.pt (or .pth,"
                + " .ckpt, .bin, .safetensors), for --to run, samediff and onnx. With --to diffusers the pipeline is written anew, its"
                + " weights as safetensors of float32.")
    private Path model;
  }

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      required = true,
      description = "What to make: ${COMPLETION-CANDIDATES}.")
  private Target target;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      required = true,
      description =
          "Folder to make, never one that holds files; with --to samediff and onnx a file, by"
              + " convention *.fb and *.onnx.")
  private Path output;

  @HasEffect(unless = HasEffect.Fact.FOLDER)
  @Mixin
  private WeightsOptions weights;

  @HasEffect(with = "--model")
  @Mixin
  private ModelPlace place;

  @HasEffect(
      with = "--to=onnx",
      without = "--run",
      because = "which writes the network that denoises")
  @Option(
      names = "--part",
      paramLabel = "NAME",
      defaultValue = "network",
      description =
          "With --to onnx, of a pipeline of latents: ${COMPLETION-CANDIDATES}; the two halves of the"
              + " autoencoder scale latents as the pipeline does (default: ${DEFAULT-VALUE}).")
  private Part part;

  @HasEffect(with = "--to=run|samediff|onnx", because = "since the run says it")
  @Option(
      names = "--size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description =
          "With --to run, samediff and onnx: height and width of the images, or of the latents that a"
              + " network denoises (default: those of the run, or the sample_size of the network).")
  private Size size;

  @HasEffect(with = "--to=run", because = "which has no place for it")
  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      description =
          "With --to run: what the network was trained on, which evaluate asks for:"
              + " ${COMPLETION-CANDIDATES} (default: not known).")
  private KnownDataSet dataSet;

  @HasEffect(with = "--to=diffusers", without = "--model", because = "whose own scheduler is kept")
  @Mixin
  private SamplerTypeOptions sampler;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::convert);
  }

  private int convert() throws IOException {
    if (target == Target.SAMEDIFF || target == Target.ONNX) {
      AtomicFile.requireWritable(output);
      Inputs.requireOther(spec, output);
    } else {
      Folders.requireWritable(output);
    }
    switch (target) {
      case DIFFUSERS -> toDiffusers();
      case RUN -> toRun();
      case SAMEDIFF, ONNX -> toGraph();
    }
    console.printLine(output.toString());
    return 0;
  }

  private void toDiffusers() throws IOException {
    if (source.model != null) {
      rewritePipeline();
      return;
    }
    requireSource(source.run, "--run");
    try (DiffusionModel model = weights.read(source.run, Execution.automatic())) {
      requireForDiffusers(model);
      DiffusersPipeline pipeline =
          BadInputException.check(() -> model.toPipeline(sampler.forDiffusers(model)));
      try (pipeline) {
        write(pipeline);
      }
      if (model.isClassConditional()) {
        console.note(
            "convert: the network is told classes, which diffusers' own pipeline of it cannot do; call its unet with class_labels");
      }
    }
  }

  /** In the layout and the format of today, whatever the source has. */
  private void rewritePipeline() throws IOException {
    Path model = place.folder(source.model, console);
    if (LucidrainsCheckpoint.isFile(model)) {
      throw new BadInputException(
          "diffusers has no network like those of %s, a checkpoint; only a UNet2DModel can go there. Make a run of it by --to run, or a graph by --to onnx.",
          model);
    }
    try (DiffusersPipeline pipeline = pipeline(model)) {
      write(pipeline);
    }
  }

  private DiffusersPipeline pipeline(Path model) throws IOException {
    OptionRules.refuse(spec, HasEffect.Fact.FOLDER);
    if (!PipelineFolder.isPipeline(model)) {
      throw new BadInputException(
          "%s %s; name by --model a diffusers pipeline, a folder with model_index.json, or a checkpoint of lucidrains' trainer, model-N.pt.",
          model,
          Files.exists(model)
              ? "holds neither a pipeline nor such a checkpoint"
              : "does not exist");
    }
    return PipelineFolder.read(model, place.variant(), DataType.FLOAT, Execution.automatic());
  }

  /** From here on a file that is under way is ended, and then a new folder taken back. */
  private static void requireNotInterrupted() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("The conversion was interrupted.");
    }
  }

  private void write(DiffusersPipeline pipeline) throws IOException {
    requireNotInterrupted();
    PipelineFolder.write(
        output, BadInputException.check(() -> PipelineFolder.requireDrawable(pipeline)));
  }

  /** As the library's own checks, but in terms of options. */
  private static void requireForDiffusers(DiffusionModel model) {
    UnetConfig network = model.unet().config();
    if (!(network instanceof DiffusersNetwork)) {
      throw new BadInputException(
          "diffusers has no network like this one (%s); only a UNet2DModel can go there, so train one with --network unet2d.",
          NetworkWords.describe(network));
    }
    if (!model.normalization().equals(DiffusersPipeline.normalization(model.parameterization()))) {
      throw new BadInputException(
          "The images of a diffusers pipeline are in [-1,1], and this run's were normalised"
              + " otherwise; train one with --normalization symmetric.");
    }
  }

  private void toRun() throws IOException {
    requireSource(source.model, "--model");
    Path model = place.folder(source.model, console);
    if (LucidrainsCheckpoint.isFile(model)) {
      checkpointToRun(model);
      return;
    }
    try (DiffusersPipeline pipeline = pipeline(model)) {
      if (pipeline.autoencoder().isPresent()) {
        throw new BadInputException(
            "A run has no place for an autoencoder, and this pipeline denoises latents; draw with its folder by --model.");
      }
      Unet unet = pipeline.unet();
      ImageShape shape = shape(unet.config());
      createRun(unet, "a diffusers pipeline", () -> DiffusionModel.of(pipeline, shape));
    }
  }

  private void checkpointToRun(Path file) throws IOException {
    try (LucidrainsCheckpoint checkpoint = checkpoint(file)) {
      Unet unet = checkpoint.unet();
      ImageShape shape = shape(unet.config());
      createRun(unet, "a checkpoint of lucidrains", () -> DiffusionModel.of(checkpoint, shape));
    }
  }

  private LucidrainsCheckpoint checkpoint(Path file) throws IOException {
    OptionRules.refuse(spec, HasEffect.Fact.CHECKPOINT);
    return LucidrainsCheckpoint.read(file, weights.chosen(), DataType.FLOAT, Execution.automatic());
  }

  private void createRun(Unet unet, String origin, Supplier<DiffusionModel> model)
      throws IOException {
    String version = Version.current();
    DataDescription data =
        DataDescription.unseen(
            dataSet == null ? DataDescription.UNKNOWN : EnumConverter.spelling(dataSet),
            "trained elsewhere, " + origin);
    RunConfig config =
        BadInputException.check(
            () -> RunConfig.untrained(version, model.get().description(), data));
    requireNotInterrupted();
    RunFolder.create(output, config, unet);
  }

  private void toGraph() throws IOException {
    if (source.run != null) {
      try (DiffusionModel model = weights.read(source.run, Execution.automatic())) {
        Unet unet = model.unet();
        writeGraph(unet, size == null ? model.shape() : imagesOfSize(unet.config()));
      }
      return;
    }
    Path model = place.folder(source.model, console);
    boolean isCheckpoint = LucidrainsCheckpoint.isFile(model);
    if (!isCheckpoint) {
      OptionRules.refuse(spec, HasEffect.Fact.FOLDER);
    }
    if (part != Part.NETWORK) {
      writeHalf(model);
      return;
    }
    if (isCheckpoint) {
      try (LucidrainsCheckpoint checkpoint = checkpoint(model)) {
        writeGraph(checkpoint.unet(), shape(checkpoint.unet().config()));
      }
      return;
    }
    Path network = ModelPlace.network(model, console);
    try (Unet unet =
        UnetFolder.read(network, place.variant(), DataType.FLOAT, Execution.automatic())) {
      writeGraph(unet, shape(unet.config()));
    }
  }

  private void writeHalf(Path model) throws IOException {
    Path folder =
        PipelineFolder.autoencoder(model)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "%s has no autoencoder, no folder vqvae or vae with a %s; leave out --part.",
                        model, UnetFolder.CONFIG));
    try (Autoencoder autoencoder =
        AutoencoderFolder.read(folder, place.variant(), DataType.FLOAT, Execution.automatic())) {
      Unet2D.ImageSize own = autoencoder.config().images().size();
      requireNotInterrupted();
      int height = size == null ? own.height() : size.height();
      int width = size == null ? own.width() : size.width();
      if (part == Part.ENCODER) {
        OnnxFile.writeEncoder(output, autoencoder, height, width);
      } else {
        OnnxFile.writeDecoder(output, autoencoder, height, width);
      }
    } catch (IllegalArgumentException e) {
      throw new BadInputException(e.getMessage());
    }
  }

  private void writeGraph(Unet unet, ImageShape shape) throws IOException {
    requireNotInterrupted();
    try {
      if (target == Target.ONNX) {
        OnnxFile.write(output, unet, shape.height(), shape.width());
      } else {
        SameDiffFile.write(output, unet, shape.height(), shape.width());
      }
    } catch (IllegalArgumentException e) {
      throw new BadInputException(e.getMessage());
    }
  }

  /** Of the chosen size, or else of the network's own. */
  private ImageShape shape(UnetConfig network) {
    if (size == null
        && network instanceof DiffusersNetwork config
        && config.sampleSize().isPresent()) {
      Unet2D.ImageSize own = config.sampleSize().get();
      return new ImageShape(config.imageChannels(), own.height(), own.width());
    }
    if (size == null) {
      throw new ParameterException(
          spec.commandLine(),
          Text.format(
              "Missing option '--size=HxW', which '--to %s' needs where no %s has a sample_size",
              EnumConverter.spelling(target), UnetFolder.CONFIG));
    }
    return imagesOfSize(network);
  }

  private ImageShape imagesOfSize(UnetConfig network) {
    return BadInputException.check(
        () -> new ImageShape(network.imageChannels(), size.height(), size.width()));
  }

  private void requireSource(Path path, String option) {
    if (path == null) {
      throw new ParameterException(
          spec.commandLine(),
          Text.format(
              "Missing option '%s=DIR', which '--to %s' converts",
              option, EnumConverter.spelling(target)));
    }
  }
}

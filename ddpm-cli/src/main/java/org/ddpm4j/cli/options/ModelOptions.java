package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.cli.options.HasEffect.Fact;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.DiffusersNetwork;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which trained network, and what its files do not say of it. */
@OptionGroup("The model")
public final class ModelOptions {

  private static final String SAID = "whereas with '--run' the configuration says it";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

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
        paramLabel = "MODEL",
        description =
            "Folder of a diffusers pipeline, with model_index.json, which says all of the options"
                + " below that are for --model; or of a network alone, with config.json and"
                + " its weights; or a checkpoint of lucidrains' trainer, model-N.pt, for which --size"
                + " is needed. Or OWNER/NAME[@REVISION] of the Hugging Face hub, which is"
                + " downloaded into the cache that Python has.")
    private Path model;
  }

  @HasEffect(unless = Fact.FOLDER)
  @Mixin
  private WeightsOptions weights;

  @HasEffect(with = "--model")
  @Mixin
  private ModelPlace place;

  @HasEffect(
      with = "--model",
      unless = {Fact.PIPELINE, Fact.CHECKPOINT},
      because = SAID)
  @OptionGroup("The noise schedule")
  @Option(
      names = "--schedule",
      paramLabel = "TYPE",
      defaultValue = Defaults.SCHEDULE,
      description =
          "With --model: the noise schedule, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private ScheduleType schedule;

  @HasEffect(
      with = "--model",
      unless = {Fact.PIPELINE, Fact.CHECKPOINT},
      because = SAID)
  @Mixin
  private ChainOptions chain;

  @HasEffect(
      with = "--model",
      unless = {Fact.PIPELINE, Fact.CHECKPOINT},
      because = SAID)
  @Option(
      names = "--parameterization",
      paramLabel = "NAME",
      defaultValue = Defaults.PARAMETERIZATION,
      description =
          "With --model: what the network predicts, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private Parameterization parameterization;

  @HasEffect(with = "--model", because = SAID)
  @Option(
      names = "--size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description =
          "With --model: height and width of the images, as in 32x32, or one number (default: the"
              + " sample_size of its config.json).")
  private Size size;

  @HasEffect(
      with = "--model",
      unless = {Fact.PIPELINE, Fact.CHECKPOINT},
      because = SAID)
  @Option(
      names = "--normalization",
      paramLabel = "NAME",
      defaultValue = Defaults.NORMALIZATION,
      description =
          "With --model: how the network sees pixels, ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}, which is [-1,1]).")
  private PixelScale pixels;

  @HasEffect(with = "--model", because = SAID)
  @Option(
      names = "--null-class",
      paramLabel = "N",
      description =
          "With --model: the row of the class embedding that stands for no class, from 0 (default:"
              + " none does).")
  private Integer nullClass;

  @Mixin private ExecutionOptions execution;

  /** Nothing chosen yet; picocli sets the fields. */
  public ModelOptions() {}

  /**
   * Reads the model that the user chose. The console hears of a card that it computes on.
   *
   * @param console that is told
   * @return the model
   * @throws IOException if its files cannot be read
   */
  public DiffusionModel read(Console console) throws IOException {
    DiffusionModel model =
        source.model == null
            ? ofRun(console)
            : ofModelFolder(place.folder(source.model, console), console);
    return nullClass == null
        ? model
        : BadInputException.check(() -> model.withNullClass(nullClass));
  }

  /**
   * Where pictures go for which the user named no place.
   *
   * @param name of the file
   * @return its place: in the run's folder or, without one, here
   * @throws IOException if the run that the user named is none
   */
  public Path defaultOutput(String name) throws IOException {
    return ChosenRun.place(source.run, name);
  }

  /**
   * The configuration of the model's run; not known of a model folder.
   *
   * @return the configuration, if there is one
   * @throws IOException if it cannot be read
   */
  public Optional<RunConfig> run() throws IOException {
    if (source.model != null) {
      return Optional.empty();
    }
    Path folder =
        ChosenRun.folder(source.run, command, "one of '--run=DIR' and '--model=DIR' is needed");
    return Optional.of(RunFolder.open(folder).readConfig());
  }

  private DiffusionModel ofRun(Console console) throws IOException {
    Path folder =
        ChosenRun.folder(source.run, command, "one of '--run=DIR' and '--model=DIR' is needed");
    return weights.read(folder, execution.execution(console));
  }

  private DiffusionModel ofModelFolder(Path folder, Console console) throws IOException {
    if (LucidrainsCheckpoint.isFile(folder)) {
      return ofCheckpoint(folder, console);
    }
    OptionRules.refuse(command, Fact.FOLDER);
    if (PipelineFolder.isPipeline(folder)) {
      return ofPipeline(folder, console);
    }
    if (size == null && !saysSize(UnetFolder.readConfig(folder.resolve(UnetFolder.CONFIG)))) {
      throw missingSize();
    }
    Unet unet =
        UnetFolder.read(folder, place.variant(), DataType.FLOAT, execution.execution(console));
    ImageShape shape = shape(unet.config());
    ScheduleConfig scheduleConfig = chain.config(schedule);
    return BadInputException.check(
        () ->
            DiffusionModel.of(
                unet,
                new ModelDescription(
                    unet.config(),
                    parameterization,
                    scheduleConfig,
                    shape,
                    pixels.normalization(),
                    List.of(),
                    OptionalInt.empty())));
  }

  private DiffusionModel ofCheckpoint(Path file, Console console) throws IOException {
    OptionRules.refuse(command, Fact.CHECKPOINT);
    LucidrainsCheckpoint checkpoint =
        LucidrainsCheckpoint.read(
            file, weights.chosen(), DataType.FLOAT, execution.execution(console));
    if (size == null) {
      checkpoint.close();
      throw new ParameterException(
          command.commandLine(),
          "Missing option '--size=HxW', which '--model' needs, since no checkpoint says how large the images are");
    }
    ImageShape shape = shape(checkpoint.unet().config());
    return BadInputException.check(() -> DiffusionModel.of(checkpoint, shape));
  }

  private DiffusionModel ofPipeline(Path folder, Console console) throws IOException {
    OptionRules.refuse(command, Fact.PIPELINE);
    DiffusersPipeline pipeline =
        PipelineFolder.read(folder, place.variant(), DataType.FLOAT, execution.execution(console));
    if (size == null && pipeline.shape().isEmpty()) {
      throw missingSize();
    }
    return BadInputException.check(
        () ->
            DiffusionModel.of(
                pipeline,
                size == null
                    ? pipeline.shape().orElseThrow()
                    : new ImageShape(pipeline.imageChannels(), size.height(), size.width())));
  }

  private static boolean saysSize(UnetConfig network) {
    return sampleSize(network).isPresent();
  }

  private static Optional<Unet2D.ImageSize> sampleSize(UnetConfig network) {
    return network instanceof DiffusersNetwork config ? config.sampleSize() : Optional.empty();
  }

  private ParameterException missingSize() {
    return new ParameterException(
        command.commandLine(),
        "Missing option '--size=HxW', which '--model' needs where config.json has no sample_size");
  }

  /** Of the chosen size, or else of the one that the network says. */
  private ImageShape shape(UnetConfig network) {
    return BadInputException.check(
        () -> {
          int height = size != null ? size.height() : sampleSize(network).orElseThrow().height();
          int width = size != null ? size.width() : sampleSize(network).orElseThrow().width();
          network.checkImageSize(height, width);
          return new ImageShape(network.imageChannels(), height, width);
        });
  }
}

package org.ddpm4j.diffusion.model;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersSampler;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFiles;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.LatentDecoder;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.Hub;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.io.hub.HubSettings;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.DiffusersNetwork;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trained model: a network, what it predicts, the noise schedule, the size and normalisation of
 * the images, the names of the classes, and how to draw.
 *
 * <pre>{@code
 * try (DiffusionModel model = DiffusionModel.bundled()) {
 *   List<BufferedImage> clothes = model.sample(16, 7);
 * }
 * }</pre>
 *
 * <p>Immutable; any number of threads may draw with one model at once, as long as nobody writes to
 * the network's parameters. Closing it closes its network, see {@link Unet#close()}.
 */
public final class DiffusionModel implements AutoCloseable {

  private final Unet unet;
  private final Parameterization parameterization;
  private final NoiseSchedule schedule;
  private final ImageShape shape;
  private final Normalization normalization;
  private final List<String> classNames;
  private final OptionalInt nullClass;

  /** The schedule's name, where it is known to have one. */
  private final Optional<ScheduleConfig> scheduleConfig;

  /** Whose files say how to draw, if it came from one. */
  private final Optional<DiffusersPipeline> pipeline;

  /** Between the images and what the network denoises; empty where that is the images. */
  private final Optional<Autoencoder> autoencoder;

  /** Of what the network denoises. */
  private final ImageShape stateShape;

  private DiffusionModel(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      Optional<ScheduleConfig> scheduleConfig,
      ImageShape shape,
      Normalization normalization,
      List<String> classNames,
      OptionalInt nullClass,
      Optional<DiffusersPipeline> pipeline) {
    this.unet = Objects.requireNonNull(unet, "unet");
    this.parameterization = Objects.requireNonNull(parameterization, "parameterization");
    this.schedule = Objects.requireNonNull(schedule, "schedule");
    this.scheduleConfig = scheduleConfig;
    this.shape = Objects.requireNonNull(shape, "shape");
    this.normalization = Objects.requireNonNull(normalization, "normalization");
    this.classNames = List.copyOf(classNames);
    this.nullClass = nullClass;
    this.pipeline = pipeline;
    this.autoencoder = pipeline.flatMap(DiffusersPipeline::autoencoder);
    this.stateShape = autoencoder.map(between -> latentShape(between, shape)).orElse(shape);
    UnetConfig network = unet.config();
    normalization.requireChannels(shape.channels());
    if (network.imageChannels() != stateShape.channels()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network takes images of %d channel(s), but the images have %d; give the shape of those that it was trained on.",
              network.imageChannels(), stateShape.channels()));
    }
    if (network.outChannels() != network.imageChannels() && !network.learnsVariance()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network answers images of %d channel(s) with %d; it must be as many, or twice as many with a learned variance.",
              network.imageChannels(), network.outChannels()));
    }
    network.checkImageSize(stateShape.height(), stateShape.width());
    nullClass.ifPresent(row -> ModelDescription.requireNullClass(row, network.classEmbeddings()));
  }

  private static ImageShape latentShape(Autoencoder autoencoder, ImageShape images) {
    AutoencoderConfig config = autoencoder.config();
    int factor = config.pixelsPerLatent();
    if (images.channels() != config.images().outChannels()
        || images.height() % factor != 0
        || images.width() % factor != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The autoencoder makes no images of %s; they have %d channel(s), and height and width are multiples of %d.",
              images, config.images().outChannels(), factor));
    }
    return new ImageShape(
        config.latents().stateChannels(), images.height() / factor, images.width() / factor);
  }

  /**
   * A network and what is known of it.
   *
   * @param unet the network, by custom with the moving average of the weights
   * @param description of it
   * @return the model
   * @throws IllegalArgumentException if they do not fit each other
   */
  public static DiffusionModel of(Unet unet, ModelDescription description) {
    Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(description, "description");
    if (!unet.config().equals(description.network())) {
      throw new IllegalArgumentException(
          Text.format(
              "The network is %s, but its description is of %s; take the two that belong together.",
              unet.config(), description.network()));
    }
    return new DiffusionModel(
        unet,
        description.parameterization(),
        description.schedule().create(),
        Optional.of(description.schedule()),
        description.shape(),
        description.normalization(),
        description.classNames(),
        description.nullClass(),
        Optional.empty());
  }

  /**
   * A network of images in [-1,1] that predicts ε.
   *
   * @param unet the network, by custom with the moving average of the weights
   * @param schedule the one that it was trained with
   * @param shape of the images
   * @return the model
   * @throws IllegalArgumentException if they do not fit each other
   */
  public static DiffusionModel of(Unet unet, NoiseSchedule schedule, ImageShape shape) {
    return of(unet, Parameterization.EPSILON, schedule, shape, Normalization.SYMMETRIC);
  }

  /**
   * A network, whose classes have no names.
   *
   * @param unet the network, by custom with the moving average of the weights
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @param shape of the images
   * @param normalization how it sees pixels
   * @return the model
   * @throws IllegalArgumentException if they do not fit each other
   */
  public static DiffusionModel of(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      ImageShape shape,
      Normalization normalization) {
    return new DiffusionModel(
        unet,
        parameterization,
        schedule,
        Optional.empty(),
        shape,
        normalization,
        List.of(),
        OptionalInt.empty(),
        Optional.empty());
  }

  /**
   * The model of a diffusers pipeline, which draws as its scheduler says. Network and autoencoder
   * are the pipeline's own: closing the model or the pipeline closes them for both.
   *
   * @param pipeline its files
   * @param shape of the images, which need not be that of the files; of a pipeline of latents that
   *     of the decoded images
   * @return the model
   * @throws IllegalArgumentException if the network cannot take such images
   */
  public static DiffusionModel of(DiffusersPipeline pipeline, ImageShape shape) {
    Objects.requireNonNull(pipeline, "pipeline");
    return new DiffusionModel(
        pipeline.unet(),
        pipeline.scheduler().parameterization(),
        pipeline.scheduler().schedule(),
        pipeline.scheduler().scheduleConfig(),
        shape,
        pipeline.normalization(),
        pipeline.classNames(),
        pipeline.nullClass(),
        Optional.of(pipeline));
  }

  /**
   * The model of a checkpoint of lucidrains' trainer, whose images are in [-1,1]. It draws as other
   * models do, not by his samplers.
   *
   * @param checkpoint what it holds
   * @param shape of the images, which the checkpoint does not say
   * @return the model
   * @throws IllegalArgumentException if the network cannot take such images
   */
  public static DiffusionModel of(LucidrainsCheckpoint checkpoint, ImageShape shape) {
    Objects.requireNonNull(checkpoint, "checkpoint");
    return new DiffusionModel(
        checkpoint.unet(),
        checkpoint.parameterization(),
        checkpoint.schedule(),
        checkpoint.scheduleConfig(),
        shape,
        Normalization.SYMMETRIC,
        List.of(),
        checkpoint.nullClass(),
        Optional.empty());
  }

  /**
   * The model of a checkpoint of lucidrains' trainer, {@code model-N.pt}, with the moving average
   * of the weights.
   *
   * @param file of PyTorch
   * @param height of the images, which the file does not say
   * @param width of the images
   * @return the model
   * @throws IOException if it cannot be read, is damaged, or is no such checkpoint
   * @throws IllegalArgumentException if the network cannot take such images
   */
  public static DiffusionModel ofLucidrains(Path file, int height, int width) throws IOException {
    LucidrainsCheckpoint checkpoint =
        LucidrainsCheckpoint.read(file, Optional.empty(), DataType.FLOAT, Execution.automatic());
    try {
      int channels = checkpoint.unet().config().imageChannels();
      return of(checkpoint, new ImageShape(channels, height, width));
    } catch (IllegalArgumentException e) {
      checkpoint.close();
      throw e;
    }
  }

  /**
   * The model of a run, with the moving average of the weights.
   *
   * @param folder of the run
   * @return the model
   * @throws IOException if there is no run, or a file of it is missing or damaged
   */
  public static DiffusionModel ofRun(Path folder) throws IOException {
    return ofRun(
        RunFolder.open(folder), TrainedWeights.EMA, Optional.empty(), Execution.automatic());
  }

  /**
   * The model of a run.
   *
   * @param run the folder
   * @param weights which of a checkpoint's
   * @param checkpoint its file, or empty for the newest
   * @param execution how the network computes
   * @return the model
   * @throws IOException if a file is missing or damaged, or the network is not the run's
   */
  public static DiffusionModel ofRun(
      RunFolder run, TrainedWeights weights, Optional<Path> checkpoint, Execution execution)
      throws IOException {
    Objects.requireNonNull(run, "run");
    RunConfig config = run.readConfig();
    return ofRun(run, config, run.readUnet(config, weights, checkpoint, execution));
  }

  /**
   * The model of a run with a moving average of a training that had several.
   *
   * @param run the folder
   * @param decay of the average
   * @param checkpoint its file, or empty for the newest
   * @param execution how the network computes
   * @return the model
   * @throws IOException if a file is missing or damaged, the network is not the run's, or the run
   *     has no average of that decay
   */
  public static DiffusionModel ofRun(
      RunFolder run, double decay, Optional<Path> checkpoint, Execution execution)
      throws IOException {
    Objects.requireNonNull(run, "run");
    RunConfig config = run.readConfig();
    return ofRun(run, config, run.readAverage(config, decay, checkpoint, execution));
  }

  private static DiffusionModel ofRun(RunFolder run, RunConfig config, Unet unet)
      throws IOException {
    try {
      return of(unet, config.model());
    } catch (IllegalArgumentException e) {
      unet.close();
      throw new IOException(Text.format("%s: %s", run.path(), e.getMessage()), e);
    }
  }

  /**
   * The model of a diffusers pipeline, of images of the size that its files say.
   *
   * @param folder that holds {@value PipelineFolder#INDEX}
   * @return the model, which draws as the pipeline's scheduler says
   * @throws IOException if a file is missing or damaged, asks for what is not supported, or says no
   *     size
   */
  public static DiffusionModel ofPipeline(Path folder) throws IOException {
    return ofPipeline(folder, Optional.empty(), Execution.automatic());
  }

  /**
   * The model of a diffusers pipeline of whose weights there may be several variants, of images of
   * the size that its files say.
   *
   * @param folder of the pipeline
   * @param variant {@code fp16} for instance; empty for the weights without a variant, or the only
   *     ones that there are
   * @param execution how the network computes
   * @return the model, which draws as the pipeline's scheduler says
   * @throws IOException if a file is missing or damaged, asks for what is not supported, or says no
   *     size
   */
  public static DiffusionModel ofPipeline(
      Path folder, Optional<String> variant, Execution execution) throws IOException {
    DiffusersPipeline pipeline = PipelineFolder.read(folder, variant, DataType.FLOAT, execution);
    try {
      return of(
          pipeline,
          pipeline
              .shape()
              .orElseThrow(
                  () -> new IllegalArgumentException("its network has no sample_size; add it")));
    } catch (IllegalArgumentException e) {
      pipeline.close();
      throw new IOException(Text.format("%s: %s", folder, e.getMessage()), e);
    }
  }

  /**
   * A pipeline of the Hugging Face hub, through the cache that Python keeps, too: see {@link
   * HubSettings#of} for the environment variables.
   *
   * @param name {@code OWNER/NAME}, or {@code OWNER/NAME@REVISION}
   * @return the model, which draws as the pipeline's scheduler says
   * @throws IOException if it can neither be downloaded nor is it in the cache, or as {@link
   *     #ofPipeline(Path)}
   * @throws IllegalArgumentException if it is no name, or an environment variable makes no sense
   */
  public static DiffusionModel ofHub(String name) throws IOException {
    return ofHub(HubName.parse(name), Optional.empty(), Hub.ofEnvironment(), Execution.automatic());
  }

  /**
   * A pipeline of a hub.
   *
   * @param name of the model
   * @param variant of its weights, as {@link #ofPipeline(Path, Optional, Execution)}
   * @param hub where it is
   * @param execution how the network computes
   * @return the model, which draws as the pipeline's scheduler says
   * @throws IOException if it can neither be downloaded nor is it in the cache, or as {@link
   *     #ofPipeline(Path)}
   */
  public static DiffusionModel ofHub(
      HubName name, Optional<String> variant, Hub hub, Execution execution) throws IOException {
    Objects.requireNonNull(name, "name");
    Path folder = hub.snapshot(name, new PipelineFiles(name.toString(), variant));
    return ofPipeline(folder, variant, execution);
  }

  /**
   * The model that comes with this library, in the artifact {@code ddpm-models}: grey pictures of
   * clothes, 28x28, trained on Fashion-MNIST.
   *
   * @return the model
   * @throws IOException if {@code ddpm-models} is not on the class path
   */
  public static DiffusionModel bundled() throws IOException {
    return bundled(Execution.automatic());
  }

  /**
   * The model that comes with this library, in the artifact {@code ddpm-models}.
   *
   * @param execution how the network computes
   * @return the model
   * @throws IOException if it cannot be read
   */
  public static DiffusionModel bundled(Execution execution) throws IOException {
    return BundledModel.read(execution);
  }

  /**
   * Writes the model as the folder of a run that can be drawn with and not resumed.
   *
   * @param folder that does not exist yet or is empty
   * @throws IOException if the folder holds files or cannot be written
   * @throws IllegalArgumentException as {@link #description}
   */
  public void save(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    DataDescription data = DataDescription.unseen(DataDescription.UNKNOWN, null);
    RunFolder.create(folder, RunConfig.untrained(null, description(), data), unet);
  }

  /**
   * The model as the pipeline of diffusers that draws in a given way.
   *
   * @param sampler how the pipeline is to draw
   * @return the pipeline, whose {@code sample_size} is that of the model's images. Its network and
   *     its autoencoder, if there is one, read the model's weights and are closed with the
   *     pipeline: closing it leaves the model as it is, and closing the model the pipeline
   * @throws IllegalArgumentException if diffusers has nothing like the network, the schedule, the
   *     normalisation or the sampler; the sentence says what to do
   */
  public DiffusersPipeline toPipeline(DiffusersSampler sampler) {
    Objects.requireNonNull(sampler, "sampler");
    if (pipeline.isEmpty()
        && !normalization.equals(DiffusersPipeline.normalization(parameterization))) {
      throw new IllegalArgumentException(
          Text.format(
              "The images of a diffusers pipeline are in %s, and this model's are normalised otherwise.",
              parameterization == Parameterization.SCORE ? "[0,1]" : "[-1,1]"));
    }
    DiffusersNetwork network = DiffusersPipeline.requireNetwork(unet.config());
    DiffusersScheduler scheduler = scheduler(sampler);
    Unet own =
        Unet.of(
            network.withSampleSize(new Unet2D.ImageSize(stateShape.height(), stateShape.width())),
            unet.parameters(),
            unet.execution());
    Optional<Autoencoder> between = autoencoder.map(Autoencoder::withSameWeights);
    try {
      return new DiffusersPipeline(
          own, between, scheduler, isClassConditional() ? classNames : List.of());
    } catch (IllegalArgumentException e) {
      own.close();
      between.ifPresent(Autoencoder::close);
      throw e;
    }
  }

  private DiffusersScheduler scheduler(DiffusersSampler sampler) {
    if (pipeline.isPresent()) {
      return pipeline.get().scheduler().withSampler(sampler.config(), sampler.clipping());
    }
    ScheduleConfig named = description().schedule();
    return new DiffusersScheduler(
        named.betas(), named.timesteps(), parameterization, sampler.config(), sampler.clipping());
  }

  /**
   * What a run's configuration says of the model.
   *
   * @return the description
   * @throws IllegalArgumentException if the noise schedule is none of those that a run can have, or
   *     if the model denoises latents
   */
  public ModelDescription description() {
    if (isLatent()) {
      throw new IllegalArgumentException(
          "A run has no place for an autoencoder, and this model denoises latents; keep it as a pipeline of diffusers.");
    }
    ScheduleConfig named =
        scheduleConfig
            .or(() -> ScheduleConfig.ofBetas(schedule.values(ScheduleConstant.BETAS)))
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "The model's betas (of a pipeline: its trained_betas) are none of the noise schedules that a run can have; describe it by a ScheduleConfig, or draw with the pipeline's folder itself."));
    return new ModelDescription(
        unet.config(), parameterization, named, shape, normalization, classNames, nullClass);
  }

  /**
   * The same model with a null class that the caller knows of.
   *
   * @param row of the class embedding, from 0
   * @return a new model with the same network
   * @throws IllegalArgumentException if there is no such row, or no other
   */
  public DiffusionModel withNullClass(int row) {
    return new DiffusionModel(
        unet,
        parameterization,
        schedule,
        scheduleConfig,
        shape,
        normalization,
        classNames,
        OptionalInt.of(row),
        pipeline);
  }

  /**
   * The same model with names of its classes.
   *
   * @param names of the classes, in their order
   * @return a new model with the same network
   * @throws IllegalArgumentException if the network is told classes and has not so many
   */
  public DiffusionModel withClassNames(List<String> names) {
    Objects.requireNonNull(names, "names");
    int rows = unet.config().classEmbeddings();
    if (rows > 0 && names.size() > rows) {
      throw new IllegalArgumentException(
          Text.format(
              "%d names were given for the %d row(s) of the network's class embedding; give one for each class.",
              names.size(), rows));
    }
    return new DiffusionModel(
        unet,
        parameterization,
        schedule,
        scheduleConfig,
        shape,
        normalization,
        names,
        nullClass,
        pipeline);
  }

  /**
   * Draws pictures by the {@linkplain #defaultSampler default sampler}, of all classes in turn if
   * there are any.
   *
   * @param count how many, at least 1
   * @param seed picture i of a seed is always the same, however many are drawn with it
   * @return a picture for each image, grey or in colour
   * @throws IllegalArgumentException if images of so many channels make no pictures
   * @throws java.util.concurrent.CancellationException if the thread is interrupted
   */
  public List<BufferedImage> sample(int count, long seed) {
    return pipeline().pictures(count, seed);
  }

  /**
   * Draws by the {@linkplain #defaultSampler default sampler}.
   *
   * @return a pipeline of {@link #defaultSteps} steps
   */
  public DiffusionPipeline pipeline() {
    return pipeline(defaultSampler().create(schedule, defaultSteps()));
  }

  /**
   * Draws by another sampler with what of its options the model's files say.
   *
   * @param type which sampler
   * @param steps S, how many
   * @return the pipeline
   * @throws IllegalArgumentException if the sampler cannot take so many steps, or the model's
   *     pipeline asks for what is not supported of it
   */
  public DiffusionPipeline pipeline(SamplerType type, int steps) {
    return pipeline(type, steps, Guidance.NONE);
  }

  /**
   * Draws by another sampler, with classifier-free guidance.
   *
   * @param type which sampler
   * @param steps S, how many
   * @param guidance how far beyond the class
   * @return the pipeline
   * @throws IllegalArgumentException as {@link #pipeline(SamplerType, int)}, or if there is
   *     guidance, but no null class
   */
  public DiffusionPipeline pipeline(SamplerType type, int steps, Guidance guidance) {
    Objects.requireNonNull(type, "type");
    return pipeline(defaultSampler(type).create(schedule, steps), guidance);
  }

  /**
   * Draws by any sampler.
   *
   * @param sampler of the model's schedule
   * @return the pipeline; all classes take turns
   * @throws IllegalArgumentException if the sampler begins where the network's answer does not tell
   *     the image
   */
  public DiffusionPipeline pipeline(Sampler sampler) {
    return pipeline(sampler, Guidance.NONE);
  }

  /**
   * Draws by any sampler with classifier-free guidance.
   *
   * @param sampler of the model's schedule
   * @param guidance how far beyond the class
   * @return the pipeline; all classes take turns
   * @throws IllegalArgumentException if there is guidance, but no null class; or if the sampler
   *     begins where the network's answer does not tell the image
   */
  public DiffusionPipeline pipeline(Sampler sampler, Guidance guidance) {
    if (sampler instanceof PathSampler path) {
      requireX0(path.first());
    }
    return new DiffusionPipeline(
        denoiser(guidance),
        sampler,
        stateShape,
        autoencoder.map(between -> new AutoencoderImages(between, shape)),
        normalization,
        classesInTurn());
  }

  private record AutoencoderImages(Autoencoder autoencoder, ImageShape shape)
      implements LatentDecoder {

    @Override
    public INDArray decode(INDArray latents) {
      return autoencoder.decode(latents);
    }
  }

  private void requireX0(NoiseLevel first) {
    if (!parameterization.determinesX0(schedule, first)) {
      throw new IllegalArgumentException(
          Text.format(
              "At the last timestep of this schedule nothing of the image is left, so that a network which predicts %s cannot begin there; take one that predicts v or x0, or a schedule that ends above zero, or begin below by the spacing leading.",
              parameterization));
    }
  }

  /** All classes but the null class. */
  private IntUnaryOperator classesInTurn() {
    if (!isClassConditional()) {
      return i -> 0;
    }
    int rows = classNames.isEmpty() ? unet.config().classEmbeddings() : classNames.size();
    int[] classes = IntStream.range(0, rows).filter(row -> row != nullClass.orElse(-1)).toArray();
    return i -> classes[i % classes.length];
  }

  /**
   * How the model draws unless told otherwise: as its pipeline's scheduler says or, of any other
   * model, by the sampler that {@linkplain DefaultSampler#typeFor suits its network}.
   *
   * @return the sampler
   */
  public DefaultSampler defaultSampler() {
    return pipeline
        .map(DiffusersPipeline::scheduler)
        .map(
            own ->
                new DefaultSampler(own.sampler(), own.clipping().constraint()).ofSize(stateShape))
        .orElseGet(() -> defaultSampler(DefaultSampler.typeFor(parameterization, unet.config())));
  }

  /**
   * How the model draws by a sampler, unless told otherwise. Of a pipeline's scheduler another is
   * made as diffusers' {@code from_config} does; DPM-Solver++ of any other model has its levels
   * evenly spaced in λ, where the schedule ends with some signal.
   *
   * @param type which sampler
   * @return the sampler
   * @throws IllegalArgumentException if the model's pipeline asks for what is not supported of it
   */
  public DefaultSampler defaultSampler(SamplerType type) {
    return ownSampler(type, DefaultSampler.config(type, parameterization, schedule));
  }

  /**
   * How the model draws from an image by {@linkplain #defaultSampler() its default sampler}, unless
   * told otherwise: at timesteps, so that a strength is a share of these; of a pipeline, as its
   * scheduler says.
   *
   * @return the sampler
   */
  public DefaultSampler imageToImageSampler() {
    DefaultSampler own = defaultSampler();
    return pipeline.isPresent() ? own : imageToImageSampler(own.config().type());
  }

  /**
   * How the model draws from an image by a sampler, unless told otherwise: at timesteps, so that a
   * strength is a share of these; of a pipeline, as is made of its scheduler.
   *
   * @param type which sampler
   * @return the sampler
   * @throws IllegalArgumentException if the model's pipeline asks for what is not supported of it
   */
  public DefaultSampler imageToImageSampler(SamplerType type) {
    return ownSampler(type, SamplerConfig.of(type));
  }

  private DefaultSampler ownSampler(SamplerType type, SamplerConfig config) {
    if (pipeline.isPresent()) {
      DiffusersSampler said = pipeline.get().sampler(type);
      return new DefaultSampler(said.config(), said.clipping().constraint()).ofSize(stateShape);
    }
    return new DefaultSampler(
        type == SamplerType.DDPM && unet.config().learnsVariance()
            ? config.withVariance(ReverseVariance.LEARNED)
            : config,
        X0Constraint.clip(normalization));
  }

  /**
   * How many denoising steps are made unless told otherwise.
   *
   * @return what {@linkplain DefaultSampler#steps suits the default sampler}, at most T
   */
  public int defaultSteps() {
    return defaultSteps(defaultSampler().config().type());
  }

  /**
   * How many denoising steps another sampler makes unless told otherwise.
   *
   * @param type which sampler
   * @return what {@linkplain DefaultSampler#steps suits it}, at most T
   */
  public int defaultSteps(SamplerType type) {
    return DefaultSampler.steps(type, schedule.timesteps());
  }

  /**
   * The network as samplers see it.
   *
   * @return a denoiser, unconditional if the network knows no classes
   */
  public ClassConditionalDenoiser denoiser() {
    return ClassConditionalDenoiser.ofAny(unet, parameterization, schedule);
  }

  /**
   * The network as samplers see it, guided.
   *
   * @param guidance how far beyond the class
   * @return a denoiser
   * @throws IllegalArgumentException if there is guidance, but no null class
   */
  public ClassConditionalDenoiser denoiser(Guidance guidance) {
    if (Objects.requireNonNull(guidance, "guidance").equals(Guidance.NONE)) {
      return denoiser();
    }
    int row =
        nullClass.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "No row of the network's class embedding is known to stand for no class, which guidance needs; train with label dropout, or name the row by withNullClass."));
    return ClassifierFreeGuidance.of(unet, parameterization, schedule, row, guidance);
  }

  /** {@return the network, closed with the model} */
  public Unet unet() {
    return unet;
  }

  /**
   * What the network predicts.
   *
   * @return ε, x0, v or the mean
   */
  public Parameterization parameterization() {
    return parameterization;
  }

  /** {@return the noise that the network was trained with} */
  public NoiseSchedule schedule() {
    return schedule;
  }

  /** {@return the size of the images: channels, height and width} */
  public ImageShape shape() {
    return shape;
  }

  /**
   * The size of what the network denoises.
   *
   * @return {@link #shape}, or that of the latents
   */
  public ImageShape stateShape() {
    return stateShape;
  }

  /**
   * Whether the network denoises latents (Rombach et al. 2022).
   *
   * @return false if it denoises the images themselves
   */
  public boolean isLatent() {
    return autoencoder.isPresent();
  }

  /**
   * What the network denoises of images.
   *
   * @param images as the model sees pixels, {@code [N,C,H,W]}
   * @return their latents, {@code [N,c,h,w]}; the same array where the network denoises images
   */
  public INDArray encode(INDArray images) {
    return autoencoder.map(between -> between.encode(images)).orElse(images);
  }

  /**
   * Images of what the network denoises.
   *
   * @param states of a sampler, {@code [N,c,h,w]}
   * @return images, {@code [N,C,H,W]}; the same array where the network denoises images
   */
  public INDArray decode(INDArray states) {
    return autoencoder.map(between -> between.decode(states)).orElse(states);
  }

  /**
   * The autoencoder.
   *
   * @return it, closed with the model; empty where the network denoises images
   */
  public Optional<Autoencoder> autoencoder() {
    return autoencoder;
  }

  /** {@return how the network sees pixels} */
  public Normalization normalization() {
    return normalization;
  }

  /**
   * The names of the classes of the images, whether or not the network is class-conditional.
   *
   * @return the names in the order of the classes; empty if they are not known
   */
  public List<String> classNames() {
    return classNames;
  }

  /**
   * The classes that the network is told, to be found by name or number. Of a network that has a
   * row more than there are names, the last one stands for no class, also where it is untrained.
   *
   * @return the rows of its class embedding
   * @throws IllegalStateException if the network is not told classes
   */
  public ClassNames classes() {
    int rows = unet.config().classEmbeddings();
    if (rows == 0) {
      throw new IllegalStateException("The network is not told classes; ask isClassConditional.");
    }
    boolean lastIsNone = nullClass.isEmpty() && !classNames.isEmpty() && classNames.size() < rows;
    return ClassNames.of(classNames, rows, lastIsNone ? OptionalInt.of(rows - 1) : nullClass);
  }

  /**
   * The row of the class embedding that stands for no class.
   *
   * @return the row, or empty if none is known to
   */
  public OptionalInt nullClass() {
    return nullClass;
  }

  /**
   * Whether the network has a class embedding.
   *
   * @return true if what it draws depends on a class
   */
  public boolean isClassConditional() {
    return unet.config().classEmbeddings() > 0;
  }

  /** {@return the network's kind, what it predicts, and the size of the images} */
  @Override
  public String toString() {
    int classEmbeddings = unet.config().classEmbeddings();
    return Text.format(
        "DiffusionModel[%s of %d parameter(s) predicts %s, images %s%s, %d timestep(s)%s]",
        unet.config().getClass().getSimpleName(),
        unet.parameters().count(),
        parameterization,
        shape,
        isLatent() ? " by latents " + stateShape : "",
        schedule.timesteps(),
        isClassConditional() ? ", " + classEmbeddings + " rows of classes" : "");
  }

  /** Closes the network, and the autoencoder if there is one. */
  @Override
  public void close() {
    unet.close();
    autoencoder.ifPresent(Autoencoder::close);
  }
}

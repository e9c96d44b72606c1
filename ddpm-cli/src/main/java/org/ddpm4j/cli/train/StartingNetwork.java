package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.run.InitialWeights;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.weights.WeightsFile;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.WeightTransfer;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/** A trained network that a new run begins with, and what is known of it. */
final class StartingNetwork implements AutoCloseable {

  private static final int NEW = -1;

  private final String source;
  private final Unet unet;
  private final Optional<ScheduleConfig> schedule;
  private final Optional<Parameterization> parameterization;
  private final Optional<Normalization> normalization;
  private final List<String> classNames;
  private final OptionalInt nullClass;

  private StartingNetwork(
      String source,
      Unet unet,
      Optional<ScheduleConfig> schedule,
      Optional<Parameterization> parameterization,
      Optional<Normalization> normalization,
      List<String> classNames,
      OptionalInt nullClass) {
    this.source = source;
    this.unet = unet;
    this.schedule = schedule;
    this.parameterization = parameterization;
    this.normalization = normalization;
    this.classNames = classNames;
    this.nullClass = nullClass;
  }

  /**
   * Reads a network: a run's moving average, a pipeline's, that of a folder or of a checkpoint of
   * lucidrains' trainer, or the one that comes along.
   */
  static StartingNetwork read(NamedModel model) throws IOException {
    // It does not compute; only its weights are read.
    Execution execution = Execution.reference();
    String from = model.name();
    Path folder = model.place();
    if (model.isBundled()) {
      return of("the model that comes along", DiffusionModel.bundled(execution));
    }
    if (LucidrainsCheckpoint.isFile(folder)) {
      return of(
          from, LucidrainsCheckpoint.read(folder, Optional.empty(), DataType.FLOAT, execution));
    }
    if (PipelineFolder.isPipeline(folder)) {
      DiffusersPipeline pipeline =
          PipelineFolder.read(folder, model.variant(), DataType.FLOAT, execution);
      if (pipeline.autoencoder().isPresent()) {
        pipeline.close();
        throw new BadInputException(
            "The network of %s denoises latents, and a training has no autoencoder that makes them; begin with a network of pixels.",
            from);
      }
      return new StartingNetwork(
          from,
          pipeline.unet(),
          pipeline.scheduler().scheduleConfig(),
          Optional.of(pipeline.scheduler().parameterization()),
          Optional.of(pipeline.normalization()),
          pipeline.classNames(),
          OptionalInt.empty());
    }
    if (holdsWeights(folder)) {
      return new StartingNetwork(
          from,
          UnetFolder.read(folder, model.variant(), DataType.FLOAT, execution),
          Optional.empty(),
          // As sample --model takes it unless told otherwise.
          Optional.of(Parameterization.EPSILON),
          Optional.empty(),
          List.of(),
          OptionalInt.empty());
    }
    if (!Files.exists(folder.resolve(UnetFolder.CONFIG))) {
      throw new BadInputException(
          "%s holds no trained network that --from could begin with: name the folder of a run, of a diffusers pipeline (with model_index.json) or of a network (with config.json and weights), a checkpoint of lucidrains' trainer (model-N.pt), a model of the hub (OWNER/NAME), or %s.",
          from, NamedModel.BUNDLED);
    }
    return of(
        from,
        DiffusionModel.ofRun(
            RunFolder.open(folder), TrainedWeights.EMA, Optional.empty(), execution));
  }

  /**
   * Whether a folder is that of a network, of any layout; a run has its weights in other folders.
   */
  static boolean holdsWeights(Path folder) throws IOException {
    if (!Files.isRegularFile(folder.resolve(UnetFolder.CONFIG))) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> WeightsFile.isNamedSo(file.getFileName().toString()));
    }
  }

  private static StartingNetwork of(String source, LucidrainsCheckpoint checkpoint) {
    return new StartingNetwork(
        source,
        checkpoint.unet(),
        checkpoint.scheduleConfig(),
        Optional.of(checkpoint.parameterization()),
        Optional.of(Normalization.SYMMETRIC),
        List.of(),
        checkpoint.nullClass());
  }

  private static StartingNetwork of(String source, DiffusionModel model) {
    return new StartingNetwork(
        source,
        model.unet(),
        Optional.of(model.description().schedule()),
        Optional.of(model.parameterization()),
        Optional.of(model.normalization()),
        model.classNames(),
        model.isClassConditional() ? model.classes().nullClass() : OptionalInt.empty());
  }

  /** The noise that it was trained with, where that is known. */
  Optional<ScheduleConfig> schedule() {
    return schedule;
  }

  /** What it predicts, where that is known. */
  Optional<Parameterization> parameterization() {
    return parameterization;
  }

  /** How it sees pixels, where that is known. */
  Optional<Normalization> normalization() {
    return normalization;
  }

  /** The peak learning rate where the user gives none: that of a new network as wide as this. */
  double usualLearningRate() {
    if (unet.config() instanceof AnnotatedUnet annotated) {
      return TrainingDefaults.learningRate(NetworkOptions.Kind.ANNOTATED, annotated.dim());
    }
    if (unet.config() instanceof Unet2D unet2d) {
      return TrainingDefaults.learningRate(
          NetworkOptions.Kind.UNET2D, unet2d.levels().get(0).channels());
    }
    if (unet.config() instanceof LucidrainsUnet lucidrains) {
      return TrainingDefaults.learningRate(NetworkOptions.Kind.ANNOTATED, lucidrains.dim());
    }
    return TrainingDefaults.learningRate(NetworkOptions.Kind.TUTORIAL, 0);
  }

  /** What a run's configuration keeps of it. */
  InitialWeights description() {
    return new InitialWeights(source, unet.parameters().fingerprint());
  }

  /**
   * The same architecture for other images and classes.
   *
   * @param data the images
   * @param objective what it is trained for
   * @param isClassConditional whether it is told classes
   * @throws BadInputException if such a network cannot be made of it
   */
  UnetConfig network(TrainingData data, ObjectiveConfig objective, boolean isClassConditional) {
    ImageShape shape = data.images().shape();
    UnetConfig own = unet.config();
    if (own.imageChannels() != shape.channels()) {
      throw new BadInputException(
          "The network of %s takes images of %d channel(s), but those to train on have %d; %s.",
          source,
          own.imageChannels(),
          shape.channels(),
          own.imageChannels() == 1
              ? "give --grayscale"
              : "take images in colour, or another network");
    }
    int answers = objective.outChannels(shape.channels());
    if (own.outChannels() != answers) {
      throw new BadInputException(
          "The network of %s %s a variance, which does not go with --loss-terms %s; give --loss-terms %s.",
          source,
          own.learnsVariance() ? "has learned" : "has not learned",
          EnumConverter.spelling(objective.terms()),
          own.learnsVariance() ? "hybrid" : "simple");
    }
    int rows = isClassConditional ? NetworkOptions.classEmbeddings(data) : 0;
    UnetConfig told = withClasses(own, rows);
    return told instanceof Unet2D unet2d
        ? unet2d.withSampleSize(new Unet2D.ImageSize(shape.height(), shape.width()))
        : told;
  }

  private UnetConfig withClasses(UnetConfig network, int rows) {
    if (network.classEmbeddings() == rows) {
      return network;
    }
    if (network instanceof AnnotatedUnet annotated) {
      return annotated.withClassEmbeddings(rows);
    }
    if (network instanceof TutorialUnet tutorial) {
      return tutorial.withClassEmbeddings(rows);
    }
    if (network instanceof Unet2D unet2d) {
      return unet2d.withClassEmbeddings(rows);
    }
    throw new BadInputException(
        "The network of %s cannot be told other classes than it was; %s --class-conditional.",
        source, rows == 0 ? "give" : "leave out");
  }

  /**
   * Gives a network these weights. What is known of each class goes to the class of that name.
   *
   * @param filled the network that is to be trained
   * @param described as this
   */
  void fill(Unet filled, ModelDescription described) {
    BadInputException.check(
        () -> {
          new WeightTransfer(rows(described), nullClass)
              .copy(unet.parameters(), filled.parameters());
          return filled;
        });
  }

  /** For each row of the class embedding to be trained, the one that it takes over. */
  private List<Integer> rows(ModelDescription described) {
    int wanted = described.network().classEmbeddings();
    int found = unet.config().classEmbeddings();
    List<String> names = described.classNames();
    Integer[] rows = new Integer[wanted];
    Arrays.fill(rows, NEW);
    for (int i = 0; i < Math.min(wanted, names.size()); i++) {
      // Without names, the order is what is known of them.
      boolean isNumber = classNames.isEmpty() && i < found && nullClass.orElse(NEW) != i;
      rows[i] = isNumber ? (Integer) i : (Integer) classNames.indexOf(names.get(i));
    }
    if (wanted > names.size() && nullClass.isPresent()) {
      rows[wanted - 1] = nullClass.getAsInt();
    }
    return List.of(rows);
  }

  /** Says what the run begins with, and which classes it has to learn from nothing. */
  void note(Console console, ModelDescription described) {
    console.note(Text.format("train: beginning with the network of %s", source));
    int wanted = described.network().classEmbeddings();
    if (wanted == 0 && unet.config().classEmbeddings() > 0) {
      console.note("train: its classes are left out, since --class-conditional is not given");
    } else if (wanted > 0) {
      List<Integer> rows = rows(described);
      List<String> fresh = new ArrayList<>();
      IntStream.range(0, Math.min(wanted, described.classNames().size()))
          .filter(i -> rows.get(i) == NEW || unet.config().classEmbeddings() == 0)
          .forEach(i -> fresh.add(described.classNames().get(i)));
      if (!fresh.isEmpty()) {
        console.note(
            Text.format("train: classes that it does not know: %s", String.join(", ", fresh)));
      }
    }
  }

  @Override
  public void close() {
    unet.close();
  }
}

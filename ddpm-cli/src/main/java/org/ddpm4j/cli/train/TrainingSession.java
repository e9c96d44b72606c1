package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.report.DistanceTable;
import org.ddpm4j.cli.report.Sitting;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.PrefetchingIterator;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.Teacher;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/**
 * What a training is done with: images, a network and its trainer, and how its samples are drawn
 * and measured. Where it goes is not known yet; {@link FolderTraining} does it in a run's folder.
 */
final class TrainingSession implements AutoCloseable {

  /** Of the samples that are measured: enough to see how training goes, and soon done. */
  static final int EVALUATION_STEPS = 20;

  static final int MOST_EVALUATED_IMAGES = 50_000;

  private static final int RESERVE_BYTES = 2 << 20;

  private final Console console;
  private final RunConfig config;
  private final TrainingDescription training;
  private final PrefetchingIterator prefetching;
  private final Unet unet;
  private final Trainer trainer;
  private final DiffusionPipeline pipeline;
  private final Optional<DiffusionModel> teacher;
  private final TrainingData data;
  private final Optional<DataSet> validation;
  private final String machine;

  private final DiffusionModel average;

  /** Null unless distances are measured. */
  private Measuring measuring;

  private boolean closed;

  /** Of Java's heap, for what saving takes where nothing else is left. */
  private byte[] reserve = new byte[RESERVE_BYTES];

  /**
   * Makes the network, and whatever else there is to train it.
   *
   * @param console to report to
   * @param config of the run
   * @param data to train on
   * @param beginnings the trained networks that the training takes
   * @param execution how the network computes
   */
  TrainingSession(
      Console console,
      RunConfig config,
      TrainingData data,
      Beginnings beginnings,
      Execution execution) {
    this.console = console;
    this.config = config;
    this.data = data;
    machine = Sitting.machine(execution);
    training = config.training().orElseThrow();
    TrainingDescription.BatchConfig batches = training.batches();
    requireBatch(batches.batchSize(), data.images().size());
    BatchOptions options =
        BatchOptions.forTraining(batches.batchSize(), batches.shuffleSeed())
            .withFlip(batches.flip())
            .withAugmentation(batches.augmentationOrNone());
    prefetching = new PrefetchingIterator(new ImageDataSetIterator(data.images(), options));
    ModelDescription description = config.model();
    unet =
        Unet.create(
            description.network(), DataType.FLOAT, training.initialWeightsSeed(), execution);
    teacher = beginnings.teacher();
    beginnings.start().ifPresent(trained -> trained.fill(unet, description));
    trainer = trainer(objective(description));
    validation = data.validation();
    average = DiffusionModel.of(trainer.emaUnet(), description);
    pipeline = BadInputException.check(() -> drawing(sampleSteps()));
  }

  private Objective objective(ModelDescription description) {
    ObjectiveConfig wanted = training.config().objective();
    NoiseSchedule schedule = description.schedule().create();
    return BadInputException.check(
        () ->
            teacher.isPresent()
                ? wanted.distillation(
                    schedule,
                    Teacher.of(
                        teacher.get().unet(),
                        teacher.get().parameterization(),
                        teacher.get().schedule()))
                : wanted.create(schedule, DiscretizedGaussian.of(description.normalization())));
  }

  /**
   * Measures from time to time how far samples are from real images.
   *
   * @param real the images to compare them with
   * @param every steps between two measurements
   * @param images that are drawn each time
   * @param cache where features of the real images are kept
   */
  void measureDistances(ImageDataSet real, long every, int images, Path cache) throws IOException {
    measuring = new Measuring(meter(console, real, cache), every, images);
  }

  /** Measures distances from a data set; closed by the caller. */
  static DistanceMeter meter(Console console, ImageDataSet real, Path cache) throws IOException {
    return DistanceMeter.open(
        console,
        ClassifierFeatures.bundled(real.shape().channels(), Execution.automatic()),
        real,
        cache);
  }

  /** Draws with the averaged weights as drawing with the run will, unless it is told otherwise. */
  private DiffusionPipeline drawing(int steps) {
    return average.pipeline(average.defaultSampler().create(average.schedule(), steps));
  }

  /**
   * Distances that are measured as training goes.
   *
   * @param table where the figures go
   * @param interrupted whether the program is being ended
   * @return empty unless {@link #measureDistances} was called
   */
  Optional<DistanceListener> distances(DistanceTable table, BooleanSupplier interrupted) {
    return Optional.ofNullable(measuring)
        .map(
            wanted ->
                new DistanceListener(
                    wanted.meter(),
                    table,
                    average,
                    drawing(evaluationSteps(config.model())),
                    wanted.every(),
                    wanted.images(),
                    training.config().seed(),
                    interrupted));
  }

  /** Whether distances are measured after a step, but for the last one. */
  boolean isMeasured(long step) {
    return measuring != null && step % measuring.every() == 0;
  }

  /** Several devices do not train for every objective. */
  private Trainer trainer(Objective objective) {
    return BadInputException.check(
        () -> new Trainer(unet, objective, training.config(), prefetching));
  }

  /** Where this session reports to. */
  Console console() {
    return console;
  }

  /** Of the run. */
  RunConfig config() {
    return config;
  }

  /** The part of {@link #config} that says how to train. */
  TrainingDescription training() {
    return training;
  }

  /** Trains the network on the images. */
  Trainer trainer() {
    return trainer;
  }

  /** Draws with the averaged weights, as they are when it is asked. */
  DiffusionPipeline pipeline() {
    return pipeline;
  }

  /** From which a consistency model is distilled. */
  Optional<DiffusionModel> teacher() {
    return teacher;
  }

  /** What the network learns. */
  TrainingData data() {
    return data;
  }

  /** Images that were held out of it. */
  Optional<DataSet> validation() {
    return validation;
  }

  /** What computes, for people. */
  String machine() {
    return machine;
  }

  /** Images of a step. */
  int batchSize() {
    return training.batches().batchSize();
  }

  /** Denoising steps of the pictures. */
  int sampleSteps() {
    return training.sampleSteps().orElseThrow();
  }

  /** Denoising steps of the samples that are measured. */
  static int evaluationSteps(ModelDescription model) {
    return Math.min(
        EVALUATION_STEPS,
        DefaultSampler.steps(
            DefaultSampler.typeFor(model.parameterization(), model.network()),
            model.schedule().timesteps()));
  }

  /** Held-out images, whose loss every report has. */
  long validationImages() {
    return validation.map(held -> held.getFeatures().size(0)).orElse(0L);
  }

  /**
   * How long a step takes. The steps that are done for it are no training of anything: the session
   * is to be closed then.
   *
   * @param seconds to measure, once steps no longer become faster
   * @return seconds of a step
   */
  double secondsPerStep(double seconds) throws IOException {
    StepTimer timer = new StepTimer(seconds, System::nanoTime);
    trainer.withListener(timer).fit();
    return timer.secondsPerStep();
  }

  private static void requireBatch(int batchSize, int images) {
    if (batchSize > images) {
      throw new BadInputException(
          "The batch size is %d, but the data has only %d image(s) to train on; give --batch-size %d or less.",
          batchSize, images, images);
    }
  }

  /**
   * Says what a run that is to end at another step than before does with its learning rate.
   *
   * @param before the configuration that its folder still has
   */
  void noteAnotherEnd(RunConfig before) {
    long steps = training.config().steps();
    long stepsBefore = before.training().orElseThrow().config().steps();
    if (steps != stepsBefore
        && training.config().learningRate().decay() != LearningRateSchedule.Decay.CONSTANT) {
      console.note(
          "train: the learning rate falls to the new end, step %d, and so goes on %s than it had come to",
          steps, steps > stepsBefore ? "higher" : "lower");
    }
  }

  /**
   * The state to save when this machine's memory has run out. Whoever saves copies a tensor at a
   * time, for which there may be none left; what steps and pictures take, which is most, is given
   * back before. Nothing can be trained after that.
   */
  Checkpoint lastState() {
    reserve = null;
    Checkpoint state = trainer.checkpoint();
    try {
      close();
    } catch (RuntimeException | OutOfMemoryError e) {
      // There may be enough for the state nonetheless.
      return state;
    }
    return state;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (measuring != null) {
      measuring.meter().close();
    }
    prefetching.close();
    trainer.close();
    unet.close();
  }

  private record Measuring(DistanceMeter meter, long every, int images) {}
}

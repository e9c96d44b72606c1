package org.ddpm4j.cli.train;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.ddpm4j.cli.options.AugmentationOptions;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ChainOptions;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.options.Version;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.Distillation;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.EmaWarmUp;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.unet.model.UnetConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that decide what a run becomes. */
@OptionGroup("The training")
final class TrainingOptions {

  private static final int MAX_VALIDATION_IMAGES = 10_000;

  /** A year. */
  private static final int MAX_MINUTES = 60 * 24 * 366;

  private static final List<String> SCHEDULE_OPTIONS =
      List.of(
          "--schedule",
          "--timesteps",
          "--beta-start",
          "--beta-end",
          "--zero-terminal-snr",
          "--schedule-shift",
          "--sigma-min",
          "--sigma-max");

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Optimiser steps (default: as many as fit in --minutes).")
  private Long steps;

  @HasEffect(without = "--steps", because = "which it would plan")
  @Option(
      names = "--minutes",
      paramLabel = "N",
      description =
          "Measure this machine for some seconds and plan a training of so many minutes: its"
              + " steps, and with them the fall of the learning rate and the moving average"
              + " (default: "
              + TrainingDefaults.MINUTES
              + ", where --steps is not given).")
  private Double minutes;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = TrainingDefaults.BATCH_SIZE,
      description = "Images per step (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      defaultValue = TrainingDefaults.ACCUMULATE,
      description =
          "Batches whose gradients make a step, as one batch so many times as large in the memory"
              + " of one (default: ${DEFAULT-VALUE}).")
  private int accumulate;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description =
          "Peak learning rate of AdamW (default: 0.064 divided by --dim, 4e-3 with 16 channels;"
              + " 2e-3 for tutorial and minimal).")
  private Double learningRate;

  @Option(
      names = "--beta1",
      paramLabel = "X",
      defaultValue = TrainingDefaults.BETA1,
      description = "Decay of AdamW's first moment, in [0,1) (default: ${DEFAULT-VALUE}).")
  private double beta1;

  @Option(
      names = "--beta2",
      paramLabel = "X",
      defaultValue = TrainingDefaults.BETA2,
      description = "Decay of AdamW's second moment, in [0,1) (default: ${DEFAULT-VALUE}).")
  private double beta2;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      defaultValue = TrainingDefaults.WARMUP,
      description = "Steps until the peak learning rate (default: ${DEFAULT-VALUE}).")
  private long warmup;

  @Option(
      names = "--decay",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.DECAY,
      description =
          "How the learning rate falls after that: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private LearningRateSchedule.Decay decay;

  @Mixin private ObjectiveOptions objective;

  @Option(
      names = "--ema-decay",
      paramLabel = "X",
      split = ",",
      description =
          "Decay of the moving average of the weights, in [0,1), or several: all are kept, the first"
              + " is drawn with unless 'sample --ema' names another (default: such that it is over"
              + " the last sixteenth of the steps).")
  private List<Double> emaDecays;

  @HasEffect(without = "--ema-decay=0", because = "which keeps no average")
  @Option(
      names = "--ema-power",
      paramLabel = "X",
      description =
          "Let the decay rise as 1 - (1 + step)^-X, X in (0,1], as diffusers' EMA warm-up does; 0.75"
              + " there (default: as (1 + step)/(10 + step)).")
  private Double emaPower;

  @Option(
      names = "--max-gradient-norm",
      paramLabel = "X",
      defaultValue = TrainingDefaults.MAX_GRADIENT_NORM,
      description =
          "Longer gradients are scaled down; Infinity for no limit (default: ${DEFAULT-VALUE}).")
  private double maxGradientNorm;

  @OptionGroup("The images")
  @Option(
      names = "--flip",
      paramLabel = "NAME",
      description =
          "Whether images are mirrored: ${COMPLETION-CANDIDATES} (default: random for cifar10,"
              + " cifar100, tiny-imagenet and folder; none for the others, in which left and right"
              + " differ).")
  private HorizontalFlip flip;

  @Mixin private AugmentationOptions augmentation;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
  private long seed;

  @HasEffect(without = "--distill", because = "whose levels of noise are those of the paper")
  @OptionGroup("The noise schedule")
  @Option(
      names = "--schedule",
      paramLabel = "TYPE",
      description =
          "Noise schedule: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.SCHEDULE
              + "; edm or flow where that is predicted).")
  private ScheduleType schedule;

  @Mixin private ChainOptions chain;

  @HasEffect(
      without = {"--from", "--distill"},
      because = "whose network is taken as it is")
  @Mixin
  private NetworkOptions network;

  @HasEffect(without = "--from", because = "which begins with another network")
  @Mixin
  private DistillationOptions distillation;

  @OptionGroup("The images")
  @Option(
      names = "--validation-images",
      paramLabel = "N",
      description =
          "Test images whose loss is measured, 0 for none; of a folder without test images so many"
              + " are held out (default: "
              + DataOptions.HELD_OUT
              + ", of a small folder a tenth).")
  private Integer validationImages;

  @Option(
      names = "--report-every",
      paramLabel = "N",
      description =
          "Steps between two points of the loss curve (default: a 300th of all, at least 10).")
  private Integer reportEvery;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      description = "Steps between two checkpoints (default: a twelfth of all, at least 250).")
  private Long checkpointEvery;

  @Option(
      names = "--sample-every",
      paramLabel = "N",
      description = "Steps between two grids of samples (default: a twelfth of all, at least 250).")
  private Long sampleEvery;

  /** How many images are held out, where the user gave it. */
  OptionalInt validationImages() {
    if (validationImages == null) {
      return OptionalInt.empty();
    }
    BadInputException.requireRange(
        "--validation-images", validationImages, 0, MAX_VALIDATION_IMAGES);
    return OptionalInt.of(validationImages);
  }

  /** The number of steps, where the user gave it. */
  Optional<Long> steps() {
    return Optional.ofNullable(steps);
  }

  /**
   * How long to train where the number of steps was not given.
   *
   * @throws BadInputException if the user gave what makes no sense
   */
  double minutes() {
    double chosen = Objects.requireNonNullElse(minutes, Double.valueOf(TrainingDefaults.MINUTES));
    if (!(chosen > 0 && chosen <= MAX_MINUTES)) {
      throw new BadInputException(
          "--minutes is %s; it must be above 0 and at most %d.", minutes, MAX_MINUTES);
    }
    return chosen;
  }

  /**
   * Everything that the user chose.
   *
   * @param data the images
   * @param usualFlip whether such images are mirrored unless the user says otherwise
   * @param allSteps how many steps
   * @param start the trained network to begin with, if there is one; what it knows of itself is
   *     taken where the user gave nothing
   * @param isGiven whether the user gave an option
   */
  RunConfig config(
      TrainingData data,
      HorizontalFlip usualFlip,
      long allSteps,
      Optional<StartingNetwork> start,
      Predicate<String> isGiven)
      throws IOException {
    String version = Version.current();
    ScheduleConfig levels = schedule(start, isGiven);
    double usualPeak = usualPeak(start);
    ObjectiveConfig learned = objective(start, isGiven);
    UnetConfig architecture =
        BadInputException.check(
            () ->
                start.isPresent()
                    ? start.get().network(data, learned, objective.isClassConditional())
                    : network.config(data, levels.timesteps(), objective));
    requireFit(architecture, data.images().shape());
    return BadInputException.check(
        () -> {
          TrainingConfig training = training(learned, allSteps, usualPeak);
          TrainingDescription description =
              new TrainingDescription(
                  seed,
                  training,
                  new TrainingDescription.BatchConfig(
                      batchSize,
                      seed,
                      Objects.requireNonNullElse(flip, usualFlip),
                      augmentation.augmentation()),
                  Objects.requireNonNullElse(
                      checkpointEvery, TrainingDefaults.sampleEvery(allSteps)),
                  Objects.requireNonNullElse(sampleEvery, TrainingDefaults.sampleEvery(allSteps)));
          return new RunConfig(
              version,
              ModelDescription.of(
                  architecture,
                  training.objective(),
                  levels,
                  data.images().shape(),
                  data.images().normalization(),
                  data.images().classNames()),
              data.description(),
              start
                  .map(trained -> description.withInitialWeights(trained.description()))
                  .orElse(description));
        });
  }

  /** That of a distillation, or of the trained network unless the user gave another. */
  private ScheduleConfig schedule(Optional<StartingNetwork> start, Predicate<String> isGiven) {
    return distillation.config().isPresent()
        ? distilledLevels(isGiven)
        : start
            .flatMap(StartingNetwork::schedule)
            .filter(own -> SCHEDULE_OPTIONS.stream().noneMatch(isGiven))
            .orElseGet(
                () ->
                    chain.config(
                        Objects.requireNonNullElseGet(schedule, objective::usualSchedule)));
  }

  /** What is learned, likewise. */
  private ObjectiveConfig objective(Optional<StartingNetwork> start, Predicate<String> isGiven) {
    Optional<Distillation> distilled = distillation.config();
    if (distilled.isPresent()) {
      return BadInputException.check(() -> objective.config(distilled.get()));
    }
    return start
        .flatMap(StartingNetwork::parameterization)
        .filter(own -> !isGiven.test("--parameterization"))
        .map(own -> BadInputException.check(() -> objective.config(own)))
        .orElseGet(() -> BadInputException.check(objective::config));
  }

  /** The peak of the learning rate where the user gave none. */
  private double usualPeak(Optional<StartingNetwork> start) {
    double usual =
        start.map(StartingNetwork::usualLearningRate).orElseGet(network::usualLearningRate);
    return distillation.config().isPresent()
        ? TrainingDefaults.DISTILLED_LEARNING_RATE * usual
        : usual;
  }

  private ScheduleConfig distilledLevels(Predicate<String> isGiven) {
    return isGiven.test("--timesteps")
        ? chain.config(ScheduleType.EDM)
        : ScheduleConfig.of(ScheduleType.EDM, TrainingDefaults.DISTILLED_LEVELS);
  }

  /** The teacher of a distillation. */
  DistillationOptions distillation() {
    return distillation;
  }

  /** Whether the network is told classes. */
  boolean isClassConditional() {
    return objective.isClassConditional();
  }

  /** As the network's own check, but in terms of options. */
  private static void requireFit(UnetConfig network, ImageShape shape) {
    int divisor = network.sizeDivisor();
    if (shape.height() % divisor != 0 || shape.width() % divisor != 0) {
      throw new BadInputException(
          "Images of %dx%d do not go through this U-Net, whose levels need heights and widths that are multiples of %d; choose --image-size %dx%d, or fewer levels by --dim-mults.",
          shape.height(),
          shape.width(),
          divisor,
          nearestMultiple(shape.height(), divisor),
          nearestMultiple(shape.width(), divisor));
    }
  }

  private static int nearestMultiple(int size, int divisor) {
    return Math.max(1, (size + divisor / 2) / divisor) * divisor;
  }

  private TrainingConfig training(
      ObjectiveConfig objectiveConfig, long allSteps, double usualPeak) {
    double peak = Objects.requireNonNullElse(learningRate, usualPeak);
    return new TrainingConfig(
        allSteps,
        AdamWConfig.defaults().withLearningRate(peak).withBetas(beta1, beta2),
        new LearningRateSchedule(warmup, decay),
        maxGradientNorm,
        emaDecays == null ? TrainingDefaults.emaDecay(allSteps) : emaDecays.get(0),
        objectiveConfig,
        seed,
        Objects.requireNonNullElseGet(reportEvery, () -> TrainingDefaults.reportEvery(allSteps)),
        accumulate,
        emaPower == null ? null : new EmaWarmUp(emaPower, EmaWarmUp.DEFAULT_INVERSE_GAMMA),
        emaDecays == null ? List.of() : emaDecays.subList(1, emaDecays.size()));
  }
}

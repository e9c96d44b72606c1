package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Trains a U-Net for an objective, usually that of Ho et al. 2020, algorithm 1: to predict the
 * noise ε of noisy images.
 *
 * <p>The timesteps and the noise of an image depend on the seed, the step and the image's place in
 * the batch alone. Together with a {@link Checkpoint} this makes every run resumable to the last
 * bit.
 */
public final class Trainer {

  /** Held-out images that are evaluated at once, so that their number does not cost memory. */
  private static final long VALIDATION_BATCH = 64;

  private final Unet unet;
  private final Objective objective;
  private final TimestepSampler timesteps;
  private final TrainingConfig config;
  private final BatchSource data;
  private final FlatOperations operations;
  private final AdamW optimizer;
  private final Parameters gradient;
  private final Parameters ema;
  private final Unet emaUnet;
  private final LossHistory history = new LossHistory();
  private final LossWindow window = new LossWindow();
  private final List<TrainingListener> listeners = new ArrayList<>();
  private DataSet validation;
  private long step;
  private volatile boolean stopRequested;

  /**
   * A training that is at its beginning.
   *
   * @param unet the network, which is trained in place
   * @param schedule the noise
   * @param config how to train, and for what
   * @param data the images, in the range that is to be sampled; with classes as one-hot labels
   *     where the network is told them
   * @throws IllegalArgumentException if network, schedule and objective do not fit each other
   */
  public Trainer(Unet unet, NoiseSchedule schedule, TrainingConfig config, BatchSource data) {
    this(unet, config.objective().create(schedule), config, data);
    config.objective().checkNetwork(unet.config());
  }

  /**
   * A training for an objective of another kind, at its beginning.
   *
   * @param unet the network, which is trained in place
   * @param objective what it is trained for, in place of the one that the configuration names
   * @param config how to train
   * @param data the images; with classes as one-hot labels where the network is told them
   */
  public Trainer(Unet unet, Objective objective, TrainingConfig config, BatchSource data) {
    this.unet = Objects.requireNonNull(unet, "unet");
    this.objective = Objects.requireNonNull(objective, "objective");
    this.config = Objects.requireNonNull(config, "config");
    this.data = Objects.requireNonNull(data, "data");
    this.timesteps =
        switch (config.objective().timesteps()) {
          case UNIFORM -> new UniformTimesteps(objective.timesteps());
          case IMPORTANCE -> new ImportanceTimesteps(objective.timesteps());
        };
    this.operations = FlatOperations.of(unet);
    this.optimizer = new AdamW(config.optimizer(), unet.parameters(), operations);
    this.gradient = unet.parameters().zerosLike();
    this.ema = unet.parameters().zerosLike();
    this.ema.assign(unet.parameters());
    this.emaUnet = Unet.of(unet.config(), ema, unet.execution());
  }

  /**
   * Adds held-out images, whose loss is then part of every report. Their timesteps are spread
   * evenly and their noise is always the same, so that the losses of two reports can be compared.
   *
   * @param images features {@code [N,C,H,W]}, N at least 1
   * @return this trainer
   * @throws IllegalArgumentException if there are no images
   */
  public Trainer withValidation(DataSet images) {
    if (images.numExamples() < 1) {
      throw new IllegalArgumentException(
          "There are no held-out images; leave the validation out or hold some back.");
    }
    validation = images;
    return this;
  }

  /**
   * Adds a listener.
   *
   * @param listener told of every step, after those that were added before
   * @return this trainer
   */
  public Trainer withListener(TrainingListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * Goes on from a saved state.
   *
   * @param checkpoint of the same network
   * @return this trainer
   * @throws IllegalArgumentException if the checkpoint is of another network, or of a version whose
   *     runs drew their random numbers otherwise
   */
  public Trainer resume(Checkpoint checkpoint) {
    checkpoint.requireResumable();
    restore(checkpoint);
    return this;
  }

  /**
   * Trains to the last step, or until {@link #requestStop} is heard.
   *
   * @throws TrainingDivergedException if the loss, the gradient or the update is not finite; the
   *     weights are those before that step, and no listener hears of it
   * @throws IOException if a listener throws it
   */
  public void fit() throws IOException {
    try {
      while (step < config.steps() && !stopRequested) {
        TrainingListener.StepReport report = trainStep();
        for (TrainingListener listener : listeners) {
          listener.onStep(this, report);
        }
      }
    } finally {
      stopRequested = false;
    }
  }

  /**
   * Lets {@link #fit} return after the step that is under way, or the next {@code fit} at once if
   * there is none. May be called by any thread, a shutdown hook's included. No checkpoint is
   * written on the way out: that is up to the caller.
   */
  public void requestStop() {
    stopRequested = true;
  }

  private TrainingListener.StepReport trainStep() {
    DataSet images = data.batch(step);
    INDArray x0 = images.getFeatures();
    int count = Math.toIntExact(x0.size(0));
    TimestepSampler.Draw draw = timesteps.draw(random(Purpose.TRAINING_TIMESTEPS), step, 0, count);
    Optional<INDArray> labels = labels(images).map(this::dropLabels);
    BatchRandom noise = new BatchRandom(random(Purpose.TRAINING_NOISE), step, 0);
    TrainingBatch batch = new TrainingBatch(x0, labels, draw.t(), noise);
    double[] losses = objective.lossAndGradient(unet, batch, draw.weights(), gradient);
    // At once: the garbage collector, which sees only the small Java objects, may wait for hours.
    labels.ifPresent(INDArray::close);
    double loss = 0;
    for (int i = 0; i < count; i++) {
      loss += draw.weights()[i] * losses[i] / count;
    }
    double norm = operations.norm(gradient.flat());
    requireFinite("loss", loss);
    requireFinite("gradient norm", norm);
    if (norm > config.maxGradientNorm()) {
      operations.scale(gradient.flat(), config.maxGradientNorm() / norm);
    }
    double factor = config.learningRate().factor(step, config.steps());
    requireFinite("update", optimizer.update(unet.parameters(), gradient, step, factor));
    updateEma();
    timesteps.update(draw.t(), losses);
    step++;

    window.add(loss, norm);
    return new TrainingListener.StepReport(step, config.steps(), loss, count, closeWindow(factor));
  }

  /** The class of each image, {@code [N]}, for networks that are told it. */
  private Optional<INDArray> labels(DataSet images) {
    int classes = unet.config().classEmbeddings();
    if (classes == 0) {
      return Optional.empty();
    }
    INDArray oneHot = images.getLabels();
    if (oneHot == null || oneHot.rank() != 2 || oneHot.size(1) > classes) {
      throw new IllegalArgumentException(
          "The network is told one of %d classes, but the labels of the images are %s; they must be [N,classes], one-hot."
              .formatted(classes, oneHot == null ? "missing" : Arrays.toString(oneHot.shape())));
    }
    return Optional.of(oneHot.argMax(1).castTo(DataType.INT32));
  }

  /** Replaces some classes by the last one, which stands for none (Ho and Salimans 2022). */
  private INDArray dropLabels(INDArray labels) {
    double share = config.objective().labelDropout();
    if (share > 0) {
      CounterRandom random = random(Purpose.LABEL_DROPOUT);
      for (long i = 0; i < labels.length(); i++) {
        if (random.uniform(i, step, 0) < share) {
          labels.putScalar(i, unet.config().classEmbeddings() - 1);
        }
      }
    }
    return labels;
  }

  private CounterRandom random(Purpose purpose) {
    return new CounterRandom(config.seed(), purpose);
  }

  private void requireFinite(String what, double value) {
    if (!Double.isFinite(value)) {
      throw new TrainingDivergedException(step + 1, what, value);
    }
  }

  /**
   * The decay rises from 0.1 to its final value, so that the random first weights are forgotten.
   */
  private void updateEma() {
    double decay = Math.min(config.emaDecay(), (1.0 + step) / (10.0 + step));
    operations.average(ema.flat(), decay, unet.parameters().flat());
  }

  private LossHistory.Entry closeWindow(double learningRateFactor) {
    if (step % config.reportEvery() != 0 && step != config.steps()) {
      return null;
    }
    LossHistory.Entry entry =
        new LossHistory.Entry(
            step,
            window.meanLoss(),
            validationLoss(),
            config.optimizer().learningRate() * learningRateFactor,
            window.meanGradientNorm());
    window.clear();
    history.add(entry);
    return entry;
  }

  /**
   * The loss of the held-out images under the current weights.
   *
   * @return the mean over all elements, NaN if there are no held-out images
   */
  public double validationLoss() {
    if (validation == null) {
      return Double.NaN;
    }
    long count = validation.numExamples();
    double sum = 0;
    for (long first = 0; first < count; first += VALIDATION_BATCH) {
      long end = Math.min(first + VALIDATION_BATCH, count);
      DataSet part =
          new DataSet(
              rows(validation.getFeatures(), first, end), rows(validation.getLabels(), first, end));
      INDArray x0 = part.getFeatures();
      int[] t = new int[Math.toIntExact(end - first)];
      for (int i = 0; i < t.length; i++) {
        t[i] = (int) ((first + i + 0.5) / count * objective.timesteps());
      }
      BatchRandom noise = new BatchRandom(random(Purpose.VALIDATION_NOISE), 0, first);
      TrainingBatch batch = new TrainingBatch(x0, labels(part), t, noise);
      sum += Arrays.stream(objective.losses(unet, batch)).sum();
    }
    return sum / count;
  }

  private static INDArray rows(INDArray array, long first, long end) {
    return array == null ? null : array.get(NDArrayIndex.interval(first, end));
  }

  /**
   * The number of steps done.
   *
   * @return from 0 to the configured number
   */
  public long step() {
    return step;
  }

  /**
   * How this trains.
   *
   * @return the configuration
   */
  public TrainingConfig config() {
    return config;
  }

  /**
   * The network that is being trained.
   *
   * @return the network; its weights change with every step
   */
  public Unet unet() {
    return unet;
  }

  /**
   * The network with the moving average of the weights, the one to sample with.
   *
   * @return the network; its weights change with every step
   */
  public Unet emaUnet() {
    return emaUnet;
  }

  /**
   * The reports so far.
   *
   * @return the history
   */
  public LossHistory history() {
    return history;
  }

  /**
   * The state after the last step.
   *
   * @return everything that going on needs; a view, valid until the next step
   */
  public Checkpoint checkpoint() {
    return new Checkpoint(
        Checkpoint.VERSION,
        step,
        unet.parameters(),
        ema,
        optimizer.firstMoment(),
        optimizer.secondMoment(),
        history.entries(),
        window.state(),
        timesteps instanceof ImportanceTimesteps importance
            ? Optional.of(importance.state())
            : Optional.empty());
  }

  private void restore(Checkpoint from) {
    unet.parameters().assign(from.weights());
    ema.assign(from.ema());
    optimizer.firstMoment().assign(from.firstMoment());
    optimizer.secondMoment().assign(from.secondMoment());
    history.replaceBy(from.history());
    window.restore(from.window());
    if (timesteps instanceof ImportanceTimesteps importance) {
      importance.restore(
          from.timesteps()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "The checkpoint has no losses of timesteps, which this training draws by importance.")));
    }
    step = from.step();
  }
}

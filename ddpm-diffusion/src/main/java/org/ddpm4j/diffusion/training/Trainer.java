package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.ddpm4j.diffusion.objective.ConsistencyDistillation;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.LogNormalTimesteps;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.SimpleObjective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Trains a U-Net for an objective, usually that of Ho et al. 2020, algorithm 1: to predict the
 * noise ε of noisy images.
 *
 * <p>The timesteps and the noise of an image depend on the seed, the step and the image's place in
 * the batch alone. Together with a {@link Checkpoint} this makes every run resumable to the last
 * bit.
 */
public final class Trainer implements AutoCloseable {

  /** Held-out images that are evaluated at once, so that their number does not cost memory. */
  private static final long VALIDATION_BATCH = 64;

  private final Unet unet;
  private final Objective objective;
  private final TimestepSampler timesteps;
  private final TrainingConfig config;
  private final TrainingState state;
  private final TrainingStep trainingStep;
  private final Unet emaUnet;

  /** With the average that a consistency model is to agree with. */
  private final Optional<Unet> target;

  private final LossHistory history = new LossHistory();
  private final LossWindow window = new LossWindow();
  private final List<TrainingListener> listeners = new ArrayList<>();
  private DataSet validation;
  private long step;
  private volatile boolean stopRequested;

  /**
   * Held for a step, and while the threads and the memory that steps take are given back. Fair, or
   * the next step might always be quicker than who closes.
   */
  private final ReentrantLock life = new ReentrantLock(true);

  private boolean closed;

  private final AtomicBoolean fitting = new AtomicBoolean();

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
    this(unet, fitting(unet, schedule, config), config, data);
  }

  /** Checked before anything is made that would have to be closed. */
  private static Objective fitting(Unet unet, NoiseSchedule schedule, TrainingConfig config) {
    Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(config, "config");
    Objective objective = config.objective().create(schedule);
    config.objective().checkNetwork(unet.config());
    return objective;
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
    this(unet, objective, config, data, TrainingStep::of);
  }

  /**
   * A training whose steps are done elsewhere, on a device for example, at its beginning.
   *
   * @param unet the network, which is trained in place
   * @param objective what it is trained for, in place of the one that the configuration names
   * @param config how to train
   * @param data the images; with classes as one-hot labels where the network is told them
   * @param steps makes the steps
   */
  public Trainer(
      Unet unet,
      Objective objective,
      TrainingConfig config,
      BatchSource data,
      TrainingStep.Factory steps) {
    this.unet = Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(objective, "objective");
    this.config = Objects.requireNonNull(config, "config");
    Objects.requireNonNull(data, "data");
    this.timesteps = timesteps(objective, config);
    this.state = TrainingState.of(unet.parameters(), config.allFurtherDecays());
    if (objective instanceof ConsistencyDistillation distillation) {
      double decay = distillation.distillation().targetDecay();
      this.target =
          Optional.of(Unet.of(unet.config(), state.furtherEmas().get(decay), unet.execution()));
      this.objective = distillation.withTarget(target.get());
    } else {
      this.target = Optional.empty();
      this.objective = objective;
    }
    BatchSource batches = objective.takesPixels() ? data : new CheckedBatches(data);
    this.trainingStep =
        steps.create(
            new TrainingStep.Task(unet, this.objective, config, batches, timesteps, state));
    this.emaUnet = Unet.of(unet.config(), state.ema(), unet.execution());
  }

  /**
   * How the timesteps of a training are drawn, for those who compute gradients elsewhere.
   *
   * @param objective what is trained for
   * @param config says how
   * @return a sampler that has learned nothing yet
   * @throws IllegalArgumentException if the objective's timesteps cannot be drawn so
   */
  public static TimestepSampler timesteps(Objective objective, TrainingConfig config) {
    Objects.requireNonNull(config, "config");
    return switch (config.objective().timesteps()) {
      case UNIFORM -> new UniformTimesteps(objective.timesteps());
      case IMPORTANCE -> new ImportanceTimesteps(objective.timesteps());
      case LOG_NORMAL -> LogNormalTimesteps.paper(scheduleOf(objective));
    };
  }

  private static NoiseSchedule scheduleOf(Objective objective) {
    if (objective instanceof SimpleObjective simple) {
      return simple.schedule();
    }
    throw new IllegalArgumentException(
        "Log-normal levels of noise are for the loss terms simple; draw timesteps uniformly.");
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
    if (Objects.requireNonNull(images, "images").numExamples() < 1) {
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
    listeners.add(Objects.requireNonNull(listener, "listener"));
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
    Objects.requireNonNull(checkpoint, "checkpoint").requireResumable();
    restore(checkpoint);
    return this;
  }

  /**
   * Trains to the last step, or until {@link #requestStop} is heard.
   *
   * <p>That its thread is interrupted, as by {@link java.util.concurrent.Future#cancel} or {@link
   * java.util.concurrent.ExecutorService#shutdownNow}, ends it after the step that is under way.
   * The interrupt stays set; a thread without it may go on.
   *
   * @throws IllegalArgumentException if a batch has no images, or the first one pixels from 0 to
   *     255 that nobody has scaled, unless the {@linkplain Objective#takesPixels objective} does
   * @throws TrainingDivergedException if the loss, the gradient or the update is not finite; the
   *     weights are those before that step, and no listener hears of it
   * @throws org.ddpm4j.kernels.plan.DeviceMemoryException if the network's device has no memory
   *     left; {@link #checkpoint} is then the state after the last whole step
   * @throws CancellationException if the thread is interrupted; {@link #checkpoint} is then the
   *     state after the last step
   * @throws IllegalStateException if this is closed, or another call is under way
   * @throws IOException if a listener throws it
   */
  public void fit() throws IOException {
    if (!fitting.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "This training is under way already; one fit at a time does its steps.");
    }
    try {
      whileOpen(
          () -> {
            finishReport();
            return null;
          });
      while (step < config.steps() && !stopRequested) {
        checkInterrupt();
        TrainingListener.StepReport report = whileOpen(this::trainStep);
        for (TrainingListener listener : listeners) {
          listener.onStep(this, report);
        }
      }
    } finally {
      stopRequested = false;
      fitting.set(false);
    }
  }

  private <T> T whileOpen(Supplier<T> work) {
    life.lock();
    try {
      if (closed) {
        throw new IllegalStateException(
            "The training is closed; go on with another trainer that resumes its checkpoint.");
      }
      return work.get();
    } finally {
      life.unlock();
    }
  }

  private void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException(
          Text.format(
              "Training was cancelled after %d of %d step(s): its thread was interrupted.",
              step, config.steps()));
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
    double factor = config.learningRate().factor(step, config.steps());
    TrainingStep.Result result;
    try {
      result = trainingStep.run(step, factor, config.emaDecay(step));
    } catch (TrainingDivergedException e) {
      throw e.in(config);
    }
    StepLosses losses = result.losses();
    timesteps.update(losses.t(), losses.losses());
    step++;

    window.add(losses.mean(), result.gradientNorm());
    return new TrainingListener.StepReport(
        step, config.steps(), losses.mean(), losses.images(), closeWindow(factor));
  }

  /** What a training still owes that ended between its last step and that step's report. */
  private void finishReport() {
    if (window.state().steps() > 0) {
      closeWindow(config.learningRate().factor(step - 1, config.steps()));
    }
  }

  /**
   * A last window of a few steps would say of their noise rather than of the network: what comes
   * after a report that is nearly the last is part of the last.
   */
  private boolean isReportDue() {
    long left = config.steps() - step;
    return left == 0 || (step % config.reportEvery() == 0 && left >= config.reportEvery() / 2.0);
  }

  private LossHistory.Entry closeWindow(double learningRateFactor) {
    if (!isReportDue()) {
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
    trainingStep.bringHome();
    CounterRandom random = new CounterRandom(config.seed(), Purpose.VALIDATION_NOISE);
    long count = validation.numExamples();
    double sum = 0;
    for (long first = 0; first < count; first += VALIDATION_BATCH) {
      long end = Math.min(first + VALIDATION_BATCH, count);
      DataSet part = Rows.of(validation, first, end);
      INDArray x0 = part.getFeatures();
      int[] t = new int[Math.toIntExact(end - first)];
      for (int i = 0; i < t.length; i++) {
        t[i] = (int) ((first + i + 0.5) / count * objective.timesteps());
      }
      BatchRandom noise = new BatchRandom(random, 0, first);
      TrainingBatch batch = new TrainingBatch(x0, Labels.of(part, unet.config()), t, noise);
      sum += Arrays.stream(objective.losses(unet, batch)).sum();
    }
    return sum / count;
  }

  /** {@return the number of steps done, from 0 to the configured number} */
  public long step() {
    return step;
  }

  /** {@return how this trains} */
  public TrainingConfig config() {
    return config;
  }

  /**
   * The network that is being trained.
   *
   * @return the network; its weights are those after the last step, and change with further ones
   */
  public Unet unet() {
    trainingStep.bringHome();
    return unet;
  }

  /**
   * The network with the moving average of the weights, the one to sample with. It is closed with
   * this trainer; {@link #trainedUnet} gives one that is not.
   *
   * @return the network; its weights are those after the last step, and change with further ones.
   *     Where steps are done on a device, they do so when this is called
   */
  public Unet emaUnet() {
    trainingStep.bringHome();
    return emaUnet;
  }

  /**
   * A network of its own with the moving average of the weights as it is after the last step.
   *
   * @return the network, the caller's to close
   */
  public Unet trainedUnet() {
    trainingStep.bringHome();
    Parameters weights = state.ema().zerosLike();
    weights.assign(state.ema());
    return Unet.of(unet.config(), weights, unet.execution());
  }

  /** {@return the reports so far} */
  public LossHistory history() {
    return history;
  }

  /**
   * Makes the weights that others read, {@link #unet} and {@link #emaUnet}, those after the last
   * step. They are anyway, unless steps are done on a device.
   */
  public void bringHome() {
    trainingStep.bringHome();
  }

  /**
   * The state after the last step.
   *
   * @return everything that going on needs; a view, valid until the next step
   */
  public Checkpoint checkpoint() {
    trainingStep.bringHome();
    return new Checkpoint(
        Checkpoint.VERSION,
        step,
        state.weights(),
        state.ema(),
        state.firstMoment(),
        state.secondMoment(),
        history.entries(),
        window.state(),
        timesteps instanceof ImportanceTimesteps importance
            ? Optional.of(importance.state())
            : Optional.empty(),
        state.furtherEmas());
  }

  private void restore(Checkpoint from) {
    state.assign(from);
    trainingStep.startFromHome();
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

  /**
   * Ends the threads of training and closes {@link #emaUnet}. The network that was trained, and the
   * data, are the caller's to close. Waits for a step that another thread is in; its {@link #fit}
   * then refuses the next one with an {@link IllegalStateException}. Closing once more does
   * nothing.
   */
  @Override
  public void close() {
    life.lock();
    try {
      closed = true;
      trainingStep.close();
      emaUnet.close();
      target.ifPresent(Unet::close);
    } finally {
      life.unlock();
    }
  }
}

package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.apache.spark.api.java.JavaSparkContext;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.HostTrainingStep;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.ddpm4j.diffusion.training.WeightUpdate;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A training whose gradients come from executors and whose weights, moments and moving average are
 * in the memory of the driver. It goes on from the newest checkpoint of its run, if there is one.
 */
public final class SparkTraining implements AutoCloseable {

  private final RemoteRun run;
  private final TrainingDescription training;
  private final Unet unet;
  private final Trainer trainer;

  /**
   * Begins a training, or goes on with it.
   *
   * @param spark the cluster
   * @param run its folder, the caller's to close
   * @param images that the run is trained on
   * @param shards into how many parts each step is cut, at least 1
   * @param placement of the tasks of a step
   * @throws IOException if the run's files cannot be read, or the images are not the run's
   * @throws IllegalArgumentException if the batches are too large for so few images, or there are
   *     fewer shards than 1
   */
  public SparkTraining(
      JavaSparkContext spark, RemoteRun run, PackedImages images, int shards, Placement placement)
      throws IOException {
    this.run = run;
    RunConfig config = run.readConfig();
    requireImages(config, images);
    training = config.training().orElseThrow();
    unet =
        Unet.create(
            config.model().network(),
            DataType.FLOAT,
            training.initialWeightsSeed(),
            Execution.automatic());
    Objective objective = ShardWorker.objective(config.model(), training.config());
    boolean begun = false;
    Trainer made = null;
    try {
      made =
          new Trainer(
              unet,
              objective,
              training.config(),
              elsewhere(),
              task ->
                  new HostTrainingStep(
                      new SparkGradientStep(
                          spark, task.unet(), task.timesteps(), config, images, shards, placement),
                      new WeightUpdate(task.unet(), task.config(), task.state()),
                      task.state().weights().zerosLike()));
      Optional<Checkpoint> state = run.readLatestCheckpoint(unet.parameters());
      if (state.isEmpty() && training.initialWeights().isPresent()) {
        throw new IOException(
            "The run began with the weights of another, and has no checkpoint with them; begin it by 'ddpm train' and go on here.");
      }
      state.ifPresent(made::resume);
      trainer = made;
      begun = true;
    } finally {
      if (!begun) {
        if (made != null) {
          made.close();
        }
        unet.close();
      }
    }
  }

  private static BatchSource elsewhere() {
    return step -> {
      throw new IllegalStateException("The images of step " + step + " are with the executors.");
    };
  }

  private static void requireImages(RunConfig config, PackedImages images) throws IOException {
    PackedImages.Contents found = images.contents();
    DataDescription data = config.data();
    if (!found.fingerprint().equals(data.fingerprint())) {
      if (data.validationImages() > 0
          && found.size() == data.trainingImages() + data.validationImages()) {
        throw new IOException(
            Text.format(
                "The images in %s are %d, of which the run keeps %d back to measure on, and pack none; begin a run that is to go on here by 'ddpm train --validation-images 0'.",
                images.folder(), found.size(), data.validationImages()));
      }
      throw new IOException(
          Text.format(
              "The images in %s (%s) are not those of the run (%s); pack the run's images.",
              images.folder(), found.source(), data.source()));
    }
    int batch = config.training().orElseThrow().batches().batchSize();
    if (batch > found.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "The batch size is %d, but the data has only %d image(s) to train on; train with smaller batches.",
              batch, found.size()));
    }
  }

  /** {@return the trainer, whose steps the cluster does, closed with this} */
  public Trainer trainer() {
    return trainer;
  }

  /**
   * Trains to the last step, writes checkpoints on the way and the network at the end.
   *
   * @param listener told of every step
   * @throws IOException if a file cannot be written, or the listener throws it
   * @throws java.io.UncheckedIOException if the cluster fails at a step again and again; the newest
   *     checkpoint is what the training goes on from
   */
  public void run(TrainingListener listener) throws IOException {
    trainer
        .withListener(
            (running, report) -> {
              if (report.step() % training.checkpointEvery() == 0 || report.isLast()) {
                run.write(running.checkpoint(), training.checkpointEvery());
              }
            })
        .withListener(listener);
    try {
      trainer.fit();
    } catch (CancellationException e) {
      if (!Thread.currentThread().isInterrupted()) {
        throw e;
      }
      // Between two steps; in the middle of one the step throws the like.
      InterruptedIOException interrupted = new InterruptedIOException(e.getMessage());
      interrupted.initCause(e);
      throw new UncheckedIOException(interrupted);
    }
    run.write(trainer.emaUnet());
  }

  /** Closes the networks of the driver; those of executors end with them. */
  @Override
  public void close() {
    trainer.close();
    unet.close();
  }
}

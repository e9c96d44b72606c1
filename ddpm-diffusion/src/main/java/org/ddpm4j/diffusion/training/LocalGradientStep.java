package org.ddpm4j.diffusion.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The gradient by the network of this process: images, timesteps, noise, objective.
 *
 * <p>The batch of a step is {@link TrainingConfig#accumulate()} batches of the source, one after
 * the other. What is random about an image is a function of the seed, the step and the image's
 * place in the whole, so that neither that number nor shards change it. The gradients of all shards
 * add up to that of the step.
 */
public final class LocalGradientStep implements GradientStep {

  private final Unet unet;
  private final Objective objective;
  private final TrainingConfig config;
  private final BatchSource data;
  private final TimestepSampler timesteps;
  private final FlatOperations operations;

  /** What is added to the sum; made when there is more than one summand. */
  private Parameters summand;

  /**
   * The gradient of a training.
   *
   * @param unet the network, whose weights are read at each step
   * @param objective what it is trained for
   * @param config seed, label dropout and number of batches are those of the training
   * @param data the images
   * @param timesteps draws the timesteps; told of no losses
   */
  public LocalGradientStep(
      Unet unet,
      Objective objective,
      TrainingConfig config,
      BatchSource data,
      TimestepSampler timesteps) {
    this.unet = Objects.requireNonNull(unet, "unet");
    this.objective = Objects.requireNonNull(objective, "objective");
    this.config = Objects.requireNonNull(config, "config");
    this.data = Objects.requireNonNull(data, "data");
    this.timesteps = Objects.requireNonNull(timesteps, "timesteps");
    this.operations = FlatOperations.of(unet);
  }

  /** Images of a step that are evaluated together, and the place of the first in the whole. */
  private record Piece(DataSet images, long first) {

    int size() {
      return images.numExamples();
    }
  }

  @Override
  public StepLosses compute(long step, Parameters gradient) {
    return compute(step, 0, 1, gradient);
  }

  /**
   * Computes a shard of a step.
   *
   * @param step zero-based
   * @param shard its number, 0..shards-1
   * @param shards into how many the step is cut, at least 1
   * @param gradient receives the shard's part of the gradient: those of all shards add up to it;
   *     zero if no image is left for this shard
   * @return the losses of the shard's images
   * @throws IllegalArgumentException if there is no such shard
   */
  public StepLosses compute(long step, int shard, int shards, Parameters gradient) {
    List<Piece> pieces = new ArrayList<>();
    long images = 0;
    for (int i = 0; i < config.accumulate(); i++) {
      BatchSource.Shard part =
          data.shard(
              Math.addExact(Math.multiplyExact(step, config.accumulate()), i), shard, shards);
      long first = images + part.first();
      part.images().ifPresent(own -> pieces.add(new Piece(own, first)));
      images += part.total();
    }
    if (pieces.isEmpty()) {
      gradient.flat().assign(0);
    }
    List<StepLosses> losses = new ArrayList<>();
    for (Piece piece : pieces) {
      Parameters target = losses.isEmpty() ? gradient : summand(gradient);
      losses.add(compute(step, piece, images, target));
      if (target != gradient) {
        operations.add(gradient.flat(), target.flat());
      }
    }
    return StepLosses.concat(losses);
  }

  private Parameters summand(Parameters like) {
    if (summand == null) {
      summand = like.zerosLike();
    }
    return summand;
  }

  /** A piece's part of the gradient of the mean over so many images. */
  private StepLosses compute(long step, Piece piece, long images, Parameters gradient) {
    int size = piece.size();
    TimestepSampler.Draw draw =
        timesteps.draw(random(Purpose.TRAINING_TIMESTEPS), step, piece.first(), size);
    // The objective takes the mean over the piece alone.
    double share = (double) size / images;
    double[] weights = Arrays.stream(draw.weights()).map(weight -> weight * share).toArray();
    Optional<INDArray> labels = Labels.of(piece.images(), unet.config());
    labels.ifPresent(classes -> Labels.drop(classes, config, unet.config(), step, piece.first()));
    BatchRandom noise = new BatchRandom(random(Purpose.TRAINING_NOISE), step, piece.first());
    INDArray x0 = piece.images().getFeatures();
    Optional<INDArray> offset = offsetNoise(x0, noise);
    try {
      TrainingBatch batch = new TrainingBatch(x0, labels, draw.t(), noise, offset);
      double[] losses = objective.lossAndGradient(unet, batch, weights, gradient);
      return new StepLosses(draw.t(), draw.weights(), losses);
    } finally {
      // At once: the garbage collector, which sees only the small Java objects, may wait for hours.
      labels.ifPresent(INDArray::close);
      offset.ifPresent(INDArray::close);
    }
  }

  /** The noise of images where every channel gets a number of its own in addition. */
  private Optional<INDArray> offsetNoise(INDArray x0, BatchRandom noise) {
    double deviation = config.objective().offsetNoise();
    if (deviation == 0) {
      return Optional.empty();
    }
    BatchRandom offsets =
        new BatchRandom(random(Purpose.OFFSET_NOISE), noise.step(), noise.firstImage());
    INDArray eps = noise.gaussian(x0.shape());
    INDArray shifts = offsets.gaussian(x0.size(0), x0.size(1), 1, 1).muli(deviation);
    eps.addi(shifts);
    shifts.close();
    return Optional.of(eps);
  }

  private CounterRandom random(Purpose purpose) {
    return new CounterRandom(config.seed(), purpose);
  }

  /** Ends the threads that add gradients; the network stays open. */
  @Override
  public void close() {
    operations.close();
  }
}

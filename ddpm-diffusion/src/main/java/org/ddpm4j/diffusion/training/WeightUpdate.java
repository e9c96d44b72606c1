package org.ddpm4j.diffusion.training;

import java.util.Objects;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;

/**
 * The second half of a step of training: what the gradient does to the weights. Clipping, AdamW and
 * the moving average of the weights, on buffers in this process's memory.
 */
public final class WeightUpdate implements AutoCloseable {

  private final TrainingConfig config;
  private final TrainingState state;
  private final FlatOperations operations;
  private final AdamW optimizer;

  /**
   * The update of a training.
   *
   * @param unet the network, which says by how many threads to compute
   * @param config the constants
   * @param state what is updated
   */
  public WeightUpdate(Unet unet, TrainingConfig config, TrainingState state) {
    Objects.requireNonNull(unet, "unet");
    this.config = Objects.requireNonNull(config, "config");
    this.state = state;
    this.operations = FlatOperations.of(unet);
    this.optimizer =
        new AdamW(config.optimizer(), state.firstMoment(), state.secondMoment(), operations);
  }

  /**
   * Updates weights, moments and moving average.
   *
   * @param step zero-based
   * @param gradient of the loss, overwritten
   * @param learningRateFactor on the peak learning rate
   * @param emaDecay of this step, of the usual average; those of others follow from theirs
   * @return the gradient's Euclidean norm before clipping
   * @throws TrainingDivergedException if that norm or the update is not finite; the weights and
   *     their average are as they were
   */
  public double apply(long step, Parameters gradient, double learningRateFactor, double emaDecay) {
    double norm = operations.norm(gradient.flat());
    TrainingDivergedException.requireFinite(step, "gradient norm", norm);
    if (norm > config.maxGradientNorm()) {
      operations.scale(gradient.flat(), config.maxGradientNorm() / norm);
    }
    double update = optimizer.update(state.weights(), gradient, step, learningRateFactor);
    TrainingDivergedException.requireFinite(step, "update", update);
    operations.average(state.ema().flat(), emaDecay, state.weights().flat());
    state
        .furtherEmas()
        .forEach(
            (decay, average) ->
                operations.average(
                    average.flat(), config.emaDecay(step, decay), state.weights().flat()));
    return norm;
  }

  /** Ends the threads. */
  @Override
  public void close() {
    optimizer.close();
  }
}

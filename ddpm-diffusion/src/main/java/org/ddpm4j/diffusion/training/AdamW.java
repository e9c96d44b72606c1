package org.ddpm4j.diffusion.training;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.Parameter;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) on flat buffers. Parameters that are not trained
 * do not decay either.
 */
public final class AdamW implements AutoCloseable {

  private final AdamWConfig config;
  private final FlatOperations operations;
  private final Parameters firstMoment;
  private final Parameters secondMoment;
  private final List<String> frozen;

  /**
   * An optimiser at its beginning, which computes as the network does.
   *
   * @param config its constants
   * @param unet the network whose weights it is to update
   * @return the optimiser, with moments of zero
   */
  public static AdamW of(AdamWConfig config, Unet unet) {
    Objects.requireNonNull(unet, "unet");
    return new AdamW(config, unet.parameters(), FlatOperations.of(unet));
  }

  AdamW(AdamWConfig config, Parameters weights, FlatOperations operations) {
    this(config, weights.zerosLike(), weights.zerosLike(), operations);
  }

  AdamW(
      AdamWConfig config,
      Parameters firstMoment,
      Parameters secondMoment,
      FlatOperations operations) {
    this.config = config;
    this.operations = operations;
    this.firstMoment = firstMoment;
    this.secondMoment = secondMoment;
    this.frozen =
        firstMoment.declarations().stream()
            .filter(parameter -> parameter.learning() == Parameter.Learning.FROZEN)
            .map(Parameter::name)
            .toList();
  }

  /**
   * Updates the weights, unless the update is not finite. Uses the gradient up.
   *
   * @param weights of the network
   * @param gradient of the loss, overwritten
   * @param step zero-based
   * @param learningRateFactor on the peak learning rate
   * @return the Euclidean norm of the gradient's part of the update; if it is not finite, the
   *     weights are as they were
   */
  public double update(
      Parameters weights, Parameters gradient, long step, double learningRateFactor) {
    double learningRate = config.learningRate() * learningRateFactor;
    double correction1 = 1 - Math.pow(config.beta1(), step + 1.0);
    double correction2 = 1 - Math.pow(config.beta2(), step + 1.0);
    double rate = learningRate / correction1;
    double norm =
        rate
            * operations.adamDirection(
                gradient.flat(), firstMoment.flat(), secondMoment.flat(), config, correction2);
    if (Double.isFinite(norm)) {
      double shrink = 1 - learningRate * config.weightDecay();
      List<INDArray> kept = frozen.stream().map(name -> weights.get(name).dup()).toList();
      operations.step(weights.flat(), shrink, rate, gradient.flat());
      for (int i = 0; i < kept.size(); i++) {
        weights.get(frozen.get(i)).assign(kept.get(i));
        kept.get(i).close();
      }
    }
    return norm;
  }

  /** Ends the threads. */
  @Override
  public void close() {
    operations.close();
  }
}

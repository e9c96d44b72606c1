package org.ddpm4j.examples.lessons;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;

/**
 * A network that lesson B or C has trained, with the moving average of its weights.
 *
 * @param name what pictures call it
 * @param unet the network
 * @param schedule of the chain
 * @param objective what it was trained for
 * @param shape of the images
 * @param losses of the training
 */
record Sampled(
    String name,
    Unet unet,
    NoiseSchedule schedule,
    ObjectiveConfig objective,
    ImageShape shape,
    List<LossHistory.Entry> losses) {

  /**
   * The reverse process (Ho et al. 2020, algorithm 2) in so many steps, or all if there are less.
   */
  AncestralSampler sampler(int steps, ReverseVariance variance, X0Constraint constraint) {
    return new AncestralSampler(
        schedule.respace(Math.min(steps, schedule.timesteps())), variance, constraint);
  }

  /** To draw with. */
  DiffusionPipeline pipeline(AncestralSampler sampler) {
    return DiffusionPipeline.of(unet, objective.parameterization(), schedule, sampler, shape);
  }

  /** The loss in training, step by step. */
  Series trainingLoss(String curve) {
    return losses(curve, LossHistory.Entry::loss);
  }

  /** The loss of images that are not trained on, at the same steps. */
  Series heldOutLoss(String curve) {
    return losses(curve, LossHistory.Entry::validationLoss);
  }

  private Series losses(String curve, ToDoubleFunction<LossHistory.Entry> loss) {
    return Series.of(
        curve,
        losses.stream().mapToDouble(LossHistory.Entry::step).toArray(),
        losses.stream().mapToDouble(loss).toArray());
  }
}

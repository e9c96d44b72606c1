package org.ddpm4j.examples.lessons;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * What lesson B or C has trained, with the moving average of the weights.
 *
 * @param name what pictures call it
 * @param model the network and its images
 * @param objective what it was trained for
 * @param losses of the training
 */
record TrainedNetwork(
    String name, DiffusionModel model, ObjectiveConfig objective, List<LossHistory.Entry> losses) {

  /**
   * Draws by the reverse process (Ho et al. 2020, algorithm 2) in so many steps, or all if there
   * are less.
   */
  DiffusionPipeline pipeline(int steps, ReverseVariance variance, X0Constraint constraint) {
    NoiseSchedule schedule = model.schedule();
    return model.pipeline(
        new AncestralSampler(
            schedule.respace(Math.min(steps, schedule.timesteps())), variance, constraint));
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

package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What predictions of different things are worth, in units that they have in common. */
final class PredictionErrors {

  /** The bound of a model under a variance. */
  record Judged(String model, ReverseVariance variance, BoundEvaluation bound) {}

  private PredictionErrors() {}

  static void draw(LessonRun run, List<TrainedNetwork> models, ImageDataSet heldOut)
      throws IOException {
    INDArray images = heldOut.batch(Recipe.all(heldOut)).getFeatures();
    List<Judged> all = new ArrayList<>();
    for (TrainedNetwork model : models) {
      all.addAll(judge(model, images));
    }
    run.say(
        "%-16s %-10s %8s %8s %8s %14s", "predicts", "variance", "L_T", "L_t>0", "L_0", "bits/dim");
    for (Judged one : all) {
      run.say(
          "%-16s %-10s %8.5f %8.3f %8.3f %8.3f ± %.3f",
          one.model(),
          one.variance(),
          one.bound().prior().meanNumber().doubleValue(),
          BoundEvaluation.Average.of(one.bound().transitionTerms()).mean(),
          BoundEvaluation.Average.of(one.bound().decoderTerm()).mean(),
          total(one).mean(),
          total(one).standardError());
    }
    PredictionCharts.draw(run, all);
  }

  static BoundEvaluation.Average total(Judged one) {
    return BoundEvaluation.Average.of(one.bound().total());
  }

  /** Under each variance that it has. All of them judge the same answers to the same questions. */
  private static List<Judged> judge(TrainedNetwork trained, INDArray images) {
    Denoiser network = trained.model().denoiser().withClasses();
    Map<NoiseLevel, Denoiser.Estimate> answers = new HashMap<>();
    Denoiser remembering =
        (xt, level) -> answers.computeIfAbsent(level, asked -> network.denoise(xt, asked));
    List<Judged> all = new ArrayList<>();
    for (ReverseVariance variance : ReverseVariance.values()) {
      if (variance == ReverseVariance.LEARNED
          && !trained.model().unet().config().learnsVariance()) {
        continue;
      }
      VariationalBound bound =
          new VariationalBound(
              trained.model().schedule(),
              variance,
              X0Constraint.clip(-1, 1),
              DiscretizedGaussian.ofBytes());
      all.add(
          new Judged(
              trained.name(),
              variance,
              bound.evaluate(remembering, images, NoiseSource.seeded(0, 0))));
    }
    return all;
  }
}

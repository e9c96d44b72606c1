package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.LossChart;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.AnnotatedUnet;

/** One network, trained to predict one thing after the other. */
final class Predictions {

  private static final int SAMPLES = 16;
  private static final int SEED = 7;

  private Predictions() {}

  /** What the networks are trained for. */
  private static Map<String, ObjectiveConfig> objectives() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    ObjectiveConfig mean = simple.withParameterization(Parameterization.MEAN);
    Map<String, ObjectiveConfig> all = new LinkedHashMap<>();
    all.put("mean", mean);
    // Errors of x0 times the SNR are errors of ε: the loss is that of ε, in its unit.
    all.put("mean, weighted", mean.withWeighting(new LossWeighting.MinSnr(Double.MAX_VALUE)));
    all.put("x0", simple.withParameterization(Parameterization.X0));
    all.put("ε", simple);
    // Learns the variance too, by a loss whose gradient does not reach the prediction of v.
    all.put("v", simple.withParameterization(Parameterization.V).withTerms(LossTerms.HYBRID));
    return all;
  }

  static List<TrainedNetwork> train(
      LessonRun run, NoiseSchedule schedule, ImageDataSet.HoldOut images) throws IOException {
    int channels = images.training().shape().channels();
    AnnotatedUnet network =
        AnnotatedUnet.resnet(16, channels, List.of(1, 2, 4), 8).withAttention(2, 16);
    List<TrainedNetwork> models = new ArrayList<>();
    for (Map.Entry<String, ObjectiveConfig> entry : objectives().entrySet()) {
      ObjectiveConfig objective = entry.getValue();
      Recipe recipe =
          new Recipe(
              entry.getKey(),
              network.withOutChannels(objective.outChannels(channels)),
              schedule,
              objective);
      models.add(recipe.train(run, images));
    }
    run.picture(
        "b-losses.png",
        LossChart.of(models.stream().map(model -> model.trainingLoss(model.name())).toList())
            .draw(),
        "training losses: each in its own unit, so that none can be compared with another");
    return models;
  }

  static void draw(LessonRun run, List<TrainedNetwork> models) throws IOException {
    List<BufferedImage> grids = new ArrayList<>();
    for (TrainedNetwork model : models) {
      DiffusionPipeline pipeline =
          model.pipeline(
              run.mostReverseSteps(), ReverseVariance.POSTERIOR, X0Constraint.clip(-1, 1));
      grids.add(Images.grid(pipeline.sample(SAMPLES, SEED), 4, 2));
    }
    run.picture(
        "b-samples.png",
        GridTitles.above(models.stream().map(TrainedNetwork::name).toList(), grids, models.size()),
        "what each draws, all from the same noise");
  }
}

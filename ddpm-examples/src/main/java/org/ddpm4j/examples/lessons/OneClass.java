package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.LossChart;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.TutorialUnet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The tutorial's network learns a single class, and draws 32 of it. */
final class OneClass {

  private static final int SAMPLES = 32;
  private static final int COLUMNS = 8;
  private static final int SEED = 1337;

  private OneClass() {}

  static void draw(LessonRun run, NoiseSchedule schedule, ImageDataSet.HoldOut images)
      throws IOException {
    int channels = images.training().shape().channels();
    TrainedNetwork model =
        new Recipe(
                "TutorialUnet on one class",
                TutorialUnet.of(channels, schedule.timesteps()),
                schedule,
                ObjectiveConfig.simple())
            .train(
                run,
                new ImageDataSet.HoldOut(
                    images.training(), images.heldOut().takeSpread(run.heldOut())));
    run.picture(
        "c-one-class-losses.png",
        LossChart.of(List.of(model.trainingLoss("training"), model.heldOutLoss("held out"))).draw(),
        "its loss in training and on images not seen");

    DiffusionPipeline clipping = pipeline(run, model, X0Constraint.clip(-1, 1));
    INDArray samples = clipping.sample(SAMPLES, SEED);
    INDArray unclipped = pipeline(run, model, X0Constraint.NONE).sample(SAMPLES, SEED);
    run.picture(
        "c-one-class.png",
        GridTitles.above(
            List.of("x0 clipped", "not clipped"),
            List.of(Images.grid(samples, COLUMNS, 2), Images.grid(unclipped, COLUMNS, 2)),
            2),
        "32 samples, with each estimate of x0 clipped to [-1,1] and without");
    run.say(
        "Values outside of [-1,1] at the end: up to %.3f clipped, %.3f not clipped",
        samples.amaxNumber().doubleValue(), unclipped.amaxNumber().doubleValue());
    checkSeeds(run, clipping, samples);
  }

  /** Image i of a seed is a function of the seed and i, and of no generator that others use. */
  private static void checkSeeds(LessonRun run, DiffusionPipeline pipeline, INDArray samples) {
    Nd4j.getRandom().setSeed(SEED + 1);
    INDArray again = pipeline.sample(3, SEED, 2, SamplingObserver.NONE);
    INDArray other = pipeline.sample(3, SEED + 1, 2, SamplingObserver.NONE);
    INDArray first = samples.get(NDArrayIndex.interval(0, 3));
    run.say(
        "Drawn again in batches of 2, after ND4J's generator was reseeded: off by at most %.1e",
        again.sub(first).amaxNumber().doubleValue());
    run.say(
        "Drawn with another seed: off by up to %.1f", other.sub(first).amaxNumber().doubleValue());
  }

  private static DiffusionPipeline pipeline(
      LessonRun run, TrainedNetwork model, X0Constraint constraint) {
    return model.pipeline(run.mostReverseSteps(), ReverseVariance.BETA, constraint);
  }
}

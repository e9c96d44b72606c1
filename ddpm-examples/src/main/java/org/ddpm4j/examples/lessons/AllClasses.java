package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks that are told the class: TutorialUnet, and one with more to it. */
final class AllClasses {

  private static final int PER_CLASS = 16;
  private static final int REVERSE_STEPS = 100;
  private static final int SEED = 1337;

  private AllClasses() {}

  static void draw(LessonRun run, NoiseSchedule linear, ImageDataSet.HoldOut clothes)
      throws IOException {
    ImageDataSet test = clothes.heldOut();
    ImageDataSet.HoldOut images =
        new ImageDataSet.HoldOut(clothes.training(), test.takeSpread(run.heldOut()));
    int classes = test.classNames().size();
    int channels = test.shape().channels();
    ObjectiveConfig objective = ObjectiveConfig.simple();

    TrainedNetwork tutorial =
        new Recipe(
                "TutorialUnet on all classes",
                TutorialUnet.of(channels, linear.timesteps()).withClassEmbeddings(classes),
                linear,
                objective)
            .train(run, images);
    // SiLU, GroupNorm, attention, a sinusoidal embedding of the time, the cosine schedule. That
    // ends in noise alone, of which ε says nothing and v does. And a row more in the class
    // embedding, for images whose class is not told.
    TrainedNetwork better =
        new Recipe(
                "the network with the upgrades",
                AnnotatedUnet.resnet(16, channels, List.of(1, 2, 4), 8)
                    .withAttention(2, 16)
                    .withClassEmbeddings(classes + 1),
                NoiseSchedule.of(CosineSchedule.paper(), linear.timesteps()),
                objective.withParameterization(Parameterization.V).withLabelDropout(0.1))
            .train(run, images);
    run.picture(
        "c-all-classes-tutorial.png",
        rows(test, sample(run, tutorial, classes)),
        "16 samples of each class by TutorialUnet");
    run.picture(
        "c-all-classes.png",
        GridTitles.above(
            List.of("samples", "real"),
            List.of(
                rows(test, sample(run, better, classes)), Images.grid(real(test), PER_CLASS, 2)),
            2),
        "16 samples of each class by the network with the upgrades, and 16 real images");
  }

  private static BufferedImage rows(ImageDataSet clothes, INDArray images) {
    return GridTitles.beside(clothes.classNames(), Images.grid(images, PER_CLASS, 2));
  }

  private static INDArray sample(LessonRun run, TrainedNetwork model, int classes) {
    int[] rows = IntStream.range(0, classes * PER_CLASS).map(i -> i / PER_CLASS).toArray();
    return model
        .pipeline(
            Math.min(run.mostReverseSteps(), REVERSE_STEPS),
            ReverseVariance.BETA,
            X0Constraint.clip(-1, 1))
        .sample(rows, SEED);
  }

  /** The first images of each class: chosen by their numbers, so that none comes twice. */
  static INDArray real(ImageDataSet images) {
    INDArray[] rows = new INDArray[images.classNames().size()];
    Arrays.setAll(
        rows,
        label ->
            images.onlyClass(label).batch(IntStream.range(0, PER_CLASS).toArray()).getFeatures());
    return Nd4j.concat(0, rows);
  }
}

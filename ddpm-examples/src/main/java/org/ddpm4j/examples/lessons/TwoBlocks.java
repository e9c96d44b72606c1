package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.SimpleObjective;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.plots.LossChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The U-Net of "The Annotated Diffusion Model" with ResNet and with ConvNeXt blocks, narrower than
 * there: the tutorial's are {@code resnet(28, 1, [1, 2, 4], 1)} with 1,694,929 and {@code
 * convnext(28, 1, [1, 2, 4])} with 2,996,315 parameters.
 */
final class TwoBlocks {

  private static final List<Integer> LEVELS = List.of(1, 2, 4);
  private static final int DIM = 16;
  private static final int GROUPS = 8;
  private static final int SAMPLES = 16;
  private static final int SAMPLING_STEPS = 100;
  private static final int WINDOW = 25;

  private TwoBlocks() {}

  /** Trains both and returns the one with ResNet blocks. */
  static Training compare(ImageDataSet clothes, NoiseSchedule schedule, LessonRun run)
      throws IOException {
    AnnotatedUnet resnet = AnnotatedUnet.resnet(DIM, 1, LEVELS, GROUPS).withAttention(2, 16);
    AnnotatedUnet convnext = AnnotatedUnet.convnext(DIM, 1, LEVELS).withAttention(2, 16);
    Training first = train("ResNet", resnet, clothes, schedule, run);
    Training second = train("ConvNeXt", convnext, clothes, schedule, run);

    run.picture(
        "blocks-losses.png",
        LossChart.of(
                List.of(first.lossCurve("ResNet", WINDOW), second.lossCurve("ConvNeXt", WINDOW)))
            .draw(),
        String.format(
            Locale.ROOT, "Huber losses with both kinds of block, means of %d steps", WINDOW));
    run.picture(
        "blocks-samples.png",
        Panels.grid(
            List.of(
                titled("real", clothes.batch(IntStream.range(0, SAMPLES).toArray()).getFeatures()),
                titled("ResNet", sample(first, clothes, schedule, run)),
                titled("ConvNeXt", sample(second, clothes, schedule, run))),
            3),
        "real images and samples of both networks");
    return first;
  }

  private static Training train(
      String name, UnetConfig network, ImageDataSet clothes, NoiseSchedule schedule, LessonRun run)
      throws IOException {
    SimpleObjective huber =
        new SimpleObjective(
            schedule, Parameterization.EPSILON, LossFunction.HUBER, new LossWeighting.Uniform());
    return Training.of(name, network, huber, clothes, run.steps(), run);
  }

  private static INDArray sample(
      Training trained, ImageDataSet clothes, NoiseSchedule schedule, LessonRun run) {
    ReverseProcess reverse = new ReverseProcess(schedule, clothes.shape(), run);
    AncestralSampler sampler = reverse.sampler(SAMPLING_STEPS);
    return new DiffusionPipeline(trained.averageDenoiser(schedule), sampler, clothes.shape())
        .sample(SAMPLES, 0);
  }

  private static BufferedImage titled(String title, INDArray images) {
    return Panels.titled(title, Images.grid(images, Images.squareColumns(SAMPLES), 4));
  }
}

package org.ddpm4j.examples;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.cold.ColdAlgorithm;
import org.ddpm4j.diffusion.cold.ColdObjective;
import org.ddpm4j.diffusion.cold.ColdSampler;
import org.ddpm4j.diffusion.cold.Degradation;
import org.ddpm4j.diffusion.cold.GaussianBlur;
import org.ddpm4j.diffusion.cold.GaussianMask;
import org.ddpm4j.diffusion.cold.Pixelation;
import org.ddpm4j.diffusion.cold.RestorationOperator;
import org.ddpm4j.diffusion.cold.Snow;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.PictureTable;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Learns to undo what is done to images without any noise (Bansal et al. 2022): rows of clothes as
 * they are, degraded, guessed in one go, and restored step by step (algorithm 2).
 */
public final class ColdDiffusionExample {

  private static final List<Degradation> DEGRADATIONS =
      List.of(
          GaussianBlur.constant(20, 11, 0.8),
          new GaussianMask(20, 1.0, 0.2, GaussianMask.Centre.RANDOM),
          new Pixelation(3),
          Snow.storm(20));

  private static final int COLUMNS = 12;
  private static final X0Constraint RANGE = X0Constraint.clip(-1, 1);

  private ColdDiffusionExample() {}

  /**
   * Writes {@code cold-diffusion.png}.
   *
   * @param args the folder to write to, and the steps of training for each degradation
   * @throws IOException if the images cannot be read or the picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments given = Arguments.of(args);
    Path picture = given.output().resolve("cold-diffusion.png");
    ImageDataSet test = FashionMnist.load(Split.TEST).take(256);
    draw(FashionMnist.load(Split.TRAIN), test, given.steps(500), picture);
    System.out.println("Wrote " + picture);
  }

  static void draw(ImageDataSet training, ImageDataSet test, int steps, Path picture)
      throws IOException {
    INDArray x0 = test.batch(IntStream.range(0, test.size()).toArray()).getFeatures();
    long[] keys = LongStream.range(0, test.size()).toArray();
    PictureTable table = new PictureTable(List.of());
    for (Degradation d : DEGRADATIONS) {
      Unet unet = TrainFashionMnistExample.train(training, ColdObjective.of(d), steps);
      RestorationOperator operator = RestorationOperator.of(unet::predict);
      INDArray degraded = d.degrade(x0, d.steps(), keys);
      INDArray direct = RANGE.apply(operator.restore(degraded, d.steps()));
      INDArray improved = restore(d, ColdAlgorithm.IMPROVED, operator, degraded, keys);
      System.out.printf(
          Locale.ROOT,
          "%s%n  PSNR in dB: degraded %.1f, direct %.1f, algorithm 1 %.1f, algorithm 2 %.1f%n",
          d,
          psnr(degraded, x0),
          psnr(direct, x0),
          psnr(restore(d, ColdAlgorithm.NAIVE, operator, degraded, keys), x0),
          psnr(improved, x0));
      table.row("x0", row(x0)).row(d.getClass().getSimpleName(), row(degraded));
      table.row("one guess", row(direct)).row("algorithm 2", row(improved));
    }
    Images.writePng(table.draw(), picture);
  }

  private static BufferedImage row(INDArray images) {
    return Images.grid(images.get(NDArrayIndex.interval(0, COLUMNS)), COLUMNS, 2);
  }

  private static INDArray restore(
      Degradation d, ColdAlgorithm by, RestorationOperator operator, INDArray xs, long[] keys) {
    return new ColdSampler(d, by, RANGE).restore(operator, xs, d.steps(), keys);
  }

  /** The peak signal-to-noise ratio; the peak of images in [-1,1] is 2. */
  private static double psnr(INDArray images, INDArray x0) {
    return 10 * Math.log10(4 * x0.length() / x0.squaredDistance(images));
  }
}

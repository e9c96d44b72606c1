package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.PictureTable;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Draws clothes with classifier-free guidance (Ho and Salimans 2022): a row for each class, three
 * images for each scale, from the same noise. Scale 0 ignores the class, 1 is the model of the
 * class, more exaggerates it.
 */
public final class ClassifierFreeGuidanceExample {

  private static final List<String> TITLES = List.of("0", "1", "2", "4", "8", "8, φ 0.7");
  private static final List<Guidance> SCALES =
      List.of(
          Guidance.of(0),
          Guidance.of(1),
          Guidance.of(2),
          Guidance.of(4),
          Guidance.of(8),
          Guidance.of(8).withRescale(0.7));

  private static final int EACH = 3;
  private static final int SEED = 3;

  private ClassifierFreeGuidanceExample() {}

  /**
   * Writes {@code guidance.png}.
   *
   * @param args the {@code unet} folder of a run, or else one is trained; where to write; the steps
   * @throws IOException if images or network cannot be read or the picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Optional<Path> model = arguments.model();
    Path picture = arguments.output().resolve("guidance.png");
    ImageDataSet clothes = FashionMnist.load(Split.TRAIN);
    int steps = arguments.steps(1500);
    Unet unet =
        model.isPresent() ? UnetFolder.read(model.get(), DataType.FLOAT) : train(clothes, steps);
    draw(unet, clothes.classNames(), clothes.shape(), 50, picture);
    System.out.println("Wrote " + picture);
  }

  /** The class of one image in six is not told, so that the network learns to do without. */
  static Unet train(ImageDataSet clothes, long steps) throws IOException {
    return TrainFashionMnistExample.train(
        clothes,
        TrainFashionMnistExample.architecture(clothes)
            .withClassEmbeddings(clothes.classNames().size() + 1),
        ObjectiveConfig.simple().create(TrainFashionMnistExample.SCHEDULE),
        1.0 / 6,
        steps);
  }

  static void draw(Unet unet, List<String> classes, ImageShape shape, int steps, Path picture)
      throws IOException {
    AncestralSampler sampler =
        new AncestralSampler(
            TrainFashionMnistExample.SCHEDULE.respace(steps),
            ReverseVariance.POSTERIOR,
            X0Constraint.clip(-1, 1));
    DiffusionModel model =
        DiffusionModel.of(unet, TrainFashionMnistExample.SCHEDULE, shape)
            .withNullClass(unet.config().nullClass());
    PictureTable table = new PictureTable(TITLES);
    for (int label = 0; label < classes.size(); label++) {
      int[] labels = new int[EACH];
      Arrays.fill(labels, label);
      INDArray[] row = new INDArray[SCALES.size()];
      for (int i = 0; i < row.length; i++) {
        row[i] = model.pipeline(sampler, SCALES.get(i)).sample(labels, SEED + label);
      }
      table.row(classes.get(label), Images.grid(Nd4j.concat(0, row), EACH * row.length, 2));
    }
    Images.writePng(table.draw(), picture);
  }
}

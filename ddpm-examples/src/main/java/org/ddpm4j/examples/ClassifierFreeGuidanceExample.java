package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.plots.PictureTable;
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
   * @param args the folder of a run that was trained with classes and label dropout, by default the
   *     model that comes along; the folder to write to
   * @throws IOException if the model cannot be read or the picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    try (DiffusionModel model = arguments.readModel()) {
      Path picture = arguments.output().resolve("guidance.png");
      draw(model, model.classNames(), 50, picture);
      System.out.println("Wrote " + picture);
    }
  }

  /** A row for each of the first classes. */
  static void draw(DiffusionModel model, List<String> classes, int steps, Path picture)
      throws IOException {
    Sampler sampler = model.defaultSampler(SamplerType.DDPM).create(model.schedule(), steps);
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

package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What a trained model guesses of noisy clothes, and how it draws clothes of noise. */
public final class StepByStepExample {

  private static final int[] TIMESTEPS = {50, 200, 350, 500, 650, 800, 999};
  private static final List<Integer> STEPS = List.of(1, 10, 20, 30, 35, 40, 45, 50);
  private static final int COUNT = 3;
  private static final int SEED = 7;
  private static final int PIXEL_SIZE = 3;

  private StepByStepExample() {}

  /**
   * Writes {@code guesses.png} and {@code from-noise.png}.
   *
   * @param args the folder of a run, by default the model that comes along; the folder to write to
   * @throws IOException if the model or the images cannot be read, or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    try (DiffusionModel model = arguments.readModel()) {
      Path folder = arguments.output();
      drawGuesses(model, FashionMnist.load(Split.TEST), folder.resolve("guesses.png"));
      drawFromNoise(model, folder.resolve("from-noise.png"));
      System.out.println("Wrote two pictures into " + folder.toAbsolutePath());
    }
  }

  /** Two rows for each image: with ever more noise, and what the model takes each of these for. */
  static void drawGuesses(DiffusionModel model, ImageDataSet clothes, Path picture)
      throws IOException {
    PictureTable table =
        new PictureTable(Arrays.stream(TIMESTEPS).mapToObj(t -> "t = " + t).toList());
    Denoiser denoiser = WithoutClasses.denoiser(model);
    for (int image = 0; image < COUNT; image++) {
      INDArray x0 = clothes.batch(image).getFeatures();
      INDArray eps = NoiseSource.seeded(SEED, image).gaussian(0, x0.shape());
      List<INDArray> noisy = new ArrayList<>();
      List<INDArray> guesses = new ArrayList<>();
      for (int t : TIMESTEPS) {
        INDArray xt = new ForwardProcess(model.schedule()).qSample(x0, new int[] {t}, eps);
        INDArray guess = denoiser.denoise(xt, NoiseLevel.of(model.schedule(), t)).x0();
        noisy.add(xt);
        guesses.add(X0Constraint.clip(-1, 1).apply(guess));
      }
      addRow(table, "noisy", noisy);
      addRow(table, "guess", guesses);
    }
    Images.writePng(table.draw(), picture);
  }

  /**
   * Two rows for each image: the states of the chain, and the model's guesses at them. It is told
   * no class, so that one sees it decide.
   */
  static void drawFromNoise(DiffusionModel model, Path picture) throws IOException {
    PictureTable table = new PictureTable(STEPS.stream().map(step -> "step " + step).toList());
    List<List<INDArray>> path = new ArrayList<>();
    model
        .pipeline(SamplerType.DDPM, STEPS.get(STEPS.size() - 1))
        .withClassOf(image -> model.nullClass().orElse(0))
        .sample(COUNT, SEED, COUNT, (done, x, x0) -> path.add(List.of(x, x0)));
    for (int i = 0; i < COUNT; i++) {
      var one = NDArrayIndex.interval(i, i + 1);
      addRow(table, "state", STEPS.stream().map(n -> path.get(n - 1).get(0).get(one)).toList());
      addRow(table, "guess", STEPS.stream().map(n -> path.get(n - 1).get(1).get(one)).toList());
    }
    Images.writePng(table.draw(), picture);
  }

  private static void addRow(PictureTable table, String title, List<INDArray> images) {
    INDArray row = Nd4j.concat(0, images.toArray(INDArray[]::new));
    table.row(title, Images.grid(row, images.size(), PIXEL_SIZE));
  }
}

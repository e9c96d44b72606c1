package org.ddpm4j.cli.edit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Clip;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.editing.DdimInversion;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.io.Text;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds the noise of which DDIM draws given images. */
@Command(
    name = "invert",
    description = "Find the noise of which images are drawn, and draw them again (DDIM).",
    footer = {
      "",
      "Prints, for each number of steps, the error of the images that are drawn again (root of",
      "the mean square, of levels 0 to 255) and the standard deviation of the noise, 1 for true",
      "noise. Images of another size are scaled to cover the model's, and their middle is cut out."
    })
@Introduction(
    example = "ddpm invert --image photo.png --steps 50",
    first = {
      "--image",
      "--steps",
      "--iterations",
      "--clip",
      "--run",
      "--model",
      "--class",
      "--weights",
      "--data",
      "--output"
    })
public final class InvertCommand implements Callable<Integer> {

  private static final int LEVELS = 255;

  private final Console console;

  @Option(
      names = "--image",
      paramLabel = "FILE|N",
      split = ",",
      defaultValue = EditingDefaults.INVERTED_IMAGES,
      description =
          "Image files, or numbers of test images of the run's data set (default:"
              + " ${DEFAULT-VALUE}, or those of them that there are).")
  private List<String> images;

  @Option(
      names = "--steps",
      paramLabel = "N",
      split = ",",
      defaultValue = EditingDefaults.INVERSION_STEPS,
      description = "Steps up, and again down; one or more numbers (default: ${DEFAULT-VALUE}).")
  private List<Integer> steps;

  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = EditingDefaults.ITERATIONS,
      description =
          "Calls of the network for each step up, 1 to 100; more of them come nearer to the exact"
              + " inverse (default: ${DEFAULT-VALUE}).")
  private int iterations;

  @Option(
      names = "--clip",
      paramLabel = "NAME",
      defaultValue = EditingDefaults.INVERSION_CLIP,
      description =
          "Whether estimates of x0 are clipped on the way up: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}, since what is clipped does not come back).")
  private Clip clip;

  @Mixin private EditingOptions editing;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public InvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--iterations", iterations, 1, 100);
    Path output = editing.output("inversion.png");
    DiffusionModel model = editing.modelOfPixels(console);
    List<DdimInversion> inversions = new ArrayList<>();
    for (int number : steps) {
      SamplerOptions.requireSteps(number, model.schedule().timesteps());
      inversions.add(
          new DdimInversion(
              NoiseLevels.of(model.schedule(), TimestepSpacing.LEADING, number),
              iterations,
              clip.constraint(model.normalization())));
    }
    inversions.forEach(inversion -> SamplerOptions.requireX0(model, inversion.decoder().first()));
    List<EditedImage> edited = editing.read("--image", images, model);
    editing.requirePixels(model.shape(), edited.size(), 2L * steps.size() + 1);
    INDArray x0 = Nd4j.concat(0, edited.stream().map(EditedImage::image).toArray(INDArray[]::new));
    Denoiser denoiser =
        model
            .denoiser()
            .withClasses(
                edited.stream().mapToInt(image -> editing.classOf(image, model)).toArray());

    PictureTable table = new PictureTable(List.of()).row("images", editing.strip(model, x0));
    StringBuilder report = new StringBuilder("steps  error  deviation of the noise\n");
    long all = inversions.stream().mapToLong(inversion -> 2L * inversion.steps()).sum();
    try (Progress progress = new Progress(console, "invert", "steps", 0, all)) {
      long[] done = {0};
      for (DdimInversion inversion : inversions) {
        INDArray latents =
            inversion.invert(denoiser, x0, (stepsDone, x, guess) -> progress.update(++done[0], ""));
        INDArray again =
            inversion
                .decoder()
                .denoise(
                    denoiser,
                    latents,
                    NoiseSource.seeded(0, 0),
                    (stepsDone, x, guess) -> progress.update(++done[0], ""));
        report.append(
            Text.format(
                "%5d  %5.1f  %.3f%n",
                inversion.steps(), error(again, x0, model), latents.stdNumber().doubleValue()));
        table.row(
            Text.format("noise, %d step(s)", inversion.steps()), editing.strip(model, latents));
        table.row("drawn again", editing.strip(model, again));
      }
    }
    Images.writePng(table.draw(), output);
    console.printText(report.toString());
    console.printLine(output.toString());
    return 0;
  }

  /** The root of the mean squared error, in levels of a pixel. */
  private static double error(INDArray images, INDArray x0, DiffusionModel model) {
    double range = model.normalization().upper(0) - model.normalization().lower(0);
    return Math.sqrt(x0.squaredDistance(images) / x0.length()) / range * LEVELS;
  }
}

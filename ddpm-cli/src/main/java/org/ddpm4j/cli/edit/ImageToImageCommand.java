package org.ddpm4j.cli.edit;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.editing.ImageToImageSampler;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws an image anew, from some of the noise on. */
@Command(
    name = "image-to-image",
    description = "Draw an image anew: add noise to it and take it away again (SDEdit).",
    footer = {
      "",
      "A column for each strength: the noisy image, and below what is drawn from it.",
      "Images of another size are scaled to cover the model's, and their middle is cut out;",
      "colours become grey for a model of grey images."
    })
@Introduction(
    example = "ddpm image-to-image --image sketch.png --strength 0.5",
    first = {
      "--image",
      "--strength",
      "--count",
      "--steps",
      "--sampler",
      "--run",
      "--model",
      "--class",
      "--seed",
      "--output"
    })
public final class ImageToImageCommand implements Callable<Integer> {

  private static final int MAX_COUNT = 16;
  private static final int MAX_STRENGTHS = 16;

  private final Console console;

  @Option(
      names = "--image",
      paramLabel = "FILE|N",
      defaultValue = EditingDefaults.EDITED_IMAGE,
      description =
          "An image file, or the number of a test image of the run's data set (default:"
              + " ${DEFAULT-VALUE}).")
  private String image;

  @Option(
      names = "--strength",
      paramLabel = "X",
      split = ",",
      defaultValue = EditingDefaults.STRENGTHS,
      description =
          "How much of the chain, above 0 (nothing changes) to 1 (hardly anything stays); one or"
              + " more (default: ${DEFAULT-VALUE}).")
  private List<Double> strengths;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = EditingDefaults.IMAGE_TO_IMAGE_COUNT,
      description = "Images of each strength, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int count;

  @Mixin private NoiseSeedOption noiseSeed;

  @Mixin private EditingOptions editing;

  @Mixin private SamplerOptions samplerOptions;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public ImageToImageCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--count", count, 1, MAX_COUNT);
    if (strengths.size() > MAX_STRENGTHS) {
      throw new BadInputException(
          "There are %d strengths; name at most %d.", strengths.size(), MAX_STRENGTHS);
    }
    Path output = editing.output("image-to-image.png");
    DiffusionModel model = editing.model(console);
    ImageShape shape = model.stateShape();
    editing.requirePixels(model.shape(), strengths.size() + 1L, count + 1L);
    EditedImage edited = editing.read(image, model);
    int label = editing.classOf(edited, model);
    INDArray state = BadInputException.check(() -> model.encode(edited.image()));
    List<ImageToImageSampler> samplers =
        strengths.stream()
            .map(
                strength ->
                    new ImageToImageSampler(
                        samplerOptions.imageToImageSampler(model, strength), state))
            .toList();
    samplers.forEach(sampler -> SamplerOptions.requireX0(model, sampler.sampler().first()));

    List<INDArray> noisy = new ArrayList<>(List.of(edited.image()));
    List<INDArray> drawn = new ArrayList<>();
    long all = samplers.stream().mapToLong(Sampler::steps).sum();
    try (Progress progress = new Progress(console, "image-to-image", "steps", 0, all)) {
      long[] done = {0};
      for (ImageToImageSampler sampler : samplers) {
        noisy.add(
            model.decode(
                sampler.initial(
                    NoiseSource.seeded(noiseSeed.seed(), 0),
                    1,
                    shape.channels(),
                    shape.height(),
                    shape.width())));
        drawn.add(
            model
                .pipeline(sampler)
                .withClassOf(i -> label)
                .sample(
                    count,
                    noiseSeed.seed(),
                    count,
                    (stepsDone, x, x0) -> progress.update(++done[0], "")));
      }
    }
    Images.writePng(table(model, edited, noisy, drawn), output);
    console.printLine(output.toString());
    return 0;
  }

  private BufferedImage table(
      DiffusionModel model, EditedImage edited, List<INDArray> noisy, List<INDArray> drawn) {
    List<String> titles = new ArrayList<>(List.of("image"));
    strengths.forEach(strength -> titles.add("s = " + strength));
    PictureTable table = new PictureTable(titles);
    table.row(edited.title() + ", noisy", editing.strip(model, noisy.toArray(INDArray[]::new)));
    for (int i = 0; i < count; i++) {
      List<INDArray> row = new ArrayList<>(List.of(edited.image()));
      for (INDArray images : drawn) {
        row.add(images.get(NDArrayIndex.interval(i, i + 1)));
      }
      table.row("drawn " + (i + 1), editing.strip(model, row.toArray(INDArray[]::new)));
    }
    return table.draw();
  }
}

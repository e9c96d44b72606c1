package org.ddpm4j.cli.edit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ReverseProcessOptions;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.editing.RepaintSampler;
import org.ddpm4j.diffusion.editing.Resampling;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws what is missing of images. */
@Command(
    name = "inpaint",
    description = "Draw what is missing of an image (RePaint).",
    footer = {
      "",
      "A row for each image: as it is, what is known of it, and --count ways to go on.",
      "Images of another size are scaled to cover the model's, and their middle is cut out;",
      "colours become grey for a model of grey images."
    })
@Introduction(
    example = "ddpm inpaint --image photo.png --mask-box left",
    first = {
      "--image",
      "--mask",
      "--mask-box",
      "--count",
      "--steps",
      "--run",
      "--model",
      "--class",
      "--seed",
      "--output"
    })
public final class InpaintCommand implements Callable<Integer> {

  private static final int MAX_COUNT = 64;

  private final Console console;

  @Option(
      names = "--image",
      paramLabel = "FILE|N",
      split = ",",
      defaultValue = EditingDefaults.INPAINTED_IMAGES,
      description =
          "Image files, or numbers of test images of the run's data set (default:"
              + " ${DEFAULT-VALUE}, or those of them that there are).")
  private List<String> images;

  @Mixin private MaskOptions maskOptions;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = EditingDefaults.INPAINT_COUNT,
      description = "Ways to fill each image in (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Steps of the chain, 1 to T, without those of resampling (default: "
              + Defaults.CHAIN_STEPS
              + ").")
  private Integer steps;

  @HasEffect(without = "--resamplings=1", because = "which never goes back")
  @Option(
      names = "--jump-length",
      paramLabel = "N",
      defaultValue = EditingDefaults.JUMP_LENGTH,
      description = "Steps that the chain goes back at a time (default: ${DEFAULT-VALUE}).")
  private int jumpLength;

  @Option(
      names = "--resamplings",
      paramLabel = "N",
      defaultValue = EditingDefaults.RESAMPLINGS,
      description =
          "How often each stretch of that length is gone through; 1 never goes back (default:"
              + " ${DEFAULT-VALUE}).")
  private int resamplings;

  @Mixin private ReverseProcessOptions reverseProcess;

  @Mixin private NoiseSeedOption noiseSeed;

  @Mixin private EditingOptions editing;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public InpaintCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--count", count, 1, MAX_COUNT);
    BadInputException.requireRange("--jump-length", jumpLength, 1, Integer.MAX_VALUE);
    BadInputException.requireRange("--resamplings", resamplings, 1, Integer.MAX_VALUE);
    Resampling resampling = new Resampling(jumpLength, resamplings);
    Path output = editing.output("inpainting.png");
    DiffusionModel model = editing.modelOfPixels(console);
    AncestralSampler chain = chain(model);
    SamplerOptions.requireX0(model, chain.first());
    BadInputException.check(() -> resampling.timesteps(chain.steps()));
    INDArray mask = maskOptions.mask(model.shape());
    List<EditedImage> edited = editing.read("--image", images, model);
    editing.requirePixels(model.shape(), count + 2L, edited.size());

    List<String> titles = new ArrayList<>(List.of("image", "known"));
    IntStream.rangeClosed(1, count).forEach(i -> titles.add("drawn " + i));
    PictureTable table = new PictureTable(titles);
    List<RepaintSampler> samplers =
        edited.stream()
            .map(image -> new RepaintSampler(chain, resampling, image.image(), mask))
            .toList();
    long all = samplers.stream().mapToLong(Sampler::steps).sum();
    try (Progress progress = new Progress(console, "inpaint", "steps", 0, all)) {
      long[] done = {0};
      for (int i = 0; i < edited.size(); i++) {
        int label = editing.classOf(edited.get(i), model);
        INDArray drawn =
            model
                .pipeline(samplers.get(i))
                .withClassOf(k -> label)
                .sample(
                    count,
                    noiseSeed.seed(),
                    count,
                    (stepsDone, x, x0) -> progress.update(++done[0], ""));
        INDArray image = edited.get(i).image();
        table.row(
            edited.get(i).title(), editing.strip(model, image, known(image, mask, model), drawn));
      }
    }
    Images.writePng(table.draw(), output);
    console.printLine(output.toString());
    return 0;
  }

  private AncestralSampler chain(DiffusionModel model) {
    int number = SamplerOptions.steps(steps, SamplerType.DDPM, model.schedule().timesteps());
    return new AncestralSampler(
        model.schedule().respace(number),
        reverseProcess.variance(model.unet().config()),
        reverseProcess.constraint(model.normalization()));
  }

  /** The image with middling pixels where it is to be drawn. */
  private static INDArray known(INDArray image, INDArray mask, DiffusionModel model) {
    INDArray known = image.mul(mask);
    for (int c = 0; c < image.size(1); c++) {
      double middle = (model.normalization().lower(c) + model.normalization().upper(c)) / 2;
      known
          .get(NDArrayIndex.all(), NDArrayIndex.interval(c, c + 1))
          .addi(mask.rsub(1).muli(middle));
    }
    return known;
  }
}

package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.editing.DdimInversion;
import org.ddpm4j.diffusion.editing.ImageToImageSampler;
import org.ddpm4j.diffusion.editing.Interpolation;
import org.ddpm4j.diffusion.editing.RepaintSampler;
import org.ddpm4j.diffusion.editing.Resampling;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Edits clothes with a model that was only trained to draw them: four pictures. */
public final class EditingExample {

  private static final X0Constraint CLIP = X0Constraint.clip(-1, 1);
  private static final SamplingObserver QUIET = SamplingObserver.NONE;
  private static final NoiseSource NOISE = NoiseSource.seeded(0, 0);

  private EditingExample() {}

  /**
   * Writes {@code inpainting.png}, {@code image-to-image.png}, {@code inversion.png} and {@code
   * interpolation.png}.
   *
   * @param args the folder of a run, by default the model that comes along is taken, and the folder
   *     to write to
   * @throws IOException if the model or the images cannot be read, or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    try (DiffusionModel model = arguments.readModel()) {
      Path folder = arguments.output();
      edit(model, FashionMnist.load(Split.TEST).batch(4, 1).getFeatures(), 50, folder);
      System.out.println("Wrote four pictures into " + folder.toAbsolutePath());
    }
  }

  static void edit(DiffusionModel model, INDArray clothes, int steps, Path folder)
      throws IOException {
    Denoiser denoiser = WithoutClasses.denoiser(model);
    NoiseSchedule schedule = model.schedule();

    // The left half of each is kept (1), the right half drawn (0), beginning with noise.
    INDArray mask = Nd4j.concat(3, Nd4j.ones(1, 1, 28, 14), Nd4j.zeros(1, 1, 28, 14));
    AncestralSampler chain =
        new AncestralSampler(schedule.respace(steps), ReverseVariance.POSTERIOR, CLIP);
    INDArray inpainted =
        new RepaintSampler(chain, new Resampling(5, 5), clothes, mask)
            .sample(denoiser, NOISE, QUIET, clothes.shape());
    write(folder, "inpainting.png", clothes, clothes.mul(mask), inpainted);

    // The last 40% of the chain, from the images with that much noise: any sampler can do it.
    PathSampler end =
        SamplerConfig.of(SamplerType.DPM_SOLVER)
            .create(schedule, SamplerConfig.Part.ofStrength(steps, 0.4), CLIP);
    INDArray redrawn =
        new ImageToImageSampler(end, clothes).sample(denoiser, NOISE, QUIET, clothes.shape());
    write(folder, "image-to-image.png", clothes, redrawn);

    // The noise of which DDIM draws the images, and the images drawn of it again.
    DdimInversion ddim =
        new DdimInversion(NoiseLevels.of(schedule, TimestepSpacing.LEADING, steps));
    INDArray latents = ddim.invert(denoiser, clothes, QUIET);
    INDArray again = ddim.decoder().denoise(denoiser, latents, NOISE, QUIET);
    write(folder, "inversion.png", clothes, latents, again);

    // Between the noises of both images, and what DDIM draws of that.
    INDArray way =
        Interpolation.SPHERICAL.path(
            latents.get(NDArrayIndex.interval(0, 1)), latents.get(NDArrayIndex.interval(1, 2)), 8);
    write(folder, "interpolation.png", ddim.decoder().denoise(denoiser, way, NOISE, QUIET));
  }

  /** A column for each image. */
  private static void write(Path folder, String name, INDArray... rows) throws IOException {
    int columns = (int) rows[0].size(0);
    Images.writePng(Images.grid(Nd4j.concat(0, rows), columns, 3), folder.resolve(name));
  }
}

package org.ddpm4j.cli.options;

import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.sampling.PathSampler;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which sampler, and its options. */
@OptionGroup("The sampler")
public final class SamplerOptions {

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Denoising steps, 1 to T, spread over the chain (default: "
              + Defaults.SAMPLE_STEPS
              + "; of ddpm, ddim, euler and samplers that add noise "
              + Defaults.CHAIN_STEPS
              + ", of lcm "
              + DefaultSampler.LCM_STEPS
              + ", of consistency "
              + DefaultSampler.CONSISTENCY_STEPS
              + ").")
  private Integer steps;

  @Mixin private SamplerTypeOptions type;

  /** Nothing chosen yet; picocli sets the fields. */
  public SamplerOptions() {}

  /**
   * The sampler that the user chose, for a model.
   *
   * @param model that it asks
   * @return the sampler
   * @throws BadInputException if a value is not possible
   */
  public PathSampler sampler(DiffusionModel model) {
    return create(type.sampler(model), model, 1);
  }

  /**
   * The end of a run of the sampler that the user chose, from noisy images.
   *
   * @param model that it asks
   * @param strength part of the run that is left, above 0 up to 1
   * @return the sampler
   * @throws BadInputException if a value is not possible
   */
  public PathSampler imageToImageSampler(DiffusionModel model, double strength) {
    return create(type.imageToImageSampler(model), model, strength);
  }

  private PathSampler create(DefaultSampler sampler, DiffusionModel model, double strength) {
    int count = steps(steps, sampler.config().type(), model.schedule().timesteps());
    return BadInputException.check(
        () -> sampler.create(model.schedule(), SamplerConfig.Part.ofStrength(count, strength)));
  }

  /**
   * Refuses to begin where the network's answer does not tell the image.
   *
   * @param model that is asked
   * @param first the level at which it begins
   * @throws BadInputException if the answer at that level is of noise alone
   */
  public static void requireX0(DiffusionModel model, NoiseLevel first) {
    if (!model.parameterization().determinesX0(model.schedule(), first)) {
      throw new BadInputException(
          "At the last timestep of this schedule nothing of the image is left, so that a network which predicts %s cannot begin there; take one that predicts v or x0, or a schedule that ends above zero, or begin below by --spacing leading.",
          model.parameterization());
    }
  }

  /**
   * The number of denoising steps.
   *
   * @param chosen by the user, or null
   * @param type of the sampler that makes them
   * @param timesteps T of the network's schedule
   * @return 1 to T
   * @throws BadInputException if there are not as many timesteps
   */
  public static int steps(Integer chosen, SamplerType type, int timesteps) {
    if (chosen == null) {
      return DefaultSampler.steps(type, timesteps);
    }
    requireSteps(chosen, timesteps);
    return chosen;
  }

  /**
   * Refuses a number of denoising steps that no sampler can make.
   *
   * @param chosen by the user
   * @param timesteps T of the network's schedule
   * @throws BadInputException if there are not as many timesteps
   */
  public static void requireSteps(int chosen, int timesteps) {
    BadInputException.check(
        () -> {
          DefaultSampler.requireSteps(chosen, timesteps);
          return chosen;
        });
  }
}

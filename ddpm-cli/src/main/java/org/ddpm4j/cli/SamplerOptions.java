package org.ddpm4j.cli;

import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which sampler, and its options. */
final class SamplerOptions {

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Denoising steps, 1 to T, spread over the chain (default: "
              + Defaults.SAMPLE_STEPS
              + ").")
  private Integer steps;

  @Mixin private SamplerTypeOptions type;

  /** The sampler that the user chose, for a model. */
  PathSampler sampler(Model model) {
    return sampler(model, 1);
  }

  /** The end of a run of the sampler that the user chose, from noisy images. */
  PathSampler sampler(Model model, double strength) {
    int count = Sampling.steps(steps, model.schedule().timesteps());
    SamplerConfig config = type.config(model);
    X0Constraint constraint = type.constraint(model);
    return BadInputException.check(
        () ->
            config.create(
                model.schedule(), SamplerConfig.Part.ofStrength(count, strength), constraint));
  }
}

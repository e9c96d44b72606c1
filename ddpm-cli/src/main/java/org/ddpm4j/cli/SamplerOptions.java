package org.ddpm4j.cli;

import org.ddpm4j.diffusion.run.SamplerConfig;
import org.ddpm4j.diffusion.run.SamplerType;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
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

  @Option(
      names = "--sampler",
      paramLabel = "NAME",
      converter = Names.Samplers.class,
      completionCandidates = Names.Samplers.class,
      defaultValue = Defaults.SAMPLER,
      description = "How: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private SamplerType type;

  @Option(
      names = "--spacing",
      paramLabel = "NAME",
      converter = Names.Spacing.class,
      completionCandidates = Names.Spacing.class,
      description =
          "Which timesteps the steps are at: ${COMPLETION-CANDIDATES} (default: leading for ddim,"
              + " pndm and plms, linspace for the others).")
  private TimestepSpacing spacing;

  @Option(
      names = "--karras",
      description =
          "Take the noise levels of Karras et al. instead (not with ddpm, pndm and plms).")
  private boolean isKarras;

  @Option(
      names = "--order",
      paramLabel = "N",
      description =
          "Order of dpm++, dpm++-sde, unipc and deis, 1 to 3 (default: 2), or of lms, 1 to 4"
              + " (default: 4).")
  private Integer order;

  @Option(
      names = "--eta",
      paramLabel = "X",
      description = "Noise of ddim, from 0, none, to 1, as much as ddpm (default: 0).")
  private Double eta;

  @Mixin private ReverseProcessOptions reverseProcess;

  /** The sampler that the user chose, for a model. */
  PathSampler sampler(Model model) {
    return sampler(model, 1);
  }

  /** The end of a run of the sampler that the user chose, from noisy images. */
  PathSampler sampler(Model model, double strength) {
    int count = Sampling.steps(steps, model.schedule().timesteps());
    X0Constraint constraint = reverseProcess.constraint(model.normalization());
    ReverseVariance variance =
        type == SamplerType.DDPM
            ? reverseProcess.variance(model.unet().config())
            : reverseProcess.chosenVariance();
    return BadInputException.check(
        () ->
            new SamplerConfig(
                    type, spacing, 0, isKarras, order, eta, variance, null, Convention.PAPER)
                .create(
                    model.schedule(), SamplerConfig.Part.ofStrength(count, strength), constraint));
  }
}

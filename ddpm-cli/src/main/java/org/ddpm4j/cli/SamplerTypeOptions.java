package org.ddpm4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersSampler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.unet.model.UnetConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which sampler, and its options other than the number of steps. */
final class SamplerTypeOptions {

  @Option(
      names = "--sampler",
      paramLabel = "NAME",
      converter = Names.Samplers.class,
      completionCandidates = Names.Samplers.class,
      description =
          "How: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.SAMPLER
              + "; of a pipeline, what its scheduler says, as for the options below).")
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

  /** The sampler that the user chose, or else the one that the model's files say. */
  SamplerConfig config(Model model) {
    return model.pipeline().isPresent()
        ? ofPipeline(readSampler(model.pipeline().get()).config(), model.unet().config())
        : chosen(model.unet().config());
  }

  /** What is done to estimates of x0 by it. */
  X0Constraint constraint(Model model) {
    return model.pipeline().isPresent() && reverseProcess.chosenClip() == null
        ? readSampler(model.pipeline().get()).clipping().constraint()
        : reverseProcess.constraint(model.normalization());
  }

  /** The same for a file of diffusers. */
  DiffusersSampler forDiffusers(UnetConfig network) {
    return new DiffusersSampler(chosen(network), reverseProcess.clip().forDiffusers());
  }

  private SamplerConfig chosen(UnetConfig network) {
    SamplerType chosenType =
        Objects.requireNonNullElseGet(type, () -> new Names.Samplers().convert(Defaults.SAMPLER));
    ReverseVariance variance =
        chosenType == SamplerType.DDPM
            ? reverseProcess.variance(network)
            : reverseProcess.chosenVariance();
    return BadInputException.check(
        () ->
            new SamplerConfig(
                chosenType, spacing, 0, isKarras, order, eta, variance, null, Convention.PAPER));
  }

  /** The file's own, but for what the user chose. */
  private SamplerConfig ofPipeline(SamplerConfig said, UnetConfig network) {
    TimestepSpacing visited = Objects.requireNonNullElse(spacing, said.spacing());
    ReverseVariance variance =
        reverseProcess.chosenVariance() == null
            ? said.variance()
            : reverseProcess.variance(network);
    return BadInputException.check(
        () ->
            new SamplerConfig(
                said.type(),
                visited,
                visited == TimestepSpacing.LEADING ? said.stepsOffset() : 0,
                isKarras || said.karras(),
                order != null ? order : said.order(),
                eta != null ? eta : said.eta(),
                variance,
                said.end(),
                said.convention()));
  }

  private DiffusersSampler readSampler(Path pipeline) {
    try {
      SamplerType read =
          type != null ? type : PipelineFolder.readScheduler(pipeline).sampler().type();
      return PipelineFolder.readSampler(pipeline, read);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

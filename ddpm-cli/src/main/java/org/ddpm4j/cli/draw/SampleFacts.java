package org.ddpm4j.cli.draw;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.PixelScale;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.UnetFolder;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What decides the images of a call: the model as it is in memory, and the options. */
final class SampleFacts {

  /** They change how many images there are, where they go and how fast, but no image. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "--count",
          "--batch-size",
          "--output",
          "--format",
          "--scale",
          "--animate",
          "--threads",
          "--verbose",
          "--help",
          "--help-all",
          "--version");

  /** What they choose is looked at instead. */
  private static final Set<String> RESOLVED =
      Set.of(
          "--run",
          "--model",
          "--weights",
          "--checkpoint",
          "--noise",
          "--layers",
          "--device",
          "--precision");

  private SampleFacts() {}

  /**
   * The facts by name.
   *
   * @param command whose options they are
   * @param model that draws
   * @param noise checksum of what the images begin with, if it is not the seed's
   */
  static Map<String, String> of(CommandSpec command, DiffusionModel model, Optional<String> noise) {
    Map<String, String> facts = new TreeMap<>();
    for (OptionSpec option : command.options()) {
      String name = option.longestName();
      Object value = option.getValue();
      if (value != null && !WITHOUT_EFFECT.contains(name) && !RESOLVED.contains(name)) {
        facts.put(name, ForeignText.line(value.toString()));
      }
    }
    Execution execution = model.unet().execution();
    boolean fused = execution.isFused(model.unet().dataType());
    facts.put("network", checksum(UnetFolder.configToJson(model.unet().config())));
    facts.put("weights", model.unet().parameters().fingerprint());
    model
        .autoencoder()
        .ifPresent(autoencoder -> facts.put("autoencoder", autoencoder.fingerprint()));
    facts.put("images", model.shape().toString());
    facts.put("pixels", PixelScale.describe(model.normalization()));
    facts.put("predicts", EnumConverter.spelling(model.parameterization()));
    facts.put("betas", checksum(Arrays.toString(model.schedule().values(ScheduleConstant.BETAS))));
    facts.put("sampler of the model", model.defaultSampler().config().toString());
    facts.put(
        "computed",
        Text.format(
            "%s, %s",
            fused ? execution.resolvedDevice().kind() : "reference layers",
            EnumConverter.spelling(execution.precision())));
    noise.ifPresent(sum -> facts.put("noise", sum));
    return facts;
  }

  private static String checksum(String text) {
    CRC32C sum = new CRC32C();
    sum.update(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits(sum.getValue(), 8);
  }
}

package org.ddpm4j.cli.options;

import java.util.Optional;
import picocli.CommandLine.Option;

/** Which of the weights that a model's folder may hold. */
public final class ModelPlace {

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      description =
          "With --model: which weights, as fp16 in diffusion_pytorch_model.fp16.safetensors"
              + " (default: those without a name, or the only ones).")
  private String variant;

  /** Nothing chosen yet; picocli sets the fields. */
  public ModelPlace() {}

  /**
   * The variant of the weights.
   *
   * @return its name, if the user chose one
   */
  public Optional<String> variant() {
    return Optional.ofNullable(variant);
  }
}

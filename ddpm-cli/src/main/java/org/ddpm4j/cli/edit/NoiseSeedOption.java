package org.ddpm4j.cli.edit;

import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.HasEffect;
import picocli.CommandLine.Option;

/** The seed of editing that draws noise, which DDIM and its inversion do not. */
final class NoiseSeedOption {

  @HasEffect(without = "--seeds", because = "which say both noises")
  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  long seed() {
    return seed;
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the program says to words that are mistyped. */
class SuggestionsTest {

  @ParameterizedTest
  @CsvSource({
    "tarin, train",
    "trian, train",
    "trani, train",
    "smaple, sample",
    "samples, sample or samplers",
    "lession, lesson",
    "evaulate, evaluate",
    "inpant, inpaint",
    "img-to-image, image-to-image",
    "bnech, bench",
    "tr, train",
    "help tarin, train",
    "train --baths-size 3, --batch-size",
    "train --stpes=3, --steps",
    "train --steps4, --steps",
    "train --size 8, --image-size or --batch-size or --patch-size",
    "sample --ouptut x, --output",
    "sample --sampler2 ddim, --sampler",
  })
  void namesTheNearest(String line, String meant) {
    Cli.run((Object[]) line.split(" ")).isBadInput(" (did you mean " + meant + "?); see 'ddpm");
  }

  @Test
  void staysSilentWhereNothingIsNear() {
    assertThat(Cli.run("picture").err()).doesNotContain("did you mean");
    assertThat(Cli.run("help", "picture").err()).doesNotContain("did you mean");
  }

  /** As Java has the name of a file whose bytes are no UTF-8. */
  @Test
  void saysWhatUnreadableLettersStandFor() {
    Cli.run("info", "caf\uFFFD.safetensors")
        .isBadInput("caf\uFFFD.safetensors does not exist", "bytes that are no UTF-8; rename");
    assertThat(Cli.run("info", "none.safetensors").err()).doesNotContain("UTF-8");
  }
}

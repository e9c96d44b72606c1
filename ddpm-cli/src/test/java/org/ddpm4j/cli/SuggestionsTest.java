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
    "train --btach 4, --batch-size",
    "train --stpes=3, --steps",
    "train --steps4, --steps",
    "train --size 8, --image-size or --batch-size or --patch-size",
    "sample --ouptut x, --output",
    "sample --sampler2 ddim, --sampler",
    "sample -o x, --output or --order",
    "train -seed 3, --seed",
    "train -dim 8, --dim",
    "convert -to run, --to",
    "info -v, --variant or --version or --verbose",
    "info -H, --help or --help-all",
  })
  void namesTheNearest(String line, String meant) {
    Cli.run((Object[]) line.split(" ")).isBadInput(" (did you mean " + meant + "?); see 'ddpm");
  }

  /** Neither its value is told, nor what follows from it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train --btach 4 | option: '--btach' (did you mean --batch-size?)",
        "train --btach=4 | option: '--btach' (did you mean --batch-size?)",
        "train --steps 3 --btach -4 --offline | option: '--btach' (did you mean --batch-size?)",
        "train --steps -3 --none x y | option: '--none'",
        "train --none 1 --none 2 | option: '--none'",
        "sample --seeed 3 --model bundled --cuont 4"
            + " | options: '--seeed' (did you mean --seed?), '--cuont' (did you mean --count?)",
        "convert --ouptut x --to run | option: '--ouptut' (did you mean --output?)",
        "bench --none 3 train | option: '--none'",
        "--verbose info --none 3 x | option: '--none'",
        "train -x | option: '-x'",
        "train -x5 | option: '-x5'",
        "train -s 4 | option: '-s'",
        "train -v 4 | option: '-v'",
        "train -sd 4 | option: '-sd'",
        "info -o | option: '-o'",
        "info --so | option: '--so'",
        "--none train | option: '--none'",
        "trian --batch 4 | command: 'trian' (did you mean train?)",
        "help --none trian | command: 'trian' (did you mean train?)",
      })
  void namesTheUnknownAlone(String line, String said) {
    Cli.Result result = Cli.run((Object[]) line.split(" ")).isBadInput("; see 'ddpm");
    assertThat(result.err()).startsWith("ddpm: Unknown " + said + "; see 'ddpm");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train 4 | Unexpected argument: '4'",
        "train -- --stpes 3 | Unexpected arguments: '--stpes', '3'",
        "train --steps 1e3 | Invalid value for option '--steps': '1e3' is not a whole number; see",
        "train --seed 99999999999999999999"
            + " | Invalid value for option '--seed': '99999999999999999999' has too many digits;",
        "train --dim 2147483648 | Invalid value for option '--dim': '2147483648' has too many",
        "sample --guidance much | Invalid value for option '--guidance': 'much' is not a number;",
        "train --steps --stpes | Invalid value for option '--steps': '--stpes' is not",
        "train --steps 3 --steps 4 | option '--steps' (N) should be specified only once",
        "bench trian | Invalid value for positional parameter at index 0 (TASK)",
      })
  void leavesAloneWhatIsNoUnknownOption(String line, String said) {
    Cli.Result result = Cli.run((Object[]) line.split(" ")).isBadInput("; see 'ddpm");
    assertThat(result.err()).startsWith("ddpm: " + said);
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

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Of each source, one kernel at a time is given to the compiler. */
class KernelCompilerTest {

  private static final Pattern ENTRY = Pattern.compile("__global__\\s");

  private static final Pattern NAME =
      Pattern.compile("__global__[^{;]*?(\\w+)\\((?=[^()]*\\)\\s*\\{)");

  static List<String> sources() {
    return EmulatedKernels.sources();
  }

  /** The names of the kernels in a text. */
  static List<String> kernels(String text) {
    List<String> names = new ArrayList<>();
    Matcher matcher = NAME.matcher(text);
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    return names;
  }

  /** That no way to write a kernel escapes. */
  @ParameterizedTest
  @MethodSource("sources")
  void oneKernelAtATime(String file) {
    String all = KernelCompiler.source(file);
    List<String> kernels = kernels(all);
    assertThat(kernels).doesNotHaveDuplicates().hasSize((int) ENTRY.matcher(all).results().count());
    for (String kernel : kernels) {
      assertThat(kernels(KernelCompiler.source(file, kernel))).containsExactly(kernel);
    }
  }

  /** The compiler is given one text, in which nothing may be said twice. */
  @ParameterizedTest
  @MethodSource("sources")
  void headersOnce(String file) {
    String all = KernelCompiler.source(file);
    for (String said : List.of("constexpr int WARP =", "struct Key {", "loss_of(int loss,")) {
      assertThat(all.split(Pattern.quote(said), -1)).as(said).hasSizeLessThanOrEqualTo(2);
    }
    assertThat(all).contains("constexpr int WARP =").doesNotContain(".cuh\"");
  }

  /** What a compiler that knows Ampere, Hopper and Blackwell makes for a card. */
  @ParameterizedTest
  @CsvSource({
    "8, 0, sm_80, true",
    "9, 0, sm_90a, true",
    "12, 0, sm_120a, true",
    "8, 7, compute_86, false",
    "12, 9, compute_120, false",
    "13, 0, compute_120, false",
    "7, 0, sm_70, true",
  })
  void target(int major, int minor, String architecture, boolean isMachineCode) {
    assertThat(KernelCompiler.Target.of(major, minor, new int[] {120, 80, 86, 90}))
        .isEqualTo(new KernelCompiler.Target(architecture, isMachineCode));
  }

  @Test
  void kernelThatIsNotThere() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KernelCompiler.source("linear.cu", "linear_backward"))
        .withMessage("There is no kernel linear_backward in linear.cu.");
  }
}

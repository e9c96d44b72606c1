package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class ProcessorTest {

  @Test
  void theSystemSaysTheName() {
    assertThat(
            Processor.model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz \nflags\t: fpu\n", "x"))
        .isEqualTo("Some CPU @ 2 GHz");
    assertThat(Processor.model("processor\t: 0\nmodel\t: 17\n", "aarch64")).isEqualTo("aarch64");
  }

  /** By the flags that the kernel read from the processor. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void extensionsAreThoseThatTheSystemSees() throws IOException {
    assumeThat(System.getenv("ONEDNN_MAX_CPU_ISA")).isNull();
    assumeThat(FusedKernels.available()).isTrue();
    Matcher flags =
        Pattern.compile("(?m)^flags\\s*:(.*)$").matcher(Files.readString(Path.of("/proc/cpuinfo")));
    assumeThat(flags.find()).isTrue();
    Set<String> found = Set.of(flags.group(1).strip().split("\\s+"));
    Map<String, String> flagOf =
        Map.of("AVX2", "avx2", "AVX-512", "avx512vl", "bfloat16", "avx512_bf16", "AMX", "amx_bf16");
    flagOf.forEach(
        (name, flag) ->
            assertThat(Processor.extensions().contains(name))
                .as(name)
                .isEqualTo(found.contains(flag)));
  }
}

package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this machine's processor is. */
public final class Processor {

  private static final Path FACTS = Path.of("/proc/cpuinfo");
  private static final Pattern MODEL = Pattern.compile("(?m)^model name\\s*:\\s*(.*\\S)\\s*$");
  private static final Set<String> X86 = Set.of("amd64", "x86_64");

  private Processor() {}

  /**
   * Its name.
   *
   * @return what the system calls it, or else what Java calls its architecture
   */
  public static String model() {
    String architecture = System.getProperty("os.arch");
    try {
      return model(Files.readString(FACTS), architecture);
    } catch (IOException e) {
      return architecture;
    }
  }

  /** From the text of the system's file. */
  static String model(String facts, String architecture) {
    Matcher matcher = MODEL.matcher(facts);
    return matcher.find() ? matcher.group(1) : architecture;
  }

  /**
   * What oneDNN makes use of.
   *
   * @return of "AVX2", "AVX-512", "bfloat16" (AVX512-BF16) and "AMX" those that there are; none on
   *     processors of other makes than x86
   */
  public static List<String> extensions() {
    if (!X86.contains(System.getProperty("os.arch"))) {
      return List.of();
    }
    Map<String, Integer> known = new LinkedHashMap<>();
    known.put("AVX2", dnnl_cpu_isa_avx2);
    known.put("AVX-512", dnnl_cpu_isa_avx512_core);
    known.put("bfloat16", dnnl_cpu_isa_avx512_core_bf16);
    known.put("AMX", dnnl_cpu_isa_avx512_core_amx);
    List<String> names = new ArrayList<>();
    known.forEach(
        (name, bits) -> {
          if (Onednn.has(bits)) {
            names.add(name);
          }
        });
    return names;
  }
}

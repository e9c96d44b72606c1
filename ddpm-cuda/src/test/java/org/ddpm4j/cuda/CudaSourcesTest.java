package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.StringArray;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All sources compile for all cards that we know, where NVIDIA's compiler is at hand. */
class CudaSourcesTest {

  /** Ampere, Ada, Hopper and Blackwell. */
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_89", "sm_90a", "sm_120a");

  private static final String HOPPER = "sm_90a";

  private static final String PRODUCTS = "PRODUCT_TF32";

  /** Lets the log tell of each kernel what it takes. */
  private static final String SAY_REGISTERS = "--ptxas-options=-v";

  /**
   * Those that are known to spill on Hopper: 4 to 12 bytes of a thread, and what the bound's call
   * of a function saves.
   */
  private static final Set<String> SPILLING =
      Set.of(
          "add",
          "multiply",
          "adamw_direction",
          "further_average",
          "bound_per_image",
          "bound_per_image_gradient",
          "group_norm_chunk_sums");

  private static final Pattern SPILL =
      Pattern.compile(
          "Compiling entry function '(\\w+)'(?:(?!Compiling entry)[\\s\\S])*?"
              + "[1-9]\\d* bytes spill stores");

  /**
   * NVIDIA's compiler by itself: the presets that kernels are compiled with otherwise load the
   * driver as well, which is only where a card is.
   */
  private static NativeLibrary compiler;

  @BeforeAll
  static void needsTheCompiler() {
    try {
      compiler = NativeLibrary.getInstance("libnvrtc.so.13");
    } catch (UnsatisfiedLinkError e) {
      Assumptions.abort("libnvrtc.so.13 does not load: " + e.getMessage());
    }
  }

  static Stream<Compilation> compilations() {
    return EmulatedKernels.sources().stream()
        .flatMap(
            file ->
                ARCHITECTURES.stream()
                    .flatMap(
                        architecture ->
                            precisions(file, architecture)
                                .map(precision -> new Compilation(file, precision, architecture))));
  }

  /**
   * All that make a difference: sources without products are the same in TF32, and in float32 they
   * take no instructions that cards differ in.
   */
  private static Stream<Precision> precisions(String file, String architecture) {
    if (KernelCompiler.source(file).contains(PRODUCTS)) {
      return Arrays.stream(Precision.values());
    }
    return architecture.equals(HOPPER)
        ? Stream.of(Precision.FLOAT32, Precision.BFLOAT16)
        : Stream.of(Precision.BFLOAT16);
  }

  /** Who drops compilations that are the same should notice when they no longer are. */
  @Test
  void sourcesWithoutProductsDoNotKnowTheirPrecision() {
    assertThat(EmulatedKernels.sources())
        .filteredOn(file -> KernelCompiler.source(file).contains("PRODUCT_"))
        .allMatch(file -> KernelCompiler.source(file).contains(PRODUCTS));
  }

  /** A source with definitions for a card. */
  private record Compilation(String file, Precision precision, String architecture) {
    @Override
    public String toString() {
      return "%s, %s, %s".formatted(file, precision, architecture);
    }
  }

  @ParameterizedTest
  @MethodSource("compilations")
  void compile(Compilation compilation) {
    Log log = compile(KernelCompiler.source(compilation.file), options(compilation));
    assertThat(log.errors()).isEmpty();
    if (compilation.architecture.equals(HOPPER)) {
      assertThat(SPILLING).as("%s", log.text).containsAll(log.spilling());
    }
  }

  /** A kernel that has too few registers for its bounds spills to memory unnoticed otherwise. */
  @Test
  void findsSpills() {
    String source =
        """
        extern "C" __global__ void __launch_bounds__(1024) crowded(float* x) {
          float v[96];
          #pragma unroll
          for (int i = 0; i < 96; i++) v[i] = x[i * 1024 + threadIdx.x];
          __syncthreads();
          #pragma unroll
          for (int i = 0; i < 96; i++) x[threadIdx.x * 96 + i] = v[i] * v[5 * i % 96];
        }

        extern "C" __global__ void alone(float* x) { *x += 1; }
        """;
    Log log = compile(source, List.of("--gpu-architecture=" + HOPPER, SAY_REGISTERS));
    assertThat(log.spilling()).containsExactly("crowded");
  }

  static List<String> sources() {
    return EmulatedKernels.sources();
  }

  /** As a card is given them: of a source one kernel at a time. */
  @ParameterizedTest
  @MethodSource("sources")
  void compileOneKernelAtATime(String file) {
    List<String> options = options(new Compilation(file, Precision.BFLOAT16, HOPPER));
    for (String kernel : KernelCompilerTest.kernels(KernelCompiler.source(file))) {
      assertThat(errors(KernelCompiler.source(file, kernel), options)).as(kernel).isEmpty();
    }
  }

  private static List<String> options(Compilation compilation) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + compilation.architecture);
    options.add("--std=c++17");
    options.add(SAY_REGISTERS);
    new CudaContext(null, null, compilation.precision)
        .defines()
        .forEach(define -> options.add("-D" + define));
    return options;
  }

  /** What the compiler says. */
  private record Log(boolean hasFailed, String text) {

    String errors() {
      return hasFailed ? text : "";
    }

    /** The kernels that keep values in memory for want of registers. */
    List<String> spilling() {
      return SPILL.matcher(text).results().map(found -> found.group(1)).toList();
    }
  }

  private static String errors(String source, List<String> options) {
    return compile(source, options).errors();
  }

  private static Log compile(String source, List<String> options) {
    PointerByReference made = new PointerByReference();
    call("nvrtcCreateProgram", made, source, null, 0, null, null);
    Pointer program = made.getValue();
    try {
      String[] words = options.toArray(String[]::new);
      int code = call("nvrtcCompileProgram", program, words.length, new StringArray(words));
      LongByReference size = new LongByReference();
      call("nvrtcGetProgramLogSize", program, size);
      byte[] log = new byte[Math.toIntExact(size.getValue())];
      call("nvrtcGetProgramLog", program, log);
      return new Log(code != 0, new String(log, StandardCharsets.UTF_8).trim());
    } finally {
      call("nvrtcDestroyProgram", made);
    }
  }

  private static int call(String function, Object... arguments) {
    return compiler.getFunction(function).invokeInt(arguments);
  }

  /** Without it a test that never compiles anything would pass. */
  @Test
  void findsAnError() {
    assertThat(errors("__global__ void kernel() { undeclared(); }", List.of()))
        .contains("undeclared");
  }
}

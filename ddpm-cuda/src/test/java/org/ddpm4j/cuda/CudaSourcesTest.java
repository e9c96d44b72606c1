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
                Arrays.stream(Precision.values())
                    .flatMap(
                        precision ->
                            ARCHITECTURES.stream()
                                .map(
                                    architecture ->
                                        new Compilation(file, precision, architecture))));
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
    assertThat(errors(KernelCompiler.source(compilation.file), options(compilation))).isEmpty();
  }

  static List<String> sources() {
    return EmulatedKernels.sources();
  }

  /** As a card is given them: of a source one kernel at a time. */
  @ParameterizedTest
  @MethodSource("sources")
  void compileOneKernelAtATime(String file) {
    List<String> options = options(new Compilation(file, Precision.BFLOAT16, "sm_90a"));
    for (String kernel : KernelCompilerTest.kernels(KernelCompiler.source(file))) {
      assertThat(errors(KernelCompiler.source(file, kernel), options)).as(kernel).isEmpty();
    }
  }

  private static List<String> options(Compilation compilation) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + compilation.architecture);
    options.add("--std=c++17");
    new CudaContext(null, null, compilation.precision)
        .defines()
        .forEach(define -> options.add("-D" + define));
    return options;
  }

  /** What the compiler says, if it fails. */
  private static String errors(String source, List<String> options) {
    PointerByReference made = new PointerByReference();
    call("nvrtcCreateProgram", made, source, null, 0, null, null);
    Pointer program = made.getValue();
    try {
      String[] words = options.toArray(String[]::new);
      if (call("nvrtcCompileProgram", program, words.length, new StringArray(words)) == 0) {
        return "";
      }
      LongByReference size = new LongByReference();
      call("nvrtcGetProgramLogSize", program, size);
      byte[] log = new byte[Math.toIntExact(size.getValue())];
      call("nvrtcGetProgramLog", program, log);
      return new String(log, StandardCharsets.UTF_8).trim();
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

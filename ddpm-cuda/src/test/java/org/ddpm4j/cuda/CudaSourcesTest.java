package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.cuda.global.nvrtc.nvrtcCompileProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcCreateProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcDestroyProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLog;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLogSize;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All sources compile for all cards that we know, where NVIDIA's compiler is at hand. */
class CudaSourcesTest {

  /** Ampere, Ada and Hopper. */
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_89", "sm_90a");

  @BeforeAll
  static void needsTheCompiler() {
    try {
      Loader.load(nvrtc.class);
    } catch (LinkageError e) {
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
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + compilation.architecture);
    options.add("--std=c++17");
    new CudaContext(null, null, compilation.precision)
        .defines()
        .forEach(define -> options.add("-D" + define));
    assertThat(errors(KernelCompiler.source(compilation.file), options)).isEmpty();
  }

  /** What the compiler says, if it fails. */
  private static String errors(String source, List<String> options) {
    _nvrtcProgram program = new _nvrtcProgram();
    try (BytePointer text = new BytePointer(source, StandardCharsets.UTF_8);
        PointerPointer<BytePointer> words = new PointerPointer<>(options.toArray(new String[0]));
        SizeTPointer size = new SizeTPointer(1)) {
      nvrtcCreateProgram(
          program, text, null, 0, (PointerPointer<?>) null, (PointerPointer<?>) null);
      if (nvrtcCompileProgram(program, options.size(), words) == 0) {
        return "";
      }
      nvrtcGetProgramLogSize(program, size);
      byte[] log = new byte[Math.toIntExact(size.get())];
      nvrtcGetProgramLog(program, log);
      return new String(log, StandardCharsets.UTF_8).trim();
    } finally {
      nvrtcDestroyProgram(program);
    }
  }
}

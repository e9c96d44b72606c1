package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All sources compile for all cards that we know, where NVIDIA's compiler is at hand. */
class CudaSourcesTest {

  /** Ampere, Ada, Hopper and Blackwell. */
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_89", "sm_90a", "sm_120a");

  /** The major compute capability of a card that no compiler knows. */
  private static final int NOT_YET_MADE = 99;

  private static final String PRODUCTS = "PRODUCT_TF32";

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

  @BeforeAll
  static void needsTheCompiler() {
    Nvrtc.assumePresent();
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
   * take no instructions that cards differ in. Bfloat16 on Hopper is compiled kernel by kernel.
   */
  private static Stream<Precision> precisions(String file, String architecture) {
    boolean hasProducts = KernelCompiler.source(file).contains(PRODUCTS);
    return Arrays.stream(Precision.values())
        .filter(precision -> hasProducts || precision != Precision.TFLOAT32)
        .filter(
            precision ->
                architecture.equals(Nvrtc.HOPPER)
                    ? precision != Precision.BFLOAT16
                    : hasProducts || precision != Precision.FLOAT32);
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
    Nvrtc.Log log = Nvrtc.compile(KernelCompiler.source(compilation.file), options(compilation));
    assertThat(log.errors()).isEmpty();
    if (compilation.architecture.equals(Nvrtc.HOPPER)) {
      assertThat(SPILLING).as("%s", log.text()).containsAll(log.spilling());
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
    Nvrtc.Log log =
        Nvrtc.compile(source, List.of("--gpu-architecture=" + Nvrtc.HOPPER, Nvrtc.SAY_REGISTERS));
    assertThat(log.spilling()).containsExactly("crowded");
  }

  static List<String> sources() {
    return EmulatedKernels.sources();
  }

  /** As a card is given them: of a source one kernel at a time. */
  @ParameterizedTest
  @MethodSource("sources")
  void compileOneKernelAtATime(String file) {
    List<String> options = options(new Compilation(file, Precision.BFLOAT16, Nvrtc.HOPPER));
    for (String kernel : KernelCompilerTest.kernels(KernelCompiler.source(file))) {
      Nvrtc.Log log = Nvrtc.compile(KernelCompiler.source(file, kernel), options);
      assertThat(log.errors()).as(kernel).isEmpty();
      assertThat(SPILLING).as("%s", log.text()).containsAll(log.spilling());
    }
  }

  /** As a card is given them that is newer than the compiler. */
  @ParameterizedTest
  @MethodSource("sources")
  void compileForCardsToCome(String file) {
    int[] known = Nvrtc.architectures();
    String target = KernelCompiler.Target.of(NOT_YET_MADE, 0, known).architecture();
    assertThat(target).isEqualTo("compute_" + Arrays.stream(known).max().orElseThrow());
    List<String> options = options(new Compilation(file, Precision.BFLOAT16, target));
    Nvrtc.Log log = Nvrtc.compile(KernelCompiler.source(file), options);
    assertThat(log.errors()).isEmpty();
    assertThat(log.ptx()).contains(".target sm_").contains(".entry ");
  }

  private static List<String> options(Compilation compilation) {
    return Nvrtc.options(
        compilation.architecture, new CudaContext(null, null, compilation.precision).defines());
  }

  private static String errors(String source, List<String> options) {
    return Nvrtc.compile(source, options).errors();
  }

  /** Without it a test that never compiles anything would pass. */
  @Test
  void findsAnError() {
    assertThat(errors("__global__ void kernel() { undeclared(); }", List.of()))
        .contains("undeclared");
  }
}

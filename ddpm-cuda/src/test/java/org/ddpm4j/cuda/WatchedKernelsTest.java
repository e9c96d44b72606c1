package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Kernels whose every access to memory is looked at: at what is wrong on a card where threads run
 * at the same time, though results are right here. All other tests of kernels do so, too, with
 * {@code -Dddpm4j.emulation.watched=true}.
 */
class WatchedKernelsTest {

  private static final String FILE = "emulation.cu";

  /** A case for each kernel by which threads hand something to each other. */
  private static final Pattern CASES =
      Pattern.compile(
          String.join(
              "|",
              "conv2d 3x8x6x5 to 7, .*2.*",
              "conv2d 1x9x8x128 to 144.*",
              "convTranspose2d 1x14x14x28 to 28.*",
              "depthwiseConv2d 3x9x7x5, 3",
              "addPerChannel, groupNorm, addPerChannel and a sum 3x9x5x12 in 3 groups",
              "addPerChannel, groupNorm, addPerChannel and a sum 1x28x28x28 in 1 groups",
              "attention 3x3x4, 2 heads of 5",
              "attention 1x9x8, 1 heads of 64",
              "linearAttention with a memory 3x5x5, 4 heads of 32",
              "linearAttention 1x3x3, 2 heads of 100"));

  private static EmulatedDriver driver;

  @BeforeAll
  static void open() {
    Assumptions.assumeTrue(EmulatedDriver.obstacle() == null, EmulatedDriver.obstacle());
    driver = EmulatedDriver.watching();
  }

  @AfterAll
  static void close() {
    if (driver != null) {
      driver.close();
    }
  }

  static Stream<OperationCase> cases() {
    return OperationCases.all().filter(layer -> CASES.matcher(layer.name()).matches());
  }

  @Test
  void thereAreSuchCases() {
    assertThat(cases().count()).isGreaterThanOrEqualTo(CASES.pattern().split("\\|").length);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void noRaces(OperationCase layer) {
    Map<String, INDArray> all = OperationGraph.reference(layer, WatchedKernelsTest::slopes);
    INDArray y = all.get("y");
    OperationGraph graph = OperationGraph.fused(layer, slopes(y.shape()));
    try (OperationRun run = new OperationRun(driver, Precision.BFLOAT16)) {
      graph.sources().forEach(run::source);
      run.source(OperationGraph.LOSS_GRADIENT, Nd4j.scalar((double) y.length()));
      Set<String> wanted = new HashSet<>(Set.of("y"));
      all.forEach(
          (name, gradient) -> {
            if (graph.isParameter(name)) {
              run.sum(graph.gradientOf(name), Nd4j.zeros(DataType.FLOAT, gradient.shape()));
            } else if (!name.equals("y")) {
              wanted.add(graph.gradientOf(name));
            }
          });
      run.run(graph.gradientFunction(), wanted, true);
      driver.synchronize();
    }
  }

  private static INDArray slopes(long... shape) {
    return Nd4j.ones(DataType.DOUBLE, shape);
  }

  private static void launch(String kernel, Launch launch, Object... arguments) {
    driver.launch(
        driver.function(FILE, kernel, List.of("ELEMENT_FLOAT")),
        launch,
        new CudaArguments(arguments));
    driver.synchronize();
  }

  @Test
  void racesOfABlockAreErrors() {
    long x = driver.allocate(4 * 128);
    assertThatThrownBy(() -> launch("no_barrier", Launch.of(1, 64), x))
        .hasMessageContaining("no_barrier: block (0,0,0)")
        .hasMessageContaining("shared memory")
        .hasMessageContaining("without a barrier between them");
    assertThatThrownBy(() -> launch("no_barrier_behind", Launch.of(1, 64), x))
        .hasMessageContaining("shared memory")
        .hasMessageContaining("without a barrier between them");
    driver.free(x);
  }

  @ParameterizedTest
  @ValueSource(strings = {"shuffle_for_barrier", "no_barrier_behind_copies"})
  void racesOfAWarpAreErrors(String kernel) {
    long x = driver.allocate(4 * 128);
    assertThatThrownBy(() -> launch(kernel, Launch.of(1, 32), x, 0))
        .hasMessageContaining("reads shared memory")
        .hasMessageContaining("without a barrier between them wrote");
    assertThatCode(() -> launch(kernel, Launch.of(1, 32), x, 1)).doesNotThrowAnyException();
    driver.free(x);
  }

  @Test
  void racesOfBlocksAreErrors() {
    long x = driver.allocate(4 * 128);
    assertThatThrownBy(() -> launch("blocks_in_one_place", Launch.of(2, 32), x, 31))
        .hasMessageContaining("writes global memory")
        .hasMessageContaining("a thread of another block wrote");
    launch("blocks_in_one_place", Launch.of(2, 32), x, 32);
    assertThatThrownBy(() -> launch("reads_of_other_blocks", Launch.of(2, 32), x, 3))
        .hasMessageContaining("a thread of another block");
    launch("reads_of_other_blocks", Launch.of(2, 32), x, 1);
    driver.free(x);
  }

  @Test
  void otherMistakesAreErrors() {
    long x = driver.allocate(4 * 128);
    launch("misaligned_four", Launch.of(1, 1), x, 4);
    assertThatThrownBy(() -> launch("misaligned_four", Launch.of(1, 1), x, 2))
        .hasMessageContaining("misaligned access in line");
    launch("product_of_two", Launch.of(1, 1), x, 1 << 15, 1 << 15);
    assertThatThrownBy(() -> launch("product_of_two", Launch.of(1, 1), x, 1 << 16, 1 << 15))
        .hasMessageContaining("overflow of a product in line");
    driver.free(x);
  }
}

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.FusedOps;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Every operation by our CUDA kernels against the reference layers in DOUBLE: outputs and all
 * gradients. On a card where there is one, or else emulated.
 */
class CudaOperationsTest {

  private static final double FLOAT_TOLERANCE = 1e-5;

  /** Factors have 11 bits of precision: 0.05 % each. */
  private static final double TFLOAT32_TOLERANCE = 2e-3;

  /** bfloat16 has 8 bits of precision: 0.4 % for an element, in several places. */
  private static final double BFLOAT16_TOLERANCE = 2e-2;

  /** Each is looked at several times. */
  private static final Map<String, Map<String, INDArray>> REFERENCES = new HashMap<>();

  private static CudaDriver driver;

  @BeforeAll
  static void open() {
    if (NvidiaCard.obstacle() == null) {
      driver = new NvidiaDriver(0);
      return;
    }
    Assumptions.assumeTrue(EmulatedDriver.obstacle() == null, EmulatedDriver.obstacle());
    driver = EmulatedDriver.prompt();
  }

  @AfterAll
  static void close() {
    if (driver != null) {
      driver.close();
    }
  }

  static Stream<OperationCase> cases() {
    return OperationCases.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsReference(OperationCase layer) {
    compare(layer, Precision.FLOAT32, FLOAT_TOLERANCE);
  }

  /** Everything else is the same as in FLOAT32. */
  static Stream<OperationCase> casesWithProducts() {
    Set<String> products =
        Stream.of(
                new Conv2d(),
                new ConvTranspose2d(),
                new PackedAttention(),
                new Attention(),
                new LinearAttention())
            .map(FusedOp::opName)
            .collect(Collectors.toSet());
    return cases().filter(layer -> operations(layer).anyMatch(products::contains));
  }

  /** The names of what computes a case forwards and backwards. */
  private static Stream<String> operations(OperationCase layer) {
    // Slopes of any shape, for nothing is computed.
    return OperationGraph.fused(layer, slopes(1, 1, 1, 1))
        .gradientFunction()
        .getOps()
        .values()
        .stream()
        .map(op -> OperationRun.fused(op.getOp()).opName());
  }

  @ParameterizedTest
  @MethodSource("casesWithProducts")
  void staysCloseInTfloat32(OperationCase layer) {
    compare(layer, Precision.TFLOAT32, TFLOAT32_TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void staysCloseInBfloat16(OperationCase layer) {
    compare(layer, Precision.BFLOAT16, BFLOAT16_TOLERANCE);
  }

  /** Alone and as plans fuse it with its neighbours. */
  private static void compare(OperationCase layer, Precision precision, double tolerance) {
    Map<String, INDArray> expected = reference(layer);
    List<String> wrong = new ArrayList<>();
    for (boolean fusing : new boolean[] {false, true}) {
      Map<String, INDArray> actual = run(layer, expected, expected.keySet(), precision, fusing);
      expected.forEach(
          (name, wanted) -> {
            double error = wanted.sub(actual.get(name)).norm2Number().doubleValue();
            double size = wanted.norm2Number().doubleValue();
            if (!(error <= tolerance * Math.max(size, 1e-3))) {
              wrong.add(
                  "%s%s differs by %.3g of %.3g"
                      .formatted(name, fusing ? " (fused)" : "", error, size));
            }
          });
    }
    assertThat(wrong).isEmpty();
  }

  static Stream<OperationCase> casesOfSeveralGradients() {
    return cases()
        .filter(
            layer -> layer.maps().size() + layer.vectors().size() + layer.parameters().size() > 1);
  }

  /** A plan that needs one gradient alone gets the same one. */
  @ParameterizedTest
  @MethodSource("casesOfSeveralGradients")
  void leavesOutWhatNobodyNeeds(OperationCase layer) {
    Map<String, INDArray> expected = reference(layer);
    Map<String, INDArray> all = run(layer, expected, expected.keySet(), Precision.FLOAT32, false);
    for (String name : expected.keySet()) {
      Map<String, INDArray> alone = run(layer, expected, Set.of(name), Precision.FLOAT32, false);
      assertThat(alone.get(name)).as(name).isEqualTo(all.get(name));
    }
  }

  static Stream<OperationCase> casesOfSeveralImages() {
    return cases().filter(layer -> layer.images() > 1);
  }

  /** To the last bit, whatever else is in its batch. */
  @ParameterizedTest
  @MethodSource("casesOfSeveralImages")
  void anImageIsTheSameInEveryBatch(OperationCase layer) {
    OperationCase first = layer.ofFirstImage();
    INDArray whole = output(layer);
    INDArray alone = output(first);
    double[] expected = whole.dup('c').data().asDouble();
    double[] actual = alone.dup('c').data().asDouble();
    assertThat(actual).isEqualTo(Arrays.copyOf(expected, actual.length));
  }

  private static INDArray output(OperationCase layer) {
    return run(layer, reference(layer), Set.of("y"), Precision.BFLOAT16, true).get("y");
  }

  @Test
  void everyOperationHasACase() {
    Set<String> found = cases().flatMap(CudaOperationsTest::operations).collect(Collectors.toSet());
    assertThat(found).containsAll(FusedOps.prototypes().stream().map(FusedOp::opName).toList());
  }

  private static Map<String, INDArray> reference(OperationCase layer) {
    return REFERENCES.computeIfAbsent(
        layer.name() + " of " + layer.images(),
        name -> OperationGraph.reference(layer, CudaOperationsTest::slopes));
  }

  /** What outputs are multiplied with: bfloat16 numbers, none of them 0. */
  private static INDArray slopes(long... shape) {
    Random random = new Random(8);
    double[] values = new double[(int) Tensor.length(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (2 * random.nextInt(-64, 64) + 1) / 128.0;
    }
    return Nd4j.createFromArray(values).reshape(shape);
  }

  private static Map<String, INDArray> run(
      OperationCase layer,
      Map<String, INDArray> reference,
      Set<String> names,
      Precision precision,
      boolean fusing) {
    INDArray slopes = slopes(reference.get("y").shape());
    OperationGraph graph = OperationGraph.fused(layer, slopes);
    try (OperationRun run = new OperationRun(driver, precision)) {
      graph.sources().forEach(run::source);
      // The loss is the mean; times this it is the sum.
      run.source(OperationGraph.LOSS_GRADIENT, Nd4j.scalar((double) slopes.length()));
      Set<String> wanted = new HashSet<>();
      for (String name : names) {
        if (name.equals("y")) {
          wanted.add(name);
        } else if (graph.isParameter(name)) {
          run.sum(graph.gradientOf(name), Nd4j.ones(DataType.FLOAT, reference.get(name).shape()));
        } else {
          wanted.add(graph.gradientOf(name));
        }
      }
      run.run(graph.gradientFunction(), wanted, fusing);
      Map<String, INDArray> results = new LinkedHashMap<>();
      for (String name : names) {
        results.put(
            name,
            name.equals("y")
                ? run.get(name)
                : graph.isParameter(name)
                    ? run.getSum(graph.gradientOf(name)).sub(1)
                    : run.get(graph.gradientOf(name)));
      }
      return results;
    }
  }
}

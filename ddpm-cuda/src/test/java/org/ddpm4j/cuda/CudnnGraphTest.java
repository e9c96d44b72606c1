package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.cuda.CudnnGraph.Operand;
import org.ddpm4j.cuda.CudnnShape.Result;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What cuDNN can compute in one kernel, asked of cuDNN itself for a card that is not there. It
 * compiles and plans, and computes nothing.
 */
class CudnnGraphTest {

  /** As cuDNN describes cards, with what NVIDIA tells of this one. */
  private static final String H200 =
      """
      {"deviceName": "NVIDIA H200", "deviceVer": 900, "driverVer": 13000, "cudaDeviceId": 0,
       "multiProcessorCount": 132, "smCountOrigin": 0, "warpSize": 32, "pciDeviceId": 0,
       "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
       "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxCtasPerSM": 32,
       "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
       "oversizedSharedMemoryPerBlock": 0, "reservedSharedMemoryPerBlock": 1024,
       "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "isTccDriver": 0,
       "supportCoopLaunch": 1, "totalGlobalMem": 150121545728, "smClockRateKHz": 1980000,
       "memClockRateKHz": 3201000, "l2CacheSize": 62914560}
      """;

  private static final int IMAGES = 128;

  private static CudnnPlans plans;

  private static final long MOST_WORKSPACE = 256L << 20;

  @BeforeAll
  static void needsCudnn() {
    CudnnLibrary.assumeLoads();
    plans = new CudnnPlans(CudnnCard.described(H200));
  }

  @AfterAll
  static void close() {
    if (plans != null) {
      plans.close();
    }
  }

  /** Of the networks for CIFAR-10 and Fashion-MNIST, where they are wide. */
  @ParameterizedTest
  @CsvSource({
    "128, 128, 32, 3, 1",
    "256, 128, 32, 3, 1",
    "384, 128, 32, 1, 1",
    "256, 256, 16, 3, 1",
    "512, 256, 16, 3, 1",
    "512, 256, 16, 1, 1",
    "256, 256, 8, 3, 1",
    "256, 256, 4, 3, 1",
    "512, 256, 4, 3, 1",
    "256, 256, 16, 3, 2",
    "224, 224, 7, 3, 1",
    "448, 224, 7, 3, 1",
  })
  void addsInTheKernelOfTheConvolution(int in, int out, int size, int kernel, int stride) {
    int padding = kernel / 2;
    int after = (size + 2 * padding - kernel) / stride + 1;
    for (int type : new int[] {CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT}) {
      for (Result result : Result.values()) {
        CudnnShape shape =
            new CudnnShape(
                result,
                type,
                List.of(IMAGES, in, size, size),
                List.of(out, in, kernel, kernel),
                List.of(IMAGES, out, after, after),
                stride,
                padding);
        Optional<CudnnPlan> plan = plans.plan(shape);
        assertThat(plan).as("%s", shape).isPresent();
        assertBinds(plan.orElseThrow(), operands(result));
        assertThat(plans.plan(shape)).isSameAs(plan);
      }
    }
  }

  private static int operands(Result result) {
    return switch (result) {
      case OUTPUT_AND_RESIDUAL -> 5;
      case OUTPUT, DATA_GRADIENT_AND_RESIDUAL -> 4;
      default -> 3;
    };
  }

  private static void assertBinds(CudnnPlan plan, int operands) {
    assertThat(plan.workspaceBytes()).isBetween(0L, MOST_WORKSPACE);
    long[] addresses = new long[operands];
    Arrays.setAll(addresses, i -> 0x1000L * (i + 1));
    plan.bind(0x100, addresses).close();
    assertThatThrownBy(() -> plan.bind(0x100, new long[operands - 1]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Products of bfloat16 whose sums over all pixels would be kept in float32. */
  @Test
  void hasNoPlanWhereCudnnHasNone() {
    try (CudnnCard card = CudnnCard.described(H200);
        CudnnGraph graph = new CudnnGraph(card, 1, 1)) {
      Operand x = graph.inMemory(CUDNN_DATA_BFLOAT16, IMAGES, 128, 32, 32);
      Operand dy = graph.inMemory(CUDNN_DATA_BFLOAT16, IMAGES, 128, 32, 32);
      graph.weightGradient(x, dy, graph.inMemory(CUDNN_DATA_FLOAT, 128, 128, 3, 3));
      assertThat(graph.plan()).isEmpty();
    }
  }

  @Test
  void sizesMustFit() {
    try (CudnnCard card = CudnnCard.described(H200);
        CudnnGraph graph = new CudnnGraph(card, 1, 1)) {
      Operand x = graph.inMemory(CUDNN_DATA_BFLOAT16, IMAGES, 128, 32, 32);
      Operand w = graph.inMemory(CUDNN_DATA_BFLOAT16, 128, 128, 3, 3);
      Operand y = graph.inMemory(CUDNN_DATA_BFLOAT16, IMAGES, 128, 31, 32);
      assertThatThrownBy(() -> graph.forward(x, w, y))
          .isInstanceOf(CudaException.class)
          .hasMessageStartingWith("cuDNN refused: ");
    }
  }
}

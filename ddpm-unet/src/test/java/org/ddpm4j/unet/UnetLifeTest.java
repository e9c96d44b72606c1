package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A network that is closed, or whose callers are interrupted, while it computes. */
class UnetLifeTest {

  private static final int CALLERS = 4;
  private static final AnnotatedUnet CONFIG =
      AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(2, 4);

  private final INDArray x = new RandomArrays(3).gaussian(1, 11, 1, 8, 8).castTo(DataType.FLOAT);
  private final INDArray t = Nd4j.valueArrayOf(new long[] {11}, 40, DataType.FLOAT);

  static Stream<Execution> executions() {
    Execution fused = new Execution(LayersChoice.AUTO, Precision.FLOAT32, 2);
    return FusedKernels.available()
        ? Stream.of(fused, Execution.reference())
        : Stream.of(Execution.reference());
  }

  private static Unet unet(Execution execution) {
    return Unet.create(CONFIG, DataType.FLOAT, 5, execution);
  }

  private static float[] floats(INDArray array) {
    return array.dup('c').data().asFloat();
  }

  @ParameterizedTest
  @MethodSource("executions")
  void aClosedNetworkRefuses(Execution execution) {
    Unet unet = unet(execution);
    unet.predict(x, t);
    unet.close();
    unet.close();
    assertThatThrownBy(() -> unet.predict(x, t))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("The network is closed; use it before it is closed, or read it anew.");
    assertThatThrownBy(() -> unet.loss(LossFunction.L2, x, t, x))
        .isInstanceOf(IllegalStateException.class);
    Parameters gradient = unet.parameters().zerosLike();
    assertThatThrownBy(() -> unet.lossAndGradient(LossFunction.L2, x, t, x, gradient))
        .isInstanceOf(IllegalStateException.class);
    assertThat(unet.parameters().flat().length()).isEqualTo(unet.parameters().count());
  }

  /** Each caller gets whole, right answers until it is refused. */
  @ParameterizedTest
  @MethodSource("executions")
  void closingWaitsForThoseWhoCompute(Execution execution) throws Exception {
    float[] expected;
    try (Unet alone = unet(execution)) {
      expected = floats(alone.predict(x, t));
    }
    for (int round = 0; round < 10; round++) {
      Unet unet = unet(execution);
      CountDownLatch working = new CountDownLatch(CALLERS);
      ExecutorService executor = Executors.newFixedThreadPool(CALLERS);
      try {
        List<Future<Integer>> callers = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
          callers.add(executor.submit(() -> answersUntilRefused(unet, expected, working)));
        }
        working.await();
        unet.close();
        for (Future<Integer> caller : callers) {
          assertThat(caller.get()).isPositive();
        }
      } finally {
        executor.shutdownNow();
      }
    }
  }

  private int answersUntilRefused(Unet unet, float[] expected, CountDownLatch working) {
    for (int answers = 0; ; answers++) {
      try {
        assertThat(floats(unet.predict(x, t))).isEqualTo(expected);
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageStartingWith("The network is closed");
        return answers;
      }
      if (answers == 0) {
        working.countDown();
      }
    }
  }

  /** Interrupts that come at any moment harm neither the answers nor the network. */
  @ParameterizedTest
  @MethodSource("executions")
  void anInterruptStaysSetAndHarmsNothing(Execution execution) throws Exception {
    try (Unet unet = unet(execution)) {
      float[] expected = floats(unet.predict(x, t));
      Thread caller = Thread.currentThread();
      AtomicBoolean done = new AtomicBoolean();
      Thread interrupter =
          new Thread(
              () -> {
                while (!done.get()) {
                  caller.interrupt();
                  Thread.yield();
                }
              });
      interrupter.start();
      try {
        for (int i = 0; i < 50; i++) {
          assertThat(floats(unet.predict(x, t))).isEqualTo(expected);
        }
        caller.interrupt();
        unet.predict(x, t);
        assertThat(caller.isInterrupted()).isTrue();
      } finally {
        done.set(true);
        while (interrupter.isAlive()) {
          Thread.onSpinWait();
        }
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(floats(unet.predict(x, t))).isEqualTo(expected);
    }
  }

  /** Plans for all sizes of micro-batches, by as many threads as want them. */
  private long heldAfterPredictions(Unet unet, int callers) throws Exception {
    INDArray large = new RandomArrays(4).gaussian(1, 8, 1, 32, 32).castTo(DataType.FLOAT);
    ExecutorService executor = Executors.newFixedThreadPool(callers);
    try {
      long before = NativeMemory.bytesWithoutGarbage();
      CyclicBarrier together = new CyclicBarrier(callers);
      List<Future<?>> futures = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        futures.add(
            executor.submit(
                () -> {
                  for (int images = 1; images <= 8; images++) {
                    together.await();
                    INDArray times = t.get(NDArrayIndex.interval(0, images));
                    unet.predict(large.get(NDArrayIndex.interval(0, images)), times).close();
                  }
                  return null;
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
      return NativeMemory.bytesWithoutGarbage() - before;
    } finally {
      executor.shutdownNow();
    }
  }

  /** Plans, sums of gradients and packed weights stay for the next call, whoever makes it. */
  @Test
  void aCallersScopeGivesNothingBackOfANetwork() throws InterruptedException {
    assumeThat(FusedKernels.available()).isTrue();
    try (Unet unet = unet(new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2));
        Unet alone = unet(new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2))) {
      Parameters gradient = unet.parameters().zerosLike();
      long before;
      long held;
      try (PointerScope callers = new PointerScope()) {
        assertThat(callers).isNotNull();
        before = NativeMemory.bytesWithoutGarbage();
        unet.predict(x, t);
        unet.lossAndGradient(LossFunction.L2, x, t, x, gradient);
        held = NativeMemory.bytesWithoutGarbage() - before;
      }
      assertThat(held).isGreaterThan(1 << 20);
      // The scope gives back the arrays that it was asked for, which are small.
      assertThat(NativeMemory.bytesWithoutGarbage() - before).isGreaterThan(held / 2);
      assertThat(floats(unet.predict(x, t))).isEqualTo(floats(alone.predict(x, t)));
    }
  }

  /** ND4J's workspaces use their memory again. */
  @ParameterizedTest
  @MethodSource("executions")
  void aNetworkOutlivesTheWorkspaceInWhichItWasMade(Execution execution) {
    WorkspaceConfiguration configuration =
        WorkspaceConfiguration.builder().initialSize(32L << 20).build();
    try (Unet alone = unet(execution)) {
      Parameters expected = alone.parameters().zerosLike();
      Unet unet;
      Parameters gradient;
      try (MemoryWorkspace workspace =
          Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "CALLERS")) {
        assertThat(workspace.isScopeActive()).isTrue();
        unet = unet(execution);
        gradient = unet.parameters().zerosLike();
        unet.predict(x, t);
        unet.lossAndGradient(LossFunction.L2, x, t, x, gradient);
      }
      try (MemoryWorkspace workspace =
          Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "CALLERS")) {
        assertThat(workspace.isScopeActive()).isTrue();
        assertThat(Nd4j.valueArrayOf(4L << 20, 3f).isAttached()).isTrue();
      }
      alone.lossAndGradient(LossFunction.L2, x, t, x, expected);
      assertThat(floats(gradient.flat())).isEqualTo(floats(expected.flat()));
      assertThat(floats(unet.predict(x, t))).isEqualTo(floats(alone.predict(x, t)));
      unet.lossAndGradient(LossFunction.L2, x, t, x, gradient);
      assertThat(floats(gradient.flat())).isEqualTo(floats(expected.flat()));
      // Of another size, which compiles anew what was differentiated in the workspace.
      INDArray some = x.get(NDArrayIndex.interval(0, 3)).dup();
      INDArray times = t.get(NDArrayIndex.interval(0, 3)).dup();
      unet.lossAndGradient(LossFunction.L2, some, times, some, gradient);
      alone.lossAndGradient(LossFunction.L2, some, times, some, expected);
      assertThat(floats(gradient.flat())).isEqualTo(floats(expected.flat()));
      unet.close();
    } finally {
      Nd4j.getWorkspaceManager().destroyAllWorkspacesForCurrentThread();
    }
  }

  /** A service that is asked for images of ever other sizes. */
  @Test
  void memoryDoesNotGrowWithTheNumberOfSizes() throws InterruptedException {
    assumeThat(FusedKernels.available()).isTrue();
    try (Unet unet = unet(new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1))) {
      INDArray one = new RandomArrays(5).gaussian(1, 1, 1, 64, 64).castTo(DataType.FLOAT);
      INDArray time = t.get(NDArrayIndex.interval(0, 1));
      float[] first = floats(unet.predict(ofSize(one, 0), time));
      long before = NativeMemory.bytesWithoutGarbage();
      List<Long> held = new ArrayList<>();
      for (int size = 1; size <= 3 * Unet.MOST_GRAPHS; size++) {
        unet.predict(ofSize(one, size), time).close();
        if (size % Unet.MOST_GRAPHS == 0) {
          held.add(NativeMemory.bytesWithoutGarbage() - before);
        }
      }
      assertThat(held.get(0)).isGreaterThan(1 << 20);
      assertThat(held).allMatch(bytes -> bytes < 2 * held.get(0));
      assertThat(floats(unet.predict(ofSize(one, 0), time))).isEqualTo(first);
    }
  }

  /** Sizes of about as many pixels each. */
  private static INDArray ofSize(INDArray image, int number) {
    int height = 32 + 2 * (number % 8);
    int width = 32 + 2 * (number / 8);
    return image.get(
        NDArrayIndex.all(),
        NDArrayIndex.all(),
        NDArrayIndex.interval(0, height),
        NDArrayIndex.interval(0, width));
  }

  @Test
  void memoryDoesNotGrowWithTheNumberOfCallers() throws Exception {
    assumeThat(FusedKernels.available()).isTrue();
    Execution oneThread = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    try (Unet unet = unet(oneThread);
        Unet shared = unet(oneThread)) {
      long ofOneCaller = heldAfterPredictions(unet, 1);
      assertThat(ofOneCaller).isGreaterThan(1 << 20);
      assertThat(heldAfterPredictions(shared, 12)).isLessThan(2 * ofOneCaller);
    }
  }
}

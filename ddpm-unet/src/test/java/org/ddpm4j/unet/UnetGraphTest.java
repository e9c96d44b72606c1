package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.ddpm4j.kernels.ops.FusedOps;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

class UnetGraphTest {

  private static final int THREADS = 4;

  /** What one thread finds. */
  private record Found(SameDiff function, Map<String, String> names) {}

  @BeforeAll
  static void knowOurOperations() {
    FusedOps.register();
  }

  private static UnetGraph graph() {
    return UnetGraph.withLoss(
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4),
        4,
        4,
        DataType.FLOAT,
        LossFunction.L2,
        FusedLayers::new,
        UnetGraph.Mode.INFERENCE);
  }

  /** Some ask for the function, the others look whether another has made it already. */
  @RepeatedTest(20)
  void threadsThatAskAtOnceFindOneGradientFunctionAndAllItsNames() throws Exception {
    UnetGraph graph = graph();
    Set<String> trained =
        graph.declarations().stream()
            .filter(one -> one.learning() == Parameter.Learning.TRAINED)
            .map(Parameter::name)
            .collect(Collectors.toSet());
    CyclicBarrier together = new CyclicBarrier(THREADS);
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Found>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        boolean looks = i % 2 == 1;
        all.add(
            threads.submit(
                () -> {
                  together.await();
                  while (looks && graph.gradientNames().isEmpty()) {
                    Thread.onSpinWait();
                  }
                  SameDiff function = graph.gradientFunction();
                  return new Found(function, Map.copyOf(graph.gradientNames()));
                }));
      }
      for (Future<Found> found : all) {
        assertThat(found.get().function()).isNotNull().isSameAs(all.get(0).get().function());
        assertThat(found.get().names().keySet()).isEqualTo(trained);
      }
    } finally {
      threads.shutdown();
    }
  }
}

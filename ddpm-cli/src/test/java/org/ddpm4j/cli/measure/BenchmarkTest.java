package org.ddpm4j.cli.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rounds of networks that know classes and of such that do not. */
class BenchmarkTest {

  private static final ImageShape SHAPE = new ImageShape(1, 8, 8);

  private static AnnotatedUnet network() {
    return AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(1, 4);
  }

  /** Whose rounds are refused without labels. */
  @ParameterizedTest
  @EnumSource
  void aNetworkOfClassesIsToldOne(Benchmark.Task task) {
    AnnotatedUnet classes = network().withClassEmbeddings(3);
    try (Benchmark benchmark = new Benchmark(task, classes, SHAPE, 2, Execution.automatic())) {
      assertThat(benchmark.round()).isPositive();
      assertThat(benchmark.round(new PlanProfile())).isPositive();
    }
  }

  /** A round of training is a whole step, be there classes or none. */
  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void aRoundOfTrainingMovesTheWeights(int embeddings) {
    AnnotatedUnet config = embeddings == 0 ? network() : network().withClassEmbeddings(embeddings);
    try (Benchmark benchmark =
        new Benchmark(Benchmark.Task.TRAIN, config, SHAPE, 2, Execution.automatic())) {
      INDArray weight = benchmark.unet().parameters().get("init_conv.weight");
      INDArray before = weight.dup();
      benchmark.round();
      assertThat(benchmark.unet().parameters().get("init_conv.weight")).isNotEqualTo(before);
    }
  }

  /** As those that say variances, too. */
  @Test
  void aNetworkOfMoreChannelsIsTrainedInAllOfThem() {
    AnnotatedUnet wider = network().withOutChannels(2);
    try (Benchmark benchmark =
        new Benchmark(Benchmark.Task.TRAIN, wider, SHAPE, 2, Execution.automatic())) {
      assertThat(benchmark.round()).isPositive();
      assertThat(benchmark.unet().parameters().get("init_conv.weight").isNaN().any()).isFalse();
    }
  }
}

package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * What an operation makes of an image is the same to the last bit in batches of any size: how many
 * images are computed together depends on the number of threads, and results must not.
 */
class BatchIndependenceTest {

  private static final int[] BATCHES = {1, 2, 3, 4, 5, 8, 11, 16, 17};

  private interface Operation {
    SDVariable apply(Parts graph, SDVariable x);
  }

  /** A graph whose parameters are drawn as they are asked for. */
  private static final class Parts {

    final FusedGraph built = new FusedGraph();
    final SplittableRandom random = new SplittableRandom(4);

    SDVariable parameter(String name, long... shape) {
      return built.parameter(name, Values.gaussian(random, 1, shape));
    }
  }

  /** An operation on images of a shape. */
  private record Case(String name, long[] image, Operation operation) {

    @Override
    public String toString() {
      return name + " of " + Arrays.toString(image);
    }
  }

  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (long[] size : new long[][] {{8, 32}, {28, 112}, {112, 56}, {256, 128}, {3, 5}}) {
      cases.add(
          new Case(
              "linear to " + size[1],
              new long[] {size[0]},
              (g, x) ->
                  new Linear(
                          g.built.sameDiff(),
                          x,
                          g.parameter("w", size[0], size[1]),
                          g.parameter("b", size[1]))
                      .outputVariable()));
    }
    long[][] images = {{8, 6, 4}, {28, 28, 28}, {14, 14, 56}, {7, 7, 112}, {5, 3, 13}};
    for (long[] image : images) {
      long c = image[2];
      cases.add(convolution(image, 3, 1, c));
      cases.add(convolution(image, 1, 1, 3 * c));
      cases.add(convolution(image, 1, 1, 1));
      cases.add(convolution(image, 4, 2, c));
      cases.add(
          new Case(
              "transposed convolution",
              image,
              (g, x) ->
                  new ConvTranspose2d(
                          g.built.sameDiff(),
                          x,
                          g.parameter("w", 4, 4, c, c),
                          g.parameter("b", c),
                          2,
                          1)
                      .outputVariable()));
      cases.add(
          new Case(
              "depthwise convolution",
              image,
              (g, x) ->
                  new DepthwiseConv2d(
                          g.built.sameDiff(),
                          x,
                          g.parameter("w", 7, 7, c, 1),
                          g.parameter("b", c),
                          1,
                          3)
                      .outputVariable()));
      for (Activation function : Activation.values()) {
        cases.add(
            new Case(
                "group normalisation and " + function,
                image,
                (g, x) ->
                    new GroupNorm(
                            g.built.sameDiff(),
                            x,
                            g.parameter("w", c),
                            g.parameter("b", c),
                            1,
                            1e-5,
                            function)
                        .outputVariable()));
        cases.add(
            new Case(
                function.toString(),
                image,
                (g, x) -> new Eltwise(g.built.sameDiff(), x, function).outputVariable()));
      }
    }
    cases.add(convolution(new long[] {28, 28, 1}, 7, 1, 18));
    for (long[] qkv : new long[][] {{7, 7, 384}, {4, 3, 30}}) {
      int heads = 2;
      cases.add(
          new Case(
              "attention",
              qkv,
              (g, x) -> new PackedAttention(g.built.sameDiff(), x, heads).outputVariable()));
      cases.add(
          new Case(
              "linear attention",
              qkv,
              (g, x) -> new LinearAttention(g.built.sameDiff(), x, heads).outputVariable()));
    }
    return cases;
  }

  private static Case convolution(long[] image, int kernel, int stride, long outChannels) {
    return new Case(
        "convolution %dx%d, stride %d, to %d".formatted(kernel, kernel, stride, outChannels),
        image,
        (g, x) ->
            new Conv2d(
                    g.built.sameDiff(),
                    x,
                    g.parameter("w", kernel, kernel, image[2], outChannels),
                    g.parameter("b", outChannels),
                    stride,
                    stride == 2 ? 1 : kernel / 2)
                .outputVariable());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void imagesDoNotDependOnEachOther(Case c) {
    Parts graph = new Parts();
    SDVariable x =
        graph.built.input(
            "x", LongStream.concat(LongStream.of(1), Arrays.stream(c.image)).toArray());
    c.operation.apply(graph, x).rename("y");
    int perImage = (int) CpuTensor.length(c.image);
    double[] images = Values.gaussian(new SplittableRandom(1), 1, 17L * perImage).elements();
    float[] expected = null;
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      for (int batch : BATCHES) {
        try (GraphPlan plan = FusedGraph.compile(graph.built.forwardOf(batch, "y"), weights)) {
          // The first image of each batch is the same; it comes last in every second batch.
          int place = batch % 2 == 0 ? batch - 1 : 0;
          CpuTensor input = CpuTensor.of(plan.input("x"));
          for (int i = 0; i < input.length(); i++) {
            int image = (i / perImage + batch - place) % batch;
            input.buffer().put(i, (float) images[image * perImage + i % perImage]);
          }
          plan.run();
          CpuTensor y = CpuTensor.of(plan.output("y"));
          float[] actual = new float[y.length() / batch];
          y.buffer().get(place * actual.length, actual);
          if (expected == null) {
            expected = actual;
          }
          assertThat(Arrays.mismatch(actual, expected))
              .as("first difference in a batch of %d", batch)
              .isEqualTo(-1);
        }
      }
    }
  }
}

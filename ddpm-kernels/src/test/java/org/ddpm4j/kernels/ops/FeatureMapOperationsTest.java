package org.ddpm4j.kernels.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.NaiveOps;
import org.ddpm4j.kernels.OperationCheck;
import org.ddpm4j.kernels.Values;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Operations that no layer of a U-Net uses yet, and each loss, against plain loops. */
class FeatureMapOperationsTest {

  private static final double TOLERANCE = 1e-5;

  private final SplittableRandom random = new SplittableRandom(3);

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1",
    "2, 3, 5, 1",
    "1, 7, 3, 13",
    "3, 2, 2, 28",
    "2, 1, 1, 1030",
    "1, 9, 11, 12"
  })
  void scaleShiftPerChannel(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) ->
            new ScaleShiftPerChannel(graph, in.get(0), in.get(1), in.get(2)).outputVariable(),
        in -> NaiveOps.scaleShiftPerChannel(in.get(0), in.get(1), in.get(2)),
        List.of(
            Values.gaussian(random, 1, n, h, w, c),
            Values.gaussian(random, 1, n, c),
            Values.gaussian(random, 1, n, c)),
        TOLERANCE);
  }

  /** In the middle of a network it may work in the memory of its input. */
  @Test
  void scaleShiftPerChannelBetweenOthers() {
    OperationCheck.check(
        (graph, in) -> {
          var before = new Eltwise(graph, in.get(0), EltwiseFunction.SILU).outputVariable();
          var scaled =
              new ScaleShiftPerChannel(graph, before, in.get(1), in.get(2)).outputVariable();
          return new Eltwise(graph, scaled, EltwiseFunction.GELU).outputVariable();
        },
        in ->
            NaiveOps.eltwise(
                NaiveOps.scaleShiftPerChannel(
                    NaiveOps.eltwise(in.get(0), EltwiseFunction.SILU), in.get(1), in.get(2)),
                EltwiseFunction.GELU),
        List.of(
            Values.gaussian(random, 1, 2, 3, 4, 5),
            Values.gaussian(random, 1, 2, 5),
            Values.gaussian(random, 1, 2, 5)),
        TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "2, 3, 5, 1", "1, 7, 3, 13", "3, 2, 2, 28", "1, 1, 2, 1030"})
  void upsampleNearest(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) -> new UpsampleNearest(graph, in.get(0)).outputVariable(),
        in -> NaiveOps.upsampleNearest(in.get(0)),
        List.of(Values.gaussian(random, 1, n, h, w, c)),
        TOLERANCE);
  }

  @Test
  void upsampleNearestRepeatsEveryPosition() {
    Values x = new Values(new double[] {1, 2, 3, 4}, 1, 1, 2, 2);
    OperationCheck.Result result =
        OperationCheck.run(
            (graph, in) -> new UpsampleNearest(graph, in.get(0)).outputVariable(),
            new long[] {1, 2, 4, 2},
            List.of(x));
    assertThat(result.y().elements())
        .containsExactly(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4);
  }

  @ParameterizedTest
  @EnumSource
  void eltwise(EltwiseFunction function) {
    // Relu has a corner at zero, where differences say nothing.
    Values x = Values.gaussian(random, 2, 2, 3, 4, 7);
    for (int i = 0; i < x.elements().length; i++) {
      x.elements()[i] += Math.copySign(0.01, x.elements()[i]);
    }
    OperationCheck.check(
        (graph, in) -> new Eltwise(graph, in.get(0), function).outputVariable(),
        in -> NaiveOps.eltwise(in.get(0), function),
        List.of(x),
        TOLERANCE);
  }

  @ParameterizedTest
  @EnumSource
  void lossPerImage(PointwiseLoss loss) {
    Values prediction = Values.gaussian(random, 1, 3, 2, 5, 2);
    Values target = Values.gaussian(random, 1, 3, 2, 5, 2);
    OperationCheck.check(
        (graph, in) -> new LossPerImage(graph, in.get(0), in.get(1), loss).outputVariable(),
        in -> naiveLoss(in.get(0), in.get(1), loss),
        List.of(prediction, target),
        TOLERANCE);
  }

  private static Values naiveLoss(Values prediction, Values target, PointwiseLoss loss) {
    int images = prediction.size(0);
    int elements = prediction.elements().length / images;
    Values losses = Values.zeros(images);
    for (int i = 0; i < prediction.elements().length; i++) {
      double p = prediction.elements()[i];
      double e = p - target.elements()[i];
      double value =
          switch (loss) {
            case L1 -> Math.abs(e);
            case L2 -> e * e;
            case HUBER -> Math.abs(e) < 1 ? 0.5 * e * e : Math.abs(e) - 0.5;
            case INNER_PRODUCT -> p * target.elements()[i];
          };
      losses.elements()[i / elements] += value / elements;
    }
    return losses;
  }
}

package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers that overflow, or lose their digits, in a careless computation. */
class LargeNumbersTest {

  private final SplittableRandom random = new SplittableRandom(5);

  /** The precision of floats near 10000, beside a deviation of 1. */
  private static final double HALF_A_UNIT = 0.5 / 1024;

  /** Sums of squares of such numbers would leave no digit at all. */
  @ParameterizedTest
  @CsvSource({"1, 28, IDENTITY", "4, 28, SILU", "28, 28, SILU", "1, 5, SILU", "2, 1100, IDENTITY"})
  void groupNormOfALargeMean(int groups, int channels, Activation function) {
    Values x = Values.gaussian(random, 1, 2, 6, 5, channels);
    Arrays.setAll(x.elements(), i -> (float) (x.elements()[i] + 1e4));
    Values scale = Values.gaussian(random, 1, channels);
    Values shift = Values.gaussian(random, 1, channels);
    OperationCheck.Oracle oracle =
        in ->
            NaiveOps.eltwise(
                NaiveOps.groupNorm(in.get(0), in.get(1), in.get(2), groups, 1e-5), function);
    List<Values> inputs = List.of(x, scale, shift);
    OperationCheck.Result result =
        OperationCheck.run(
            (graph, in) ->
                new GroupNorm(graph, in.get(0), in.get(1), in.get(2), groups, 1e-5, function)
                    .outputVariable(),
            x.shape(),
            inputs);
    assertThat(oracle.apply(inputs).relativeErrorOf(result.y())).isLessThan(HALF_A_UNIT);
    for (int i = 0; i < 3; i++) {
      if (i == 0 && channels > 100) {
        // The differences would take too long.
        continue;
      }
      Values gradient = OperationCheck.differences(oracle, inputs, i, result.g());
      assertThat(gradient.relativeErrorOf(result.gradients().get(i)))
          .as("gradient of input %d", i)
          .isLessThan(HALF_A_UNIT);
    }
  }

  /** Deviations that are tiny beside epsilon, and images of one value. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-4, 1e-2})
  void groupNormOfHardlyAnyDeviation(double deviation) {
    Values x = Values.gaussian(random, deviation, 2, 4, 3, 6);
    Arrays.setAll(x.elements(), i -> (float) (x.elements()[i] + 0.5));
    Values scale = Values.gaussian(random, 1, 6);
    Values shift = Values.gaussian(random, 1, 6);
    OperationCheck.check(
        (graph, in) ->
            new GroupNorm(graph, in.get(0), in.get(1), in.get(2), 2, 1e-5, Activation.IDENTITY)
                .outputVariable(),
        in -> NaiveOps.groupNorm(in.get(0), in.get(1), in.get(2), 2, 1e-5),
        List.of(x, scale, shift),
        1e-3);
  }

  /** The first position is far from all others: the reference from which distances are taken. */
  @ParameterizedTest
  @ValueSource(doubles = {100, 1e4})
  void groupNormWithAnOutlierInFront(double outlier) {
    int channels = 4;
    Values x = Values.gaussian(random, 1, 1, 28, 28, channels);
    Arrays.fill(x.elements(), 0, channels, outlier);
    Values scale = Values.gaussian(random, 1, channels);
    Values shift = Values.gaussian(random, 1, channels);
    Values y =
        OperationCheck.run(
                (graph, in) ->
                    new GroupNorm(
                            graph, in.get(0), in.get(1), in.get(2), 2, 1e-5, Activation.IDENTITY)
                        .outputVariable(),
                x.shape(),
                List.of(x, scale, shift))
            .y();
    assertThat(NaiveOps.groupNorm(x, scale, shift, 2, 1e-5).relativeErrorOf(y)).isLessThan(1e-4);
  }

  /** Queries, keys and values; scores are as large as the queries and keys make them. */
  private Values qkv(double queriesAndKeys, int heads, int width) {
    Values qkv = Values.gaussian(random, 1, 2, 3, 4, 3L * heads * width);
    int features = heads * width;
    for (int i = 0; i < qkv.elements().length; i++) {
      if (i % (3 * features) < 2 * features) {
        qkv.elements()[i] = (float) (qkv.elements()[i] * queriesAndKeys);
      }
    }
    return qkv;
  }

  private enum Kind {
    SOFTMAX,
    LINEAR
  }

  /** Scores of ±200: their exponentials are beyond the floats in both directions. */
  @ParameterizedTest
  @EnumSource
  void attentionWithLargeScores(Kind kind) {
    int heads = 2;
    int width = 4;
    // Scores of attention are products of queries and keys, those of linear attention both alone.
    Values qkv = qkv(kind == Kind.SOFTMAX ? 14 : 100, heads, width);
    OperationCheck.Oracle oracle =
        in ->
            kind == Kind.SOFTMAX
                ? NaiveOps.attention(in.get(0), heads)
                : NaiveOps.linearAttention(in.get(0), heads);
    Values expected = oracle.apply(List.of(qkv));
    OperationCheck.Result result =
        OperationCheck.run(
            (graph, in) ->
                kind == Kind.SOFTMAX
                    ? new PackedAttention(graph, in.get(0), heads).outputVariable()
                    : new LinearAttention(graph, in.get(0), heads).outputVariable(),
            expected.shape(),
            List.of(qkv));
    assertThat(result.y().elements()).doesNotContain(Double.NaN);
    // A score of 200 is a float to 1e-5, which its exponential multiplies.
    assertThat(expected.relativeErrorOf(result.y())).isLessThan(1e-4);
    Values gradient = OperationCheck.differences(oracle, List.of(qkv), 0, result.g());
    assertThat(result.gradients().get(0).elements()).doesNotContain(Double.NaN);
    assertThat(gradient.relativeErrorOf(result.gradients().get(0))).isLessThan(1e-4);
  }

  /** All scores the same and huge: everything gets the same weight. */
  @ParameterizedTest
  @EnumSource
  void attentionWithEqualLargeScores(Kind kind) {
    int width = 4;
    for (double score : new double[] {-1e4, 1e4}) {
      Values qkv = Values.gaussian(random, 1, 1, 2, 3, 3L * width);
      for (int i = 0; i < qkv.elements().length; i++) {
        if (i % (3 * width) < 2 * width) {
          qkv.elements()[i] = i % (3 * width) < width ? 100 : score / 100;
        }
      }
      Values expected =
          kind == Kind.SOFTMAX ? NaiveOps.attention(qkv, 1) : NaiveOps.linearAttention(qkv, 1);
      Values y =
          OperationCheck.run(
                  (graph, in) ->
                      kind == Kind.SOFTMAX
                          ? new PackedAttention(graph, in.get(0), 1).outputVariable()
                          : new LinearAttention(graph, in.get(0), 1).outputVariable(),
                  expected.shape(),
                  List.of(qkv))
              .y();
      assertThat(expected.relativeErrorOf(y)).isLessThan(1e-5);
    }
  }
}

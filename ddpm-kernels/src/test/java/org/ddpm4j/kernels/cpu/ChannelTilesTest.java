package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ChannelTilesTest {

  static Stream<Arguments> sizes() {
    return Stream.of(1, 2, 3, 7, 28, 384, 1000, 1023, 1024, 1025, 3000)
        .flatMap(channels -> Stream.of(1, 2, 5, 49, 785).map(p -> Arguments.of(p, channels)));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void piecesAreWholePositionsInOrder(int positions, int channels) {
    ChannelTiles tiles = new ChannelTiles(positions, channels);
    assertThat(tiles.total()).isEqualTo(positions * channels);
    int[] next = {0};
    tiles.forEach(
        (offset, length) -> {
          assertThat(offset).isEqualTo(next[0]);
          assertThat(length).isPositive().isLessThanOrEqualTo(tiles.array().length);
          assertThat(length % channels).isZero();
          boolean last = offset + length == positions * channels;
          assertThat(last || length >= 1024).isTrue();
          next[0] = offset + length;
        });
    assertThat(next[0]).isEqualTo(positions * channels);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void repeatsOneValuePerChannel(int positions, int channels) {
    ChannelTiles tiles = new ChannelTiles(positions, channels);
    // Longer than C, as the caller may have it.
    float[] perChannel = new float[channels + 3];
    for (int c = 0; c < perChannel.length; c++) {
      perChannel[c] = c + 1;
    }
    float[] piece = tiles.array();
    tiles.repeat(perChannel, piece);
    for (int i = 0; i < piece.length; i++) {
      assertThat(piece[i]).isEqualTo(i % channels + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void sumsOverPositions(int positions, int channels) {
    SplittableRandom random = new SplittableRandom(channels);
    ChannelTiles tiles = new ChannelTiles(positions, channels);
    float[] piece = tiles.array();
    double[] expected = new double[channels];
    for (int i = 0; i < piece.length; i++) {
      piece[i] = (float) random.nextGaussian();
      expected[i % channels] += piece[i];
    }
    double[] sums = new double[channels];
    Arrays.fill(sums, Double.NaN);
    tiles.sum(piece, sums);
    // Sums of up to 1024 numbers of size one, rounded in each of ten foldings.
    assertThat(sums).containsExactly(expected, within(1e-4));
  }

  @Test
  void pieceIsNoLongerThanTheData() {
    assertThat(new ChannelTiles(3, 5).array()).hasSize(15).containsOnly(0);
  }
}

package org.ddpm4j.kernels.cpu;

/**
 * Walks channels-last data, {@code [positions,C]}, in pieces of whole positions that are long
 * enough for vector instructions and short enough for the first-level cache. What there is one of
 * per channel is repeated to the length of a piece. One thread at a time.
 */
public final class ChannelTiles {

  /** The length that pieces have at least, in floats, if there is so much data. */
  private static final int WANTED_LENGTH = 1024;

  private final int channels;
  private final int length;
  private final int total;
  private final float[] folded;

  /**
   * Pieces for data of one shape.
   *
   * @param positions number of positions
   * @param channels C
   */
  public ChannelTiles(int positions, int channels) {
    this.channels = channels;
    int rows = Math.min(positions, Math.max(1, (WANTED_LENGTH + channels - 1) / channels));
    this.length = rows * channels;
    this.total = positions * channels;
    this.folded = new float[rows / 2 * channels];
  }

  /** What is done with one piece. */
  @FunctionalInterface
  public interface Body {

    /**
     * Works on one piece.
     *
     * @param offset where it starts, in floats
     * @param length how long it is
     */
    void accept(int offset, int length);
  }

  /**
   * Goes through all pieces in order.
   *
   * @param body what to do
   */
  public void forEach(Body body) {
    for (int offset = 0; offset < total; offset += length) {
      body.accept(offset, Math.min(length, total - offset));
    }
  }

  /** {@return the number of elements in all, positions·C} */
  public int total() {
    return total;
  }

  /** {@return zeros, as many as a piece has} */
  public float[] array() {
    return new float[length];
  }

  /**
   * Repeats one value per channel to the length of a piece.
   *
   * @param perChannel at least C values
   * @param piece filled
   */
  public void repeat(float[] perChannel, float[] piece) {
    System.arraycopy(perChannel, 0, piece, 0, channels);
    for (int filled = channels; filled < length; filled *= 2) {
      System.arraycopy(piece, 0, piece, filled, Math.min(filled, length - filled));
    }
  }

  /**
   * Sums a piece over its positions, in pairs and pairs of these, so that errors of rounding stay
   * small.
   *
   * @param piece values, overwritten
   * @param perChannel overwritten with one sum per channel
   */
  public void sum(float[] piece, double[] perChannel) {
    int rows = length / channels;
    while (rows > 1) {
      int half = rows / 2;
      rows -= half;
      System.arraycopy(piece, rows * channels, folded, 0, half * channels);
      Loops.add(piece, folded, half * channels);
    }
    for (int c = 0; c < channels; c++) {
      perChannel[c] = piece[c];
    }
  }
}

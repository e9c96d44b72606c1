package org.ddpm4j.unet.layers;

import java.util.stream.LongStream;
import org.ddpm4j.kernels.random.Philox;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * {@link Philox} in stock SameDiff operations on numbers of 64 bits. Written from the paper's
 * definition, so that masks of dropout have a reference that shares nothing with the kernels.
 */
final class PhiloxGraph {

  private static final int ROUNDS = 10;

  private final SameDiff graph;

  /** {@code [N,9]}, whole numbers. */
  private final SDVariable keys;

  private final SDVariable low;
  private final SDVariable word;

  PhiloxGraph(SameDiff graph, SDVariable keys) {
    this.graph = graph;
    this.keys = keys.castTo(DataType.INT64);
    low = constant(0xFFFFFFFFL);
    word = constant(32);
  }

  /**
   * The words of images.
   *
   * @param layer which of the network's dropouts
   * @param count of the words of each image
   * @return {@code [N,count]}, 0 to 2³²-1
   */
  SDVariable words(int layer, int count) {
    int blocks = (count + Philox.WORDS - 1) / Philox.WORDS;
    INDArray places = Nd4j.createFromArray(LongStream.range(0, blocks).toArray());
    SDVariable zeros = graph.constant(Nd4j.zeros(DataType.INT64, 1, blocks));
    SDVariable purpose = piece(8).add(constant((long) layer << 16));
    SDVariable x0 = zeros(piece(8)).add(graph.constant(places.reshape(1, blocks)));
    SDVariable x1 = number(4).add(zeros);
    SDVariable x2 = number(6).add(zeros);
    SDVariable x3 = purpose.add(zeros);
    SDVariable k0 = number(0);
    SDVariable k1 = number(2);
    for (int round = 0; round < ROUNDS; round++) {
      SDVariable product0 = x0.mul(constant(0xD2511F53L));
      SDVariable product1 = x2.mul(constant(0xCD9E8D57L));
      x0 = xor(xor(high(product1), x1), k0);
      x1 = low(product1);
      x2 = xor(xor(high(product0), x3), k1);
      x3 = low(product0);
      k0 = low(k0.add(constant(0x9E3779B9L)));
      k1 = low(k1.add(constant(0xBB67AE85L)));
    }
    SDVariable words = graph.stack(2, x0, x1, x2, x3).reshape(-1, (long) Philox.WORDS * blocks);
    return Philox.WORDS * blocks == count
        ? words
        : words.get(SDIndex.all(), SDIndex.interval(0, count));
  }

  private SDVariable zeros(SDVariable like) {
    return like.mul(constant(0));
  }

  /** A word of each image from its two pieces of 16 bits, {@code [N,1]}. */
  private SDVariable number(int firstPiece) {
    return piece(firstPiece).add(piece(firstPiece + 1).mul(constant(1 << 16)));
  }

  private SDVariable piece(int index) {
    return keys.get(SDIndex.all(), SDIndex.interval(index, index + 1));
  }

  /** The upper word. Products of 64 bits may be negative, of which the shift copies the sign. */
  private SDVariable high(SDVariable product) {
    return low(graph.bitwise().bitShiftRight(product, word));
  }

  private SDVariable low(SDVariable number) {
    return graph.bitwise().and(number, low);
  }

  private SDVariable xor(SDVariable a, SDVariable b) {
    return graph.bitwise().xor(a, b);
  }

  private SDVariable constant(long value) {
    return graph.constant(Nd4j.scalar(value));
  }
}

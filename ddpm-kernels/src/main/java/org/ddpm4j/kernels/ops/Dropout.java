package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.kernels.random.Philox;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Dropout (Srivastava et al. 2014) with inverted scaling: each element is 0 with probability p, and
 * else divided by 1 - p. Inputs: x {@code [N,H,W,C]}, and the keys of the images, {@code [N,9]} as
 * {@link BatchKey#rows} has them, which have no gradient. Output: {@code [N,H,W,C]}.
 *
 * <p>Which elements are kept is a function of the image's key, the layer and the element's place in
 * {@code [H,W,C]} alone. Place i of layer l has word i mod 4 of {@link Philox}' block of the key
 * (seed) and the counter (i/4, image, step, purpose + l·2¹⁶); it is kept where the word without its
 * lowest bit, {@code word >>> 1}, is at least {@link #threshold}. The gradient goes through the
 * same mask, made again.
 */
public final class Dropout extends FusedOp {

  /** Layers of a network are below this. */
  public static final int MOST_LAYERS = 1 << 16;

  /** For SameDiff. */
  public Dropout() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param keys of the images, {@code [N,9]}
   * @param layer which of the network's dropouts this is, zero-based
   * @param probability of an element to be dropped, in [0,1)
   * @throws IllegalArgumentException if the layer or the probability is outside its range
   */
  public Dropout(SameDiff graph, SDVariable x, SDVariable keys, int layer, double probability) {
    super(1, graph, x, keys);
    if (layer < 0 || layer >= MOST_LAYERS || !(probability >= 0 && probability < 1)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Dropout of %s in layer %d; the probability must be in [0,1) and the layer from 0 to %d.",
              probability,
              layer,
              MOST_LAYERS - 1));
    }
    addIArgument(layer);
    addTArgument(probability);
  }

  /**
   * Which of the network's dropouts this is.
   *
   * @return zero-based
   */
  public int layer() {
    return setting(0);
  }

  /**
   * The last word of the counter.
   *
   * @param purpose of the key, 0..65535
   * @return the purpose, and in the upper half the layer
   */
  public int counter(int purpose) {
    return counter(purpose, layer());
  }

  /**
   * The last word of the counter.
   *
   * @param purpose of a key, 0..65535
   * @param layer zero-based
   * @return the purpose, and in the upper half the layer
   */
  public static int counter(int purpose, int layer) {
    return purpose | layer << 16;
  }

  /**
   * What a word, shifted right by one, has to reach for its element to be kept.
   *
   * @return the probability of being dropped times 2³¹, rounded
   */
  public int threshold() {
    return threshold(tArguments.get(0));
  }

  /**
   * What a word, shifted right by one, has to reach for its element to be kept.
   *
   * @param probability of being dropped, in [0,1)
   * @return the probability times 2³¹, rounded, at most 2³¹-1
   */
  public static int threshold(double probability) {
    return (int) Math.min(Math.round(probability * 0x1p31), Integer.MAX_VALUE);
  }

  /**
   * What kept elements are multiplied with.
   *
   * @return 1/(1-p)
   */
  public double scale() {
    return 1 / (1 - tArguments.get(0));
  }

  @Override
  public String opName() {
    return "ddpm_dropout";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new Dropout(sameDiff, gradients.get(0), arg(1), setting(0), tArguments.get(0))
            .outputVariable(),
        new Affine(sameDiff, arg(1), 0, 0).outputVariable());
  }
}

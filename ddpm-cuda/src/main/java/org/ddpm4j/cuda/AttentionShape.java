package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * What is attended to: images of P positions, whose queries, keys and values each have a few heads
 * side by side.
 *
 * @param images N
 * @param positions P
 * @param heads number of heads
 * @param width features of a head
 */
record AttentionShape(int images, int positions, int heads, int width) {

  private static final int NARROWEST_TILE = 32;

  AttentionShape {
    if (heads < 1 || width < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Attention needs a feature for each head at least, but there are %d heads of %d features.",
              heads,
              width));
    }
  }

  /** Queries, keys and values side by side. */
  static AttentionShape ofPacked(Tensor qkv, int heads) {
    return of(qkv, heads, qkv.size(3) / 3);
  }

  /** Queries, keys and values in a map each, of which this is one. */
  static AttentionShape ofPart(Tensor part, int heads) {
    return of(part, heads, part.size(3));
  }

  private static AttentionShape of(Tensor map, int heads, int features) {
    return new AttentionShape(
        map.size(0), map.size(1) * map.size(2), heads, features / Math.max(1, heads));
  }

  /** The features of all heads. */
  int features() {
    return heads * width;
  }

  /** Heads of all images. */
  int headsOfImages() {
    return Math.multiplyExact(images, heads);
  }

  float scale() {
    return (float) (1 / Math.sqrt(width));
  }

  /**
   * The least of 32, 64, ... that is not below the width of a head.
   *
   * @param context whose elements 16 bytes must begin each head
   * @param widest the widest tile that there are kernels for
   * @return 0 if only plain loops can do it
   */
  int tileWidth(CudaContext context, int widest) {
    if (width > widest || width * context.elementBytes() % 16 != 0) {
      return 0;
    }
    return Math.max(NARROWEST_TILE, Integer.highestOneBit(2 * width - 1));
  }

  /**
   * A kernel.
   *
   * @param context whose kernel it is
   * @param file where it is
   * @param kernel its name; that of plain loops ends in {@code _of_any}
   * @param tileWidth the width of its tiles, or 0 for plain loops
   * @param launch how many threads
   * @param arguments what both take
   * @param others what only this one takes, after them
   */
  static Kernel launch(
      CudaContext context,
      String file,
      String kernel,
      int tileWidth,
      Launch launch,
      List<Object> arguments,
      Object... others) {
    List<Object> all = new ArrayList<>(arguments);
    all.addAll(List.of(others));
    List<String> defines = new ArrayList<>(context.defines());
    if (tileWidth > 0) {
      defines.add("WIDTH=" + tileWidth);
    }
    CudaDriver driver = context.driver();
    CudaFunction function =
        driver.function(file, tileWidth > 0 ? kernel : kernel + "_of_any", defines);
    CudaArguments bound = new CudaArguments(all.toArray());
    return () -> driver.launch(function, launch, bound);
  }
}

package org.ddpm4j.data;

import java.io.IOException;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;

/**
 * The pixels of many images of one shape, as unsigned bytes {@code [N,C,H,W]} in several arrays,
 * because one array ends at 2 GB. An image lies in one array.
 */
final class PixelStore implements PixelSource {

  private static final int CHUNK_BYTES = 1 << 28;

  private final int volume;
  private final int imagesPerChunk;
  private final byte[][] chunks;

  /** Room for images, all black. */
  PixelStore(ImageShape shape, int images) {
    this(shape.volume(), Math.max(1, CHUNK_BYTES / shape.volume()), images);
  }

  /** As above, with chunks so small that a test has several. */
  PixelStore(int volume, int imagesPerChunk, int images) {
    this.volume = volume;
    this.imagesPerChunk = imagesPerChunk;
    chunks = new byte[(int) ((images + imagesPerChunk - 1L) / imagesPerChunk)][];
    for (int i = 0; i < chunks.length; i++) {
      int first = i * imagesPerChunk;
      chunks[i] = new byte[Math.multiplyExact(Math.min(imagesPerChunk, images - first), volume)];
    }
  }

  /**
   * Refuses what Java may not use the memory for, before it is asked for.
   *
   * @throws IOException if the images need more than three quarters of the heap's greatest size
   */
  static void requireMemory(ImageShape shape, long images, String source) throws IOException {
    long needed = images * shape.volume();
    long most = Runtime.getRuntime().maxMemory() / 4 * 3;
    if (needed > most) {
      throw new IOException(
          Text.format(
              "%s: %,d image(s) of %s need %,d MB of memory, but Java may use %,d MB for them; choose"
                  + " a smaller image size or fewer images, or give Java more memory.",
              source, images, shape, needed >> 20, most >> 20));
    }
  }

  @Override
  public byte[] chunk(int image) {
    return chunks[image / imagesPerChunk];
  }

  @Override
  public int offset(int image) {
    return image % imagesPerChunk * volume;
  }

  /** Copies an image in. */
  void put(int image, byte[] pixels, int from) {
    System.arraycopy(pixels, from, chunk(image), offset(image), volume);
  }
}

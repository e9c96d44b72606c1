package org.ddpm4j.spark.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ddpm4j.data.PixelSource;

/**
 * The pixels of packed images. A file of them is read as a whole when the first of its images is
 * needed, and kept, as long as all files together are less than half of the heap; otherwise each
 * image is read by itself. Thread-safe.
 */
final class PackedPixels implements PixelSource {

  private final FileSystem files;
  private final Path folder;
  private final int volume;

  /** The number of the first image of each file, and that of all images. */
  private final int[] firsts;

  private final boolean kept;
  private final byte[][] whole;

  PackedPixels(Path folder, Configuration configuration, int volume, int[] counts)
      throws IOException {
    this.files = folder.getFileSystem(configuration);
    this.folder = folder;
    this.volume = volume;
    this.firsts = new int[counts.length + 1];
    for (int i = 0; i < counts.length; i++) {
      firsts[i + 1] = Math.addExact(firsts[i], counts[i]);
    }
    this.kept = (long) firsts[counts.length] * volume < Runtime.getRuntime().maxMemory() / 2;
    this.whole = new byte[counts.length][];
  }

  private int part(int image) {
    int found = Arrays.binarySearch(firsts, image);
    if (found < 0) {
      return -found - 2;
    }
    // Of files without images the last, which has this one.
    while (firsts[found + 1] == image) {
      found++;
    }
    return found;
  }

  @Override
  public byte[] chunk(int image) {
    int part = part(image);
    try {
      if (kept) {
        return whole(part);
      }
      byte[] one = new byte[volume];
      read(part, (long) (image - firsts[part]) * volume, one);
      return one;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int offset(int image) {
    return kept ? (image - firsts[part(image)]) * volume : 0;
  }

  private byte[] whole(int part) throws IOException {
    synchronized (whole) {
      if (whole[part] == null) {
        byte[] bytes = new byte[Math.multiplyExact(firsts[part + 1] - firsts[part], volume)];
        read(part, 0, bytes);
        whole[part] = bytes;
      }
      return whole[part];
    }
  }

  private void read(int part, long from, byte[] target) throws IOException {
    try (FSDataInputStream in = files.open(new Path(folder, PackedImages.pixelFile(part)))) {
      in.readFully(from, target);
    }
  }
}

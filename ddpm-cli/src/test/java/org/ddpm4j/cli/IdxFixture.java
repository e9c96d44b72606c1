package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder of four IDX files with little images. */
public final class IdxFixture {

  static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
  static final String TRAIN_LABELS = "train-labels-idx1-ubyte";

  private static final int UNSIGNED_BYTES = 0x0800;

  private IdxFixture() {}

  /** Writes images of a side, in shades of grey that depend on the salt. */
  public static Path write(Path folder, int count, int side, int salt) throws IOException {
    Files.createDirectories(folder);
    writeImages(folder.resolve(TRAIN_IMAGES), count, side, salt);
    writeLabels(folder.resolve(TRAIN_LABELS), count);
    writeImages(folder.resolve("t10k-images-idx3-ubyte"), count, side, salt + 1);
    writeLabels(folder.resolve("t10k-labels-idx1-ubyte"), count);
    return folder;
  }

  private static void writeImages(Path file, int count, int side, int salt) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(16 + count * side * side);
    bytes.putInt(UNSIGNED_BYTES + 3).putInt(count).putInt(side).putInt(side);
    for (int i = 0; i < count * side * side; i++) {
      bytes.put((byte) (i * 37 + i / side * salt));
    }
    Files.write(file, bytes.array());
  }

  static void writeLabels(Path file, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8 + count);
    bytes.putInt(UNSIGNED_BYTES + 1).putInt(count);
    for (int i = 0; i < count; i++) {
      bytes.put((byte) (i % 10));
    }
    Files.write(file, bytes.array());
  }
}

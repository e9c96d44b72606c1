package org.ddpm4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What readers of tensors share: the arrays that they read into. */
public final class TensorMemory {

  /** The most bytes of one tensor: what a Java buffer can address. */
  public static final long MAX_BYTES = Integer.MAX_VALUE;

  /** The most dimensions of one tensor: ND4J's limit. */
  public static final int MAX_RANK = 32;

  private TensorMemory() {}

  /**
   * An array to read a tensor into.
   *
   * @param file the tensor's file, for the sentence
   * @param name the tensor's name, for the sentence
   * @param dataType of the tensor
   * @param shape of the tensor
   * @return an array in 'c' order, outside of any workspace, with any content
   * @throws IOException if there is no memory for it
   */
  public static INDArray allocate(Path file, String name, DataType dataType, long... shape)
      throws IOException {
    try {
      return Nd4j.createUninitializedDetached(dataType, 'c', shape);
    } catch (RuntimeException | OutOfMemoryError e) {
      // ND4J throws the one, JavaCPP the other when memory is short.
      long bytes = dataType.width();
      for (long dimension : shape) {
        bytes *= dimension;
      }
      throw new IOException(
          Text.format(
              "The file %s holds the tensor %s, for whose %d bytes there is no memory; give the program more.",
              file, ForeignText.quoted(name), bytes),
          e);
    }
  }

  /**
   * Looks for what is no BOOL: ND4J's native code assumes 0 or 1.
   *
   * @param bytes of a tensor of BOOL; consumed
   * @return the first byte that is neither 0 nor 1, from 2 to 255, if there is one
   */
  public static OptionalInt notBoolean(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      int value = Byte.toUnsignedInt(bytes.get());
      if (value > 1) {
        return OptionalInt.of(value);
      }
    }
    return OptionalInt.empty();
  }
}

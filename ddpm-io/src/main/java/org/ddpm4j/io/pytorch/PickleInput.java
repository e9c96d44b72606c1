package org.ddpm4j.io.pytorch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.ddpm4j.io.FileFailure;

/** The bytes of pickles, of which no more are taken than there are. */
final class PickleInput {

  /** The longest name of a module or a class. */
  private static final int MAX_LINE = 1024;

  private final PyTorchFailure failure;
  private final InputStream in;
  private final long limit;
  private long position;

  /**
   * Reads from a stream.
   *
   * @param failure for sentences
   * @param in buffered
   * @param limit the bytes that it has, or that its pickles may have
   */
  PickleInput(PyTorchFailure failure, InputStream in, long limit) {
    this.failure = failure;
    this.in = in;
    this.limit = limit;
  }

  /** The number of bytes that have been read. */
  long position() {
    return position;
  }

  int unsignedByte() throws IOException {
    requireBytes(1);
    int value;
    try {
      value = in.read();
    } catch (EOFException e) {
      throw cutOff();
    } catch (IOException e) {
      throw FileFailure.unreadable(failure.file(), e);
    }
    if (value < 0) {
      throw cutOff();
    }
    position++;
    return value;
  }

  byte[] bytes(long count) throws IOException {
    requireBytes(count);
    byte[] bytes;
    try {
      bytes = in.readNBytes((int) count);
    } catch (EOFException e) {
      throw cutOff();
    } catch (IOException e) {
      throw FileFailure.unreadable(failure.file(), e);
    }
    if (bytes.length < count) {
      throw cutOff();
    }
    position += count;
    return bytes;
  }

  /** An unsigned little-endian number of 1 to 8 bytes; one of 8 bytes has at most 63 bits. */
  long unsigned(int width) throws IOException {
    byte[] bytes = bytes(width);
    long value = 0;
    for (int i = width - 1; i >= 0; i--) {
      value = value << Byte.SIZE | Byte.toUnsignedLong(bytes[i]);
    }
    if (value < 0) {
      throw failure.malformed("its pickle has a length of more than 63 bits");
    }
    return value;
  }

  double bigEndianDouble() throws IOException {
    return ByteBuffer.wrap(bytes(Double.BYTES)).getDouble();
  }

  String text(long bytes) throws IOException {
    return decode(bytes(bytes));
  }

  /** A text up to the end of a line. */
  String line() throws IOException {
    var line = new byte[MAX_LINE];
    for (int length = 0; length < MAX_LINE; length++) {
      int next = unsignedByte();
      if (next == '\n') {
        return decode(Arrays.copyOf(line, length));
      }
      line[length] = (byte) next;
    }
    throw failure.malformed("its pickle has a name of more than %d bytes", MAX_LINE);
  }

  private String decode(byte[] utf8) throws IOException {
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8));
      return text.toString();
    } catch (CharacterCodingException e) {
      throw failure.malformed("its pickle has a string that is not in UTF-8");
    }
  }

  private void requireBytes(long count) throws IOException {
    if (count > limit - position) {
      throw cutOff();
    }
  }

  private IOException cutOff() {
    return failure.malformed(
        "its pickle asks for more than the %d bytes that it may have, so it is cut off or damaged",
        limit);
  }
}

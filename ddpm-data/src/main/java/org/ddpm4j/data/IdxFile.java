package org.ddpm4j.data;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.Text;

/**
 * A file in IDX, the format of MNIST: unsigned bytes in an array of any number of axes.
 *
 * <p>The format (LeCun, Cortes and Burges, "The MNIST database of handwritten digits"): two zero
 * bytes, the type of the values (08 for unsigned bytes), the number of axes, the size of each axis
 * as a big-endian 32-bit integer, then the values, the last axis varying fastest. Images are {@code
 * [N,H,W]}, labels {@code [N]}.
 *
 * <p>Plain or gzip is told by the content, not by the name. Reading is strict: a file must hold
 * exactly as many values as its header says, and no memory is taken on the header's word alone.
 */
public final class IdxFile {

  private static final int UNSIGNED_BYTES = 0x08;
  private static final int FIXED_HEADER = 4;
  private static final int GZIP_TRAILER = 8;
  private static final int GZIP_SMALLEST = 18;

  /** So many bytes of a file that is no IDX file are looked at, to say what it is. */
  private static final int RECOGNISED = 512;

  private final String name;
  private final int[] sizes;
  private final byte[] header;
  private final byte[] values;

  private IdxFile(String name, int[] sizes, byte[] header, byte[] values) {
    this.name = name;
    this.sizes = sizes;
    this.header = header;
    this.values = values;
  }

  /**
   * Reads a file, plain or gzip.
   *
   * @param file the file
   * @return its content
   * @throws IOException if the file is missing, cannot be read, or is not a whole and correct IDX
   *     file of unsigned bytes; the message names the file and says what is wrong
   */
  public static IdxFile read(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    if (Files.isDirectory(file)) {
      throw new IOException(
          file + " is a folder, expected an IDX file; put the file in its place.");
    }
    if (!Files.exists(file)) {
      throw new IOException(
          "There is no file " + file + ", expected an IDX file; get it, or name another.");
    }
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is a device or a pipe, expected an IDX file; name a file.");
    }
    long limit = memoryLimit();
    byte[] bytes;
    try {
      long length = Files.size(file);
      if (length > limit) {
        throw tooLarge(file.toString(), length, limit);
      }
      bytes = Files.readAllBytes(file);
    } catch (AccessDeniedException e) {
      throw new IOException(file + " may not be read by this user; change its permissions.", e);
    }
    return parse(bytes, file.toString(), limit);
  }

  /**
   * Reads a stream to its end, plain or gzip; leaves it open.
   *
   * @param stream the content
   * @param name what messages call it
   * @return its content
   * @throws IOException if the stream fails, or is not a whole and correct IDX file of unsigned
   *     bytes; the message contains the name and says what is wrong
   */
  public static IdxFile read(InputStream stream, String name) throws IOException {
    Objects.requireNonNull(stream, "stream");
    long limit = memoryLimit();
    byte[] bytes = stream.readNBytes((int) limit);
    if (bytes.length == limit && stream.read() >= 0) {
      throw tooLarge(name, limit + 1, limit);
    }
    return parse(bytes, name, limit);
  }

  /** Parses a whole file whose values may take up to {@code limit} bytes. */
  static IdxFile parse(byte[] bytes, String name, long limit) throws IOException {
    if (bytes.length == 0) {
      throw new IOException(name + " is empty, expected an IDX file; get the file again.");
    }
    boolean gzip = bytes.length > 1 && bytes[0] == (byte) 0x1f && bytes[1] == (byte) 0x8b;
    if (!gzip) {
      return parse(new ByteArrayInputStream(bytes), name, limit);
    }
    try (Gzip stream = new Gzip(bytes)) {
      IdxFile file = parse(stream, name, limit);
      int trailing = stream.trailingBytes();
      if (trailing > 0) {
        throw new IOException(
            Text.format(
                "%s has %d byte(s) after the end of its gzip data, expected none; get the file again.",
                name, trailing));
      }
      return file;
    } catch (EOFException e) {
      throw new IOException(
          name + " is cut off in the middle of its gzip data; get the file again.", e);
    } catch (ZipException e) {
      throw new IOException(
          name + " is not a sound gzip file (" + e.getMessage() + "); get the file again.", e);
    }
  }

  private static IdxFile parse(InputStream in, String name, long limit) throws IOException {
    byte[] header = readHeader(in, name);
    long[] promised = promisedSizes(header);
    String written =
        Arrays.stream(promised).mapToObj(Long::toString).collect(Collectors.joining("x"));
    int count = promisedValues(promised, written, name, limit);
    byte[] values = in.readNBytes(count);
    if (values.length < count) {
      throw new IOException(
          Text.format(
              "%s is cut off: its header promises %s = %,d value(s), but only %,d follow; get the file again.",
              name, written, count, values.length));
    }
    if (in.read() >= 0) {
      throw new IOException(
          Text.format(
              "%s is longer than its header says: after %s = %,d value(s) there are more bytes; get the file again.",
              name, written, count));
    }
    int[] sizes = Arrays.stream(promised).mapToInt(Math::toIntExact).toArray();
    return new IdxFile(name, sizes, header, values);
  }

  /** All that comes before the values: what is in the file, and the size of each axis. */
  private static byte[] readHeader(InputStream in, String name) throws IOException {
    byte[] fixed = in.readNBytes(FIXED_HEADER);
    boolean right =
        fixed.length == FIXED_HEADER
            && fixed[0] == 0
            && fixed[1] == 0
            && fixed[2] == UNSIGNED_BYTES
            && fixed[3] != 0;
    if (!right) {
      throw foreign(fixed, in.readNBytes(RECOGNISED - fixed.length), name);
    }
    int rank = Byte.toUnsignedInt(fixed[3]);
    byte[] header = Arrays.copyOf(fixed, FIXED_HEADER + rank * Integer.BYTES);
    if (in.readNBytes(header, FIXED_HEADER, rank * Integer.BYTES) < rank * Integer.BYTES) {
      throw new IOException(
          Text.format(
              "%s is cut off in its header of %s; get the file again.",
              name, Text.count(rank, "axis", "axes")));
    }
    return header;
  }

  /** The sizes of the axes, each below 2³². */
  private static long[] promisedSizes(byte[] header) {
    ByteBuffer numbers = ByteBuffer.wrap(header);
    numbers.position(FIXED_HEADER);
    long[] sizes = new long[numbers.remaining() / Integer.BYTES];
    for (int axis = 0; axis < sizes.length; axis++) {
      sizes[axis] = Integer.toUnsignedLong(numbers.getInt());
    }
    return sizes;
  }

  /** How many values there should be, at least one; refuses more than there is room for. */
  private static int promisedValues(long[] sizes, String written, String name, long limit)
      throws IOException {
    long count = 1;
    for (long size : sizes) {
      // No factor exceeds 2^32 and no earlier product the limit of 2^31, so this cannot overflow.
      count *= size;
      if (count > limit) {
        throw new IOException(
            Text.format(
                "%s promises %s values in its header, more than the %,d bytes that fit into this Java heap; if the file is sound, raise -Xmx.",
                name, written, limit));
      }
    }
    if (count == 0) {
      throw new IOException(
          Text.format(
              "%s holds nothing: its header says %s values; get the file again.", name, written));
    }
    return (int) count;
  }

  /** Says what a file is that is no IDX file. */
  private static IOException foreign(byte[] begin, byte[] more, String name) {
    byte[] start = Arrays.copyOf(begin, begin.length + more.length);
    System.arraycopy(more, 0, start, begin.length, more.length);
    String remedy =
        ForeignFormat.of(start)
            .map(format -> "; it is " + format.noun() + ": " + format.remedy())
            .orElse("; get the file again");
    return new IOException(
        Text.format(
            "%s is not an IDX file of unsigned bytes: it begins with %s, expected 00 00 08 and the"
                + " number of axes%s.",
            name, HexFormat.ofDelimiter(" ").withUpperCase().formatHex(begin), remedy));
  }

  /** What may be held: the file's bytes, its values, and a data set made of them, side by side. */
  private static long memoryLimit() {
    return Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / 4);
  }

  private static IOException tooLarge(String name, long length, long limit) {
    return new IOException(
        Text.format(
            "%s has %,d bytes or more, but this Java heap has room for %,d; if the file is sound,"
                + " raise -Xmx.",
            name, length, limit));
  }

  /**
   * What messages call this file.
   *
   * @return its path, or the name given to {@link #read(InputStream, String)}
   */
  public String name() {
    return name;
  }

  /**
   * The number of axes.
   *
   * @return 1 for labels, 3 for images
   */
  public int rank() {
    return sizes.length;
  }

  /**
   * The size of an axis.
   *
   * @param axis from 0; axis 0 counts images or labels
   * @return its size, at least 1
   * @throws IndexOutOfBoundsException if there is no such axis
   */
  public int size(int axis) {
    return sizes[axis];
  }

  /**
   * The values, each an unsigned byte, the last axis varying fastest.
   *
   * @return a read-only buffer of all values
   */
  public ByteBuffer values() {
    return ByteBuffer.wrap(values).asReadOnlyBuffer();
  }

  /**
   * The same file with values that count from another number.
   *
   * @throws IOException if a value is smaller than that number
   */
  IdxFile minus(int first) throws IOException {
    if (first == 0) {
      return this;
    }
    byte[] shifted = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      int value = Byte.toUnsignedInt(values[i]);
      if (value < first) {
        throw new IOException(
            Text.format(
                "%s has the label %d at position %d, expected %d or more; get the file again.",
                name, value, i, first));
      }
      shifted[i] = (byte) (value - first);
    }
    return new IdxFile(name, sizes, header, shifted);
  }

  /**
   * The SHA-256 of the plain file, header included, however it was compressed.
   *
   * @return 64 hexadecimal digits in lower case
   */
  public String sha256() {
    MessageDigest digest = Sha256.digest();
    digest.update(header);
    return HexFormat.of().formatHex(digest.digest(values));
  }

  /**
   * A gzip stream that knows what lies behind its end, where GZIPInputStream silently drops bytes
   * that are not another gzip member. Its buffer takes the whole file, so that the inflater's
   * unread rest is the file's rest.
   */
  private static final class Gzip extends GZIPInputStream {

    Gzip(byte[] file) throws IOException {
      super(new ByteArrayInputStream(file), Math.max(file.length, GZIP_SMALLEST));
    }

    /** The bytes after the last member; only once the stream has been read to its end. */
    int trailingBytes() {
      return inf.getRemaining() - GZIP_TRAILER;
    }
  }
}

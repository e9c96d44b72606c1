package org.ddpm4j.io;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes safetensors files, whole or not at all ({@link AtomicFile}).
 *
 * <p>The header lists the tensors in the order of the map. In the data section the widest data
 * types come first, and tensors of one width in the order of the map, so that every tensor begins
 * at a multiple of its element's size; other readers map files into memory and rely on it.
 *
 * <p>Arrays may be views and of either order: they are written row-major. While a tensor is being
 * written, a second copy of that one tensor exists.
 */
public final class SafetensorsWriter {

  /**
   * The key in the metadata under which {@link #writeWithChecksum} puts the CRC-32C of the data
   * section, as 8 lower-case hexadecimal digits.
   */
  public static final String CRC32C_KEY = "crc32c";

  private static final int BLOCK_BYTES = 1 << 16;

  private SafetensorsWriter() {}

  /**
   * Writes tensors without a checksum.
   *
   * @param file the file to create or replace
   * @param tensors the tensors by name, in the order for the header; of any data type that has a
   *     dtype (see {@link org.ddpm4j.io the package}) and of any shape, scalars and shapes with a 0
   *     included
   * @param metadata what else the file says, {@code "format": "pt"} for diffusers; in the order for
   *     the header, may be empty
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException if a name is {@code __metadata__} or not valid Unicode, an
   *     array has a data type without a dtype, no shape, more than 2<sup>31</sup>-1 bytes or 32
   *     dimensions, the header would exceed 16 MiB, or the metadata have the key {@link
   *     #CRC32C_KEY}, whose value would be that of other data
   */
  public static void write(Path file, Map<String, INDArray> tensors, Map<String, String> metadata)
      throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(tensors, "tensors");
    Objects.requireNonNull(metadata, "metadata");
    if (metadata.containsKey(CRC32C_KEY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The metadata key '%s' is reserved for the checksum of the data; leave it out or call writeWithChecksum.",
              CRC32C_KEY));
    }
    writeFile(file, layout(tensors), tensors, metadata);
  }

  /**
   * Writes tensors, and the CRC-32C of their bytes among the metadata, for {@link
   * SafetensorsReader#verifyChecksum}. The arrays must not change meanwhile: they are read twice.
   *
   * @param file the file to create or replace
   * @param tensors as for {@link #write}
   * @param metadata as for {@link #write}; a value under {@link #CRC32C_KEY} is replaced
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException as {@link #write} does
   */
  public static void writeWithChecksum(
      Path file, Map<String, INDArray> tensors, Map<String, String> metadata) throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(tensors, "tensors");
    Objects.requireNonNull(metadata, "metadata");
    Map<String, TensorEntry> entries = layout(tensors);
    var crc = new CRC32C();
    for (String name : inDataOrder(entries)) {
      withRowMajorBytes(tensors.get(name), crc::update);
    }
    var checked = new LinkedHashMap<>(metadata);
    checked.put(CRC32C_KEY, hex(crc.getValue()));
    writeFile(file, entries, tensors, checked);
  }

  /** Makes the parts of a tensor, one after the other along its first axis. */
  @FunctionalInterface
  public interface Parts {

    /**
     * Hands over all parts.
     *
     * @param next takes each, in order: an array of the tensor's type, and of its shape but for the
     *     first axis
     * @throws IOException if a part cannot be made, or {@code next} throws it
     */
    void writeTo(IoConsumer<INDArray> next) throws IOException;
  }

  /**
   * Writes one tensor that is never in memory as a whole.
   *
   * @param file the file to create or replace; it appears when the last part has been written
   * @param name of the tensor
   * @param dataType of the tensor
   * @param shape of the tensor, of at least one axis
   * @param parts makes its parts, whose first axes add up to that of the shape
   * @throws IOException if the file cannot be written, or a part cannot be made
   * @throws IllegalArgumentException as {@link #write} does, or if a part is of another type or
   *     shape, or there are too many or too few
   */
  public static void writeInParts(
      Path file, String name, DataType dataType, long[] shape, Parts parts) throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dataType, "dataType");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(parts, "parts");
    TensorEntry entry = unplacedEntry(name, dataType, shape);
    byte[] header = header(file, Map.of(name, entry), Map.of());
    AtomicFile.write(
        file,
        out -> {
          writeHeader(header, out);
          long[] rows = {0};
          parts.writeTo(
              part -> {
                requirePart(name, dataType, shape, rows[0], part);
                withRowMajorBytes(part, bytes -> copy(bytes, out));
                rows[0] += part.size(0);
              });
          if (rows[0] != shape[0]) {
            throw new IllegalArgumentException(
                Text.format(
                    "The tensor %s was given %d of %d row(s); hand over all of its parts.",
                    ForeignText.quoted(name), rows[0], shape[0]));
          }
        });
  }

  private static void requirePart(
      String name, DataType dataType, long[] shape, long before, INDArray part) {
    long[] expected = shape.clone();
    expected[0] = part.rank() == 0 ? -1 : part.size(0);
    if (part.dataType() != dataType
        || !Arrays.equals(part.shape(), expected)
        || before + expected[0] > shape[0]) {
      throw new IllegalArgumentException(
          Text.format(
              "A part %s%s after %d rows does not belong to the tensor %s %s%s.",
              part.dataType(),
              Arrays.toString(part.shape()),
              before,
              ForeignText.quoted(name),
              dataType,
              Arrays.toString(shape)));
    }
  }

  /** A CRC-32C as it stands in the metadata. */
  static String hex(long crc) {
    return HexFormat.of().toHexDigits(crc, 8);
  }

  private static void writeFile(
      Path file,
      Map<String, TensorEntry> entries,
      Map<String, INDArray> tensors,
      Map<String, String> metadata)
      throws IOException {
    metadata.forEach(
        (key, value) -> {
          checkUnicode(key);
          checkUnicode(value);
        });
    byte[] header = header(file, entries, metadata);
    AtomicFile.write(
        file,
        out -> {
          writeHeader(header, out);
          for (String name : inDataOrder(entries)) {
            withRowMajorBytes(tensors.get(name), bytes -> copy(bytes, out));
          }
        });
  }

  private static byte[] header(
      Path file, Map<String, TensorEntry> entries, Map<String, String> metadata)
      throws IOException {
    byte[] header = new SafetensorsHeader(metadata, entries).toBytes();
    if (header.length > SafetensorsHeader.MAX_BYTES) {
      throw new IllegalArgumentException(
          Text.format(
              "The header of %s would have %d bytes, more than the %d possible; use shorter names or metadata.",
              file, header.length, SafetensorsHeader.MAX_BYTES));
    }
    return header;
  }

  private static void writeHeader(byte[] header, OutputStream out) throws IOException {
    out.write(
        ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length)
            .array());
    out.write(header);
  }

  /** The entries in the order of the map, with offsets in the order of the data section. */
  private static Map<String, TensorEntry> layout(Map<String, INDArray> tensors) {
    var entries = new LinkedHashMap<String, TensorEntry>();
    tensors.forEach((name, array) -> entries.put(name, unplacedEntry(name, array)));
    long begin = 0;
    for (String name : inDataOrder(entries)) {
      TensorEntry entry = entries.get(name);
      long end = begin + entry.length();
      entries.put(name, new TensorEntry(entry.dtype(), entry.shape(), begin, end));
      begin = end;
    }
    return entries;
  }

  /** The widest elements first; the sort is stable. */
  private static List<String> inDataOrder(Map<String, TensorEntry> entries) {
    return entries.entrySet().stream()
        .sorted(
            Map.Entry.comparingByValue(
                Comparator.comparingInt((TensorEntry entry) -> entry.dtype().width()).reversed()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static TensorEntry unplacedEntry(String name, INDArray array) {
    TensorEntry entry = unplacedEntry(name, array.dataType(), array.shape());
    if (entry.length() != array.length() * entry.dtype().width()) {
      throw new IllegalArgumentException(
          Text.format(
              "The tensor %s is ND4J's empty array without a shape; give it a shape such as [0].",
              ForeignText.quoted(name)));
    }
    return entry;
  }

  private static TensorEntry unplacedEntry(String name, DataType dataType, long[] dimensions) {
    checkUnicode(name);
    if (name.equals(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException(
          Text.format(
              "A tensor cannot be named %s, which safetensors files use for their metadata; choose another name.",
              name));
    }
    String tensor = "The tensor " + ForeignText.quoted(name);
    SafetensorsDtype dtype =
        SafetensorsDtype.of(dataType)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        Text.format(
                            "%s has the data type %s, which safetensors files cannot hold; cast it to one they can.",
                            tensor, dataType)));
    List<Long> shape = Arrays.stream(dimensions).boxed().toList();
    long bytes = TensorEntry.bytes(dtype, shape);
    if (bytes < 0 || shape.size() > TensorMemory.MAX_RANK) {
      throw new IllegalArgumentException(
          Text.format(
              "%s of shape %s has more than the %d bytes or %d dimensions possible; split it or reshape it.",
              tensor, shape, TensorMemory.MAX_BYTES, TensorMemory.MAX_RANK));
    }
    return new TensorEntry(dtype, shape, 0, bytes);
  }

  private static void checkUnicode(String text) {
    if (!SafetensorsHeader.isUnicode(text)) {
      throw new IllegalArgumentException(
          Text.format(
              "The string %s has half of a surrogate pair and cannot be written in UTF-8; correct it.",
              ForeignText.quoted(text)));
    }
  }

  private static void withRowMajorBytes(INDArray array, IoConsumer<ByteBuffer> action)
      throws IOException {
    if (array.isEmpty()) {
      return;
    }
    // A copy even where the array is row-major already: a view's buffer is the whole parent's.
    INDArray rowMajor = array.dup('c');
    try {
      int length = (int) (rowMajor.length() * rowMajor.dataType().width());
      action.accept(rowMajor.data().asNio().limit(length));
    } finally {
      // The buffer does not keep the memory alive, only the array does.
      Reference.reachabilityFence(rowMajor);
      if (rowMajor.closeable()) {
        rowMajor.close();
      }
    }
  }

  /** Not by a channel: an interrupted thread cannot write to one. */
  private static void copy(ByteBuffer bytes, OutputStream out) throws IOException {
    var block = new byte[Math.min(BLOCK_BYTES, bytes.remaining())];
    while (bytes.hasRemaining()) {
      int count = Math.min(block.length, bytes.remaining());
      bytes.get(block, 0, count);
      out.write(block, 0, count);
    }
  }
}

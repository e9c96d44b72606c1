package org.ddpm4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An open safetensors file, or one in memory.
 *
 * <p>{@link #open} reads and checks the whole header: lengths, JSON, dtypes, shapes, and that the
 * tensors fill the data section without gap or overlap. Numbers are read from the disk when {@link
 * #tensor} asks for them, one tensor at a time, so that a model needs no second copy in memory. A
 * file that is damaged or hostile is refused with an {@link IOException} whose message is one whole
 * sentence that names the file; memory is allocated only for what the file really holds.
 *
 * <p>Limits beyond the format's own: a header has at most 16 MiB (the format: 100 MB), a tensor at
 * most 2<sup>31</sup>-1 bytes and 32 dimensions.
 *
 * <p>Several threads may read from one reader. Interrupting a thread while it reads closes the file
 * for all of them, as {@link FileChannel} does.
 */
public final class SafetensorsReader implements TensorReader {

  private static final int BLOCK_BYTES = 1 << 20;

  private final Path file;
  private final Content content;
  private final SafetensorsHeader header;
  private final long dataStart;
  private final long dataLength;

  /** Where the bytes are. */
  private interface Content {

    long size() throws IOException;

    /** Fills what remains of a buffer; whether there were as many bytes. */
    boolean fill(ByteBuffer buffer, long position) throws IOException;

    void close() throws IOException;
  }

  private record OnDisk(Path file, FileChannel channel) implements Content {

    @Override
    public long size() throws IOException {
      try {
        return channel.size();
      } catch (IOException e) {
        throw FileFailure.unreadable(file, e);
      }
    }

    @Override
    public boolean fill(ByteBuffer buffer, long position) throws IOException {
      return FileBytes.fill(channel, file, buffer, position);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  private record InMemory(byte[] bytes) implements Content {

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public boolean fill(ByteBuffer buffer, long position) {
      int length = (int) Math.min(buffer.remaining(), Math.max(0, bytes.length - position));
      buffer.put(bytes, (int) position, length);
      return !buffer.hasRemaining();
    }

    @Override
    public void close() {}
  }

  private SafetensorsReader(Path file, Content content) throws IOException {
    this.file = file;
    this.content = content;
    long fileLength = content.size();
    long headerLength = headerLength(fileLength);
    this.dataStart = SafetensorsHeader.LENGTH_BYTES + headerLength;
    this.dataLength = fileLength - dataStart;
    var bytes = new byte[(int) headerLength];
    readFully(ByteBuffer.wrap(bytes), SafetensorsHeader.LENGTH_BYTES);
    this.header = SafetensorsHeader.parse(file, bytes, dataLength);
  }

  /**
   * Opens a file and checks its header.
   *
   * @param file a safetensors file
   * @return the reader, to be closed by the caller
   * @throws IOException if the file cannot be read or is not a valid safetensors file, or has a
   *     dtype that ND4J lacks
   */
  public static SafetensorsReader open(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      // Opening a pipe would wait for somebody to write to it.
      throw new IOException(
          Text.format(
              "The file %s could not be read because it is a folder or a device; choose a safetensors file.",
              file));
    }
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    try {
      return new SafetensorsReader(file, new OnDisk(file, channel));
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  /**
   * The content of a safetensors file that is in memory, as of a resource on the class path or a
   * database.
   *
   * @param bytes the whole file; read when tensors are, not copied
   * @param name of the file, for messages
   * @return the reader
   * @throws IOException as {@link #open}
   */
  public static SafetensorsReader of(byte[] bytes, Path name) throws IOException {
    Objects.requireNonNull(bytes, "bytes");
    Objects.requireNonNull(name, "name");
    return new SafetensorsReader(name, new InMemory(bytes));
  }

  /**
   * The file's own strings, diffusers' {@code "format": "pt"} for instance.
   *
   * @return the strings under {@code __metadata__} in the file's order, empty if there are none;
   *     unmodifiable
   */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  @Override
  public Set<String> names() {
    return header.entries().keySet();
  }

  @Override
  public DataType dataType(String name) throws IOException {
    return entry(name).dtype().dataType();
  }

  @Override
  public long[] shape(String name) throws IOException {
    return entry(name).dimensions();
  }

  @Override
  public INDArray tensor(String name) throws IOException {
    TensorEntry entry = entry(name);
    INDArray array =
        TensorMemory.allocate(file, name, entry.dtype().dataType(), entry.dimensions());
    if (entry.length() == 0) {
      return array;
    }
    // Byte order: every platform that ND4J has natives for is little-endian, as the format is.
    ByteBuffer bytes = array.data().asNio().limit(entry.length());
    readFully(bytes, dataStart + entry.begin());
    if (entry.dtype() == SafetensorsDtype.BOOL) {
      OptionalInt other = TensorMemory.notBoolean(bytes.flip());
      if (other.isPresent()) {
        throw malformed(
            Text.format(
                "the tensor %s of dtype BOOL has the byte %d, where only 0 and 1 are possible",
                ForeignText.quoted(name), other.getAsInt()));
      }
    }
    Nd4j.getAffinityManager().tagLocation(array, AffinityManager.Location.HOST);
    return array;
  }

  /**
   * The CRC-32C of the data section, which holds all tensors and nothing else.
   *
   * @return the checksum, 0 to 2<sup>32</sup>-1
   * @throws IOException if the file cannot be read
   */
  public long crc32c() throws IOException {
    var crc = new CRC32C();
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    for (long done = 0; done < dataLength; done += block.limit()) {
      block.clear().limit((int) Math.min(BLOCK_BYTES, dataLength - done));
      readFully(block, dataStart + done);
      crc.update(block.flip());
    }
    return crc.getValue();
  }

  /**
   * Compares the data section with the checksum that {@link SafetensorsWriter#writeWithChecksum}
   * put into the metadata. A file without one passes; whoever insists on it looks for {@link
   * SafetensorsWriter#CRC32C_KEY} in {@link #metadata()}.
   *
   * @throws IOException if the checksum is there and differs, or the file cannot be read
   */
  public void verifyChecksum() throws IOException {
    String expected = metadata().get(SafetensorsWriter.CRC32C_KEY);
    if (expected == null) {
      return;
    }
    String found = SafetensorsWriter.hex(crc32c());
    if (!found.equals(expected)) {
      throw new IOException(
          Text.format(
              "The file %s is damaged: its data have the CRC-32C %s, but its header says %s; use another copy of the file.",
              file, found, ForeignText.quoted(expected)));
    }
  }

  /** Closes the file; arrays that were read stay valid. */
  @Override
  public void close() throws IOException {
    content.close();
  }

  private long headerLength(long fileLength) throws IOException {
    if (fileLength < SafetensorsHeader.LENGTH_BYTES) {
      throw withoutHeader(
          Text.format("it has %d byte(s), fewer than the 8 of the header length", fileLength));
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(bytes, 0);
    long length = bytes.flip().getLong();
    if (length == 0) {
      throw withoutHeader("its header length is 0");
    }
    if (Long.compareUnsigned(length, SafetensorsHeader.MAX_BYTES) > 0) {
      // No safetensors file begins so: where it is known what does, the number tells nobody
      // anything.
      Optional<ForeignFormat> other = otherFormat();
      if (other.isPresent()) {
        throw new IOException(
            Text.format(
                "The file %s is not a valid safetensors file: it is %s; %s.",
                file, other.get().noun(), other.get().remedy()));
      }
      throw withoutHeader(
          Text.format(
              "its header length is %s, more than the %d bytes that a header may have here",
              Long.toUnsignedString(length), SafetensorsHeader.MAX_BYTES));
    }
    if (length > fileLength - SafetensorsHeader.LENGTH_BYTES) {
      throw withoutHeader(
          Text.format(
              "its header length is %d, but only %d bytes follow, so it is cut off or of another format",
              length, fileLength - SafetensorsHeader.LENGTH_BYTES));
    }
    return length;
  }

  private TensorEntry entry(String name) throws IOException {
    TensorEntry entry = header.entries().get(name);
    if (entry == null) {
      throw new IOException(
          Text.format(
              "The file %s has no tensor %s among its %d; check that it belongs to this model.",
              file, ForeignText.quoted(name), header.entries().size()));
    }
    return entry;
  }

  /** Fills the buffer from a place in the file. */
  private void readFully(ByteBuffer buffer, long position) throws IOException {
    if (!content.fill(buffer, position)) {
      throw malformed("it has become shorter since it was opened");
    }
  }

  /** Says what the file is instead, where that can be told. */
  private IOException withoutHeader(String why) {
    return malformed(
        otherFormat()
            .map(format -> Text.format("it is %s (%s); %s", format.noun(), format.remedy(), why))
            .orElse(why));
  }

  private Optional<ForeignFormat> otherFormat() {
    return content instanceof OnDisk
        ? ForeignFormat.of(file).filter(format -> format != ForeignFormat.SAFETENSORS)
        : Optional.empty();
  }

  private IOException malformed(String why) {
    return SafetensorsHeader.malformed(file, why, null);
  }
}

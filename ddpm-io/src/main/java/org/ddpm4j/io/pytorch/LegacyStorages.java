package org.ddpm4j.io.pytorch;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.io.FileBytes;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignText;

/**
 * The format of {@code torch.save} before PyTorch 1.6, and with {@code
 * _use_new_zipfile_serialization=False}: pickles of a magic number, a version, facts of the
 * machine, the object and the keys of its storages, then for each key the number of its elements
 * and the elements.
 */
final class LegacyStorages implements Storages {

  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final Long VERSION = 1001L;
  private static final int MAX_PICKLE_BYTES = 1 << 26;

  private final PyTorchFailure failure;
  private final FileChannel channel;
  private final Object root;
  private final List<?> keys;

  /** Where the numbers of elements and the elements begin. */
  private final long dataStart;

  /** Where the bytes of a storage begin, and how many there are. */
  private record Place(long first, long bytes) {}

  private final Map<String, Place> places = new HashMap<>();

  private LegacyStorages(PyTorchFailure failure, FileChannel channel, InputStream in)
      throws IOException {
    this.failure = failure;
    this.channel = channel;
    var input = new PickleInput(failure, in, Math.min(channel.size(), MAX_PICKLE_BYTES));
    if (!MAGIC.equals(Unpickler.read(failure, input))) {
      throw failure.malformed("it is a pickle, but none that PyTorch wrote");
    }
    if (!VERSION.equals(Unpickler.read(failure, input))) {
      throw failure.unsupported("it is of another version of the format than %d", VERSION);
    }
    if (!(Unpickler.read(failure, input) instanceof Map<?, ?> system)
        || !Boolean.TRUE.equals(system.get("little_endian"))) {
      throw failure.unsupported("its numbers are big-endian");
    }
    this.root = Unpickler.read(failure, input);
    if (!(Unpickler.read(failure, input) instanceof List<?> list)) {
      throw failure.malformed("it has no list of its storages");
    }
    this.keys = list;
    this.dataStart = input.position();
  }

  static LegacyStorages open(PyTorchFailure failure) throws IOException {
    Path file = failure.file();
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      return new LegacyStorages(failure, channel, in);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  Object root() {
    return root;
  }

  /**
   * Walks through the storages, whose lengths say where the next one is.
   *
   * @param widths the bytes of an element of each storage, by key
   */
  void locate(Map<String, Integer> widths) throws IOException {
    long position = dataStart;
    for (Object key : keys) {
      Integer width = key instanceof String ? widths.get(key) : null;
      if (width == null) {
        throw failure.unsupported("it has a storage that belongs to no tensor");
      }
      ByteBuffer count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      readFully(count, position);
      long elements = count.flip().getLong();
      position += Long.BYTES;
      if (elements < 0 || elements > (channel.size() - position) / width) {
        throw failure.malformed(
            "its storage %s should have %d elements, but the file ends before",
            ForeignText.quoted((String) key), elements);
      }
      places.put((String) key, new Place(position, elements * width));
      position += elements * width;
    }
  }

  @Override
  public void check(StorageReference storage) throws IOException {
    Place place = places.get(storage.key());
    if (place == null) {
      throw failure.malformed("it has no storage %s", ForeignText.quoted(storage.key()));
    }
    if (place.bytes != storage.bytes()) {
      throw failure.malformed(
          "its storage %s has %d byte(s), and its pickle says %d",
          ForeignText.quoted(storage.key()), place.bytes, storage.bytes());
    }
  }

  @Override
  public void read(StorageReference storage, long first, ByteBuffer bytes) throws IOException {
    readFully(bytes, places.get(storage.key()).first + first);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void readFully(ByteBuffer buffer, long position) throws IOException {
    if (!FileBytes.fill(channel, failure.file(), buffer, position)) {
      throw failure.malformed("it ends before its storages do");
    }
  }
}

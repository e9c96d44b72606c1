package org.ddpm4j.io.pytorch;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignText;

/**
 * The ZIP archives that {@code torch.save} writes since PyTorch 1.6: {@code …/data.pkl}, a pickle,
 * and {@code …/data/KEY}, a storage each. PyTorch compresses nothing, so that nothing compressed is
 * read: no entry can be larger than the file.
 */
final class ZipStorages implements Storages {

  private static final String PICKLE = "/data.pkl";
  private static final String BYTE_ORDER = "/byteorder";
  private static final int MAX_PICKLE_BYTES = 1 << 26;
  private static final int BLOCK_BYTES = 1 << 20;

  private final PyTorchFailure failure;
  private final ZipFile zip;
  private final long fileBytes;
  private final String root;

  private ZipStorages(PyTorchFailure failure, ZipFile zip) throws IOException {
    this.failure = failure;
    this.zip = zip;
    this.fileBytes = Files.size(failure.file());
    List<String> roots =
        zip.stream()
            .map(ZipEntry::getName)
            .filter(
                name ->
                    name.endsWith(PICKLE) && name.indexOf('/') + PICKLE.length() == name.length())
            .map(name -> name.substring(0, name.length() - PICKLE.length()))
            .toList();
    if (roots.size() != 1) {
      throw failure.malformed(
          "it is a ZIP archive with %d file(s) data.pkl, where PyTorch writes one", roots.size());
    }
    this.root = roots.get(0);
    ZipEntry order = zip.getEntry(root + BYTE_ORDER);
    if (order != null && !text(order).equals("little")) {
      throw failure.unsupported("its numbers are big-endian");
    }
  }

  static ZipStorages open(PyTorchFailure failure) throws IOException {
    Path file = failure.file();
    ZipFile zip;
    try {
      zip = new ZipFile(file.toFile());
    } catch (ZipException e) {
      throw failure.malformed("it is no whole ZIP archive (%s)", e.getMessage());
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    } catch (IllegalArgumentException e) {
      // The JDK's word for names that are not in UTF-8.
      throw failure.malformed("it is a ZIP archive with a name that is not in UTF-8");
    }
    try {
      return new ZipStorages(failure, zip);
    } catch (IOException | RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  Object unpickle() throws IOException {
    ZipEntry entry = stored(root + PICKLE);
    if (entry.getSize() > MAX_PICKLE_BYTES) {
      throw failure.unsupported("its pickle has more than %d bytes", MAX_PICKLE_BYTES);
    }
    try (InputStream in = new BufferedInputStream(zip.getInputStream(entry))) {
      return Unpickler.read(failure, new PickleInput(failure, in, entry.getSize()));
    } catch (ZipException | EOFException e) {
      throw damaged(entry, e);
    }
  }

  @Override
  public void check(StorageReference storage) throws IOException {
    ZipEntry entry = stored(name(storage));
    if (entry.getSize() != storage.bytes()) {
      throw failure.malformed(
          "its storage %s has %d byte(s), and its pickle says %d",
          ForeignText.quoted(storage.key()), entry.getSize(), storage.bytes());
    }
  }

  @Override
  public void read(StorageReference storage, long first, ByteBuffer bytes) throws IOException {
    ZipEntry entry = stored(name(storage));
    try (InputStream in = zip.getInputStream(entry)) {
      in.skipNBytes(first);
      var block = new byte[Math.min(BLOCK_BYTES, bytes.remaining())];
      while (bytes.hasRemaining()) {
        int count = in.readNBytes(block, 0, Math.min(block.length, bytes.remaining()));
        if (count == 0) {
          throw failure.malformed("it has become shorter since it was opened");
        }
        bytes.put(block, 0, count);
      }
    } catch (ZipException | EOFException e) {
      throw damaged(entry, e);
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }

  private String name(StorageReference storage) {
    return root + "/data/" + storage.key();
  }

  private ZipEntry stored(String name) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw failure.malformed("its archive has no file %s", ForeignText.quoted(name));
    }
    if (entry.getMethod() != ZipEntry.STORED || entry.getSize() != entry.getCompressedSize()) {
      throw failure.malformed(
          "the file %s in its archive is compressed, which PyTorch never does",
          ForeignText.quoted(name));
    }
    if (entry.getSize() > fileBytes) {
      throw failure.malformed(
          "the file %s in its archive should have %d bytes, more than the archive",
          ForeignText.quoted(name), entry.getSize());
    }
    return entry;
  }

  private String text(ZipEntry entry) throws IOException {
    try (InputStream in = zip.getInputStream(stored(entry.getName()))) {
      return new String(in.readNBytes(16), StandardCharsets.US_ASCII);
    } catch (ZipException | EOFException e) {
      throw damaged(entry, e);
    }
  }

  private IOException damaged(ZipEntry entry, IOException e) {
    return failure.malformed(
        "the file %s in its archive cannot be read (%s)",
        ForeignText.quoted(entry.getName()),
        e instanceof EOFException ? "it is cut off" : e.getMessage());
  }
}

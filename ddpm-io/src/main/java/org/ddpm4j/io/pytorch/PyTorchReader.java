package org.ddpm4j.io.pytorch;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.TensorMemory;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An open file of {@code torch.save}: the tensors of a state dict, or of dicts and lists that hold
 * such. A tensor within others has their keys before its own, joined by points: {@code ema.step} of
 * {@code {"ema": {"step": …}}}. Numbers, strings and None beside them are passed over.
 *
 * <p>{@link #open} reads and checks everything but the numbers: the pickle, and that each tensor
 * lies within its storage and each storage within the file. <b>Nothing of a file is ever
 * executed</b>: see {@link org.ddpm4j.io.pytorch the package}. A file that is damaged or hostile,
 * or asks for more than tensors, is refused with an {@link IOException} whose message is one whole
 * sentence that names the file. Memory is taken only for what the file really holds: together the
 * tensors may take eight times its size, since they may share storages, and 64 MiB.
 *
 * <p>Several threads may read from one reader.
 */
public final class PyTorchReader implements TensorReader {

  private static final byte[] ZIP = {'P', 'K', 3, 4};
  private static final byte PROTO = (byte) 0x80;
  private static final int FIRST_BYTES = 9;

  private static final long FREE_BYTES = 1L << 26;
  private static final int MAX_REPETITION = 8;

  private final PyTorchFailure failure;
  private final Storages storages;
  private final Map<String, TensorView> tensors;

  private PyTorchReader(PyTorchFailure failure, Storages storages, Map<String, TensorView> tensors)
      throws IOException {
    this.failure = failure;
    this.storages = storages;
    this.tensors = Collections.unmodifiableMap(tensors);
    Set<StorageReference> checked = new HashSet<>();
    long bytes = 0;
    for (TensorView tensor : tensors.values()) {
      if (checked.add(tensor.storage())) {
        storages.check(tensor.storage());
      }
      bytes += tensor.length() * tensor.dtype().width();
    }
    long size = Files.size(failure.file());
    if (bytes > FREE_BYTES + MAX_REPETITION * size) {
      throw failure.unsupported(
          "its tensors would take %d bytes, far more than the %d of the file", bytes, size);
    }
  }

  /**
   * Whether a file begins as those of {@code torch.save} do: as a ZIP archive or a pickle.
   *
   * @param file any path
   * @return false also if it cannot be read
   */
  public static boolean isPyTorch(Path file) {
    Objects.requireNonNull(file, "file");
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try {
      return isPyTorch(firstBytes(file));
    } catch (IOException e) {
      // Whoever reads it next says what is wrong.
      return false;
    }
  }

  private static boolean isPyTorch(byte[] first) {
    // The length of a safetensors header may begin with the same byte; the header follows it.
    boolean isSafetensors = first.length == FIRST_BYTES && first[FIRST_BYTES - 1] == '{';
    return isZip(first) || (first.length > 0 && first[0] == PROTO && !isSafetensors);
  }

  private static boolean isZip(byte[] first) {
    return Arrays.equals(Arrays.copyOf(first, ZIP.length), ZIP);
  }

  private static byte[] firstBytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(FIRST_BYTES);
    }
  }

  /**
   * Opens a file and checks its description of the tensors.
   *
   * @param file as {@code torch.save} writes it
   * @return the reader, to be closed by the caller
   * @throws IOException if the file cannot be read, is damaged, or holds more than tensors in dicts
   *     and lists, with numbers, strings and None
   */
  public static PyTorchReader open(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IOException(
          Text.format(
              "The file %s could not be read because it is a folder or a device; choose a file of PyTorch.",
              file));
    }
    byte[] first;
    try {
      first = firstBytes(file);
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    var failure = new PyTorchFailure(file);
    if (!isPyTorch(first)) {
      throw failure.malformed(
          "%s",
          ForeignFormat.of(file)
              .map(format -> "it is " + format.noun() + " (" + format.remedy() + ")")
              .orElse("it begins neither as a ZIP archive nor as a pickle"));
    }
    return isZip(first) ? openZip(failure) : openLegacy(failure);
  }

  private static PyTorchReader openZip(PyTorchFailure failure) throws IOException {
    ZipStorages storages = ZipStorages.open(failure);
    try {
      Map<String, TensorView> tensors = TensorTree.flatten(failure, storages.unpickle());
      return new PyTorchReader(failure, storages, tensors);
    } catch (IOException | RuntimeException e) {
      storages.close();
      throw e;
    }
  }

  private static PyTorchReader openLegacy(PyTorchFailure failure) throws IOException {
    LegacyStorages storages = LegacyStorages.open(failure);
    try {
      Map<String, TensorView> tensors = TensorTree.flatten(failure, storages.root());
      Map<String, Integer> widths = new HashMap<>();
      for (TensorView tensor : tensors.values()) {
        widths.putIfAbsent(tensor.storage().key(), tensor.storage().dtype().width());
      }
      storages.locate(widths);
      return new PyTorchReader(failure, storages, tensors);
    } catch (IOException | RuntimeException e) {
      storages.close();
      throw e;
    }
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public DataType dataType(String name) throws IOException {
    return view(name).dtype().dataType();
  }

  @Override
  public long[] shape(String name) throws IOException {
    return view(name).shape().clone();
  }

  @Override
  public INDArray tensor(String name) throws IOException {
    TensorView view = view(name);
    INDArray array =
        TensorMemory.allocate(failure.file(), name, view.dtype().dataType(), view.shape());
    long length = view.length();
    if (length == 0) {
      return array;
    }
    int width = view.dtype().width();
    // Byte order: every platform that ND4J has natives for is little-endian, as these files are.
    ByteBuffer bytes = array.data().asNio().order(ByteOrder.LITTLE_ENDIAN);
    bytes.limit(Math.toIntExact(length * width));
    if (view.isContiguous()) {
      storages.read(view.storage(), view.offset() * width, bytes);
    } else {
      gather(name, view, bytes);
    }
    if (view.dtype() == TorchDtype.BOOL) {
      OptionalInt other = TensorMemory.notBoolean(bytes.flip());
      if (other.isPresent()) {
        throw failure.malformed(
            "the tensor %s of dtype bool has the byte %d, where only 0 and 1 are possible",
            ForeignText.quoted(name), other.getAsInt());
      }
    }
    Reference.reachabilityFence(array);
    Nd4j.getAffinityManager().tagLocation(array, AffinityManager.Location.HOST);
    return array;
  }

  /** Reads what lies between the first and the last element, and picks the tensor's. */
  private void gather(String name, TensorView view, ByteBuffer bytes) throws IOException {
    int width = view.dtype().width();
    if (view.span() > TensorMemory.MAX_BYTES / width) {
      throw failure.unsupported(
          "the elements of its tensor %s are scattered over more than %d bytes",
          ForeignText.quoted(name), TensorMemory.MAX_BYTES);
    }
    ByteBuffer span;
    try {
      span = ByteBuffer.allocate((int) view.span() * width).order(ByteOrder.LITTLE_ENDIAN);
    } catch (OutOfMemoryError e) {
      throw failure.unsupported(
          "there is no memory for the %d elements over which its tensor %s is scattered",
          view.span(), ForeignText.quoted(name));
    }
    storages.read(view.storage(), view.offset() * width, span);
    long[] shape = view.shape();
    long[] index = new long[shape.length];
    long element = 0;
    while (bytes.hasRemaining()) {
      copy(span, (int) element * width, bytes, width);
      for (int d = shape.length - 1; d >= 0; d--) {
        element += view.strides()[d];
        if (++index[d] < shape[d]) {
          break;
        }
        element -= index[d] * view.strides()[d];
        index[d] = 0;
      }
    }
  }

  private static void copy(ByteBuffer from, int position, ByteBuffer to, int width) {
    switch (width) {
      case 1 -> to.put(from.get(position));
      case 2 -> to.putShort(from.getShort(position));
      case 4 -> to.putInt(from.getInt(position));
      default -> to.putLong(from.getLong(position));
    }
  }

  @Override
  public void close() throws IOException {
    storages.close();
  }

  private TensorView view(String name) throws IOException {
    TensorView view = tensors.get(name);
    if (view == null) {
      throw new IOException(
          Text.format(
              "The file %s has no tensor %s among its %d; check that it belongs to this model.",
              failure.file(), ForeignText.quoted(name), tensors.size()));
    }
    return view;
  }
}

package org.ddpm4j.io.weights;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.pytorch.PyTorchReader;

/** A file of tensors of any format that is read here. */
public final class WeightsFile {

  private static final List<String> PYTORCH = List.of(".bin", ".pt", ".pth", ".ckpt");

  private WeightsFile() {}

  /**
   * Whether a name is one that such files have.
   *
   * @param name of a file
   * @return true if it ends in {@code .safetensors}, {@code .bin}, {@code .pt}, {@code .pth} or
   *     {@code .ckpt}
   */
  public static boolean isNamedSo(String name) {
    return name.endsWith(".safetensors") || isNamedAsPyTorch(name);
  }

  private static boolean isNamedAsPyTorch(String name) {
    String small = name.toLowerCase(Locale.ROOT);
    return PYTORCH.stream().anyMatch(small::endsWith);
  }

  /**
   * Opens a safetensors file or one of PyTorch: what it is, its first bytes say, and where they say
   * nothing its name.
   *
   * @param file the file
   * @return the reader, to be closed by the caller
   * @throws IOException if the file cannot be read, is damaged, or is of another format
   */
  public static TensorReader open(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    boolean isSafetensors =
        ForeignFormat.of(file).filter(ForeignFormat.SAFETENSORS::equals).isPresent();
    boolean isPyTorch =
        PyTorchReader.isPyTorch(file)
            || (!isSafetensors && isNamedAsPyTorch(file.getFileName().toString()));
    return isPyTorch ? PyTorchReader.open(file) : SafetensorsReader.open(file);
  }
}

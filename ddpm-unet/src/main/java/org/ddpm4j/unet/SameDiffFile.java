package org.ddpm4j.unet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.ddpm4j.unet.layers.WeightLayout;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A U-Net as a plain SameDiff graph in a FlatBuffers file, as {@code SameDiff.save} writes it. Any
 * ND4J program loads it by {@code SameDiff.load(file, false)}, without this library: it is made of
 * ND4J's own operations and holds the weights.
 *
 * <p>The graph is the prediction alone. Its placeholders are {@code x} {@code [N,C,H,W]}, {@code t}
 * {@code [N]} and, where the network knows classes, {@code labels} {@code [N]}; its one output is
 * {@code y} {@code [N,outChannels,H,W]}. All are FLOAT; N is free, H and W are not, since
 * SameDiff's reshapes name them. The weights are variables under PyTorch's names, in the layouts of
 * {@link WeightLayout}.
 *
 * <p>A file is there to be used; it cannot be read back as a {@link Unet}. {@link UnetFolder} keeps
 * networks.
 */
public final class SameDiffFile {

  /** SameDiff's buffer doubles from 1 KiB and stops at the last power of two that fits an int. */
  private static final long MAX_BYTES = 1L << 30;

  /** More than a variable and the operation that makes it take beside their values. */
  private static final long BYTES_PER_VARIABLE = 2048;

  private SameDiffFile() {}

  /**
   * Writes a network for images of one size. It takes up to three times the file's size of Java
   * heap.
   *
   * @param file to create or replace; its folder must exist. By convention its name ends in {@code
   *     .fb}
   * @param unet the network, however it computes; DOUBLE becomes FLOAT
   * @param height H, in pixels
   * @param width W, in pixels
   * @throws IllegalArgumentException if images of that size do not go through the network, or its
   *     weights take more than the gibibyte that SameDiff can write
   * @throws IOException if the file cannot be written; it is then as it was before
   */
  public static void write(Path file, Unet unet, int height, int width) throws IOException {
    Objects.requireNonNull(unet, "unet");
    unet.config().checkImageSize(height, width);
    long parameters = unet.parameters().count();
    checkSize(parameters, parameters * DataType.FLOAT.width());
    SameDiff graph = graph(unet, height, width);
    checkSize(parameters, bytes(graph));
    ByteBuffer content = graph.asFlatBuffers(false);
    AtomicFile.write(
        file,
        out ->
            out.write(
                content.array(), content.arrayOffset() + content.position(), content.remaining()));
  }

  private static SameDiff graph(Unet unet, int height, int width) {
    UnetGraph built =
        UnetGraph.forward(
            unet.config(),
            height,
            width,
            DataType.FLOAT,
            graph -> new ReferenceLayers(graph, DataType.FLOAT));
    SameDiff graph = built.sameDiff();
    for (Parameter parameter : built.declarations()) {
      INDArray values = unet.parameters().get(parameter.name());
      graph.setArrayForVariable(parameter.name(), values.castTo(DataType.FLOAT));
    }
    return graph;
  }

  /** At least as many as the file of a graph takes. */
  private static long bytes(SameDiff graph) {
    long bytes = 0;
    for (SDVariable variable : graph.variables()) {
      bytes += BYTES_PER_VARIABLE;
      if (variable.isConstant() || variable.getVariableType() == VariableType.VARIABLE) {
        bytes += variable.getArr().length() * DataType.FLOAT.width();
      }
    }
    return bytes;
  }

  static void checkSize(long parameters, long bytes) {
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          Text.format(
              "A network of %d parameters takes more than the %d MB that SameDiff can write to a file; keep it as a model folder.",
              parameters, MAX_BYTES >> 20));
    }
  }
}

package org.ddpm4j.unet;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import onnx.Onnx;
import org.ddpm4j.io.AtomicFile;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A U-Net as an ONNX model of opset {@value OnnxLayers#OPSET}, which ONNX Runtime and others run
 * without this library.
 *
 * <p>The graph is the prediction alone. Its inputs are {@code x} {@code [N,C,H,W]}, {@code t}
 * {@code [N]}, both float32, and, where the network knows classes, {@code labels} {@code [N]},
 * int64; its one output is {@code y} {@code [N,outChannels,H,W]}. N is free, H and W are not.
 * Weights are initializers under PyTorch's names.
 *
 * <p>A file is there to be used; it cannot be read back as a {@link Unet}. {@link UnetFolder} keeps
 * networks.
 */
public final class OnnxFile {

  /** Version 8 of the format, which came with the opset. */
  private static final int IR_VERSION = 8;

  /** A protobuf message has less than 2 GiB; the graph itself is well below the rest. */
  private static final long MAX_WEIGHT_BYTES = (1L << 31) - (1L << 24);

  private OnnxFile() {}

  /**
   * Writes a network for images of one size.
   *
   * @param file to create or replace; its folder must exist. By convention its name ends in {@code
   *     .onnx}
   * @param unet the network, however it computes; DOUBLE becomes float32
   * @param height H, in pixels
   * @param width W, in pixels
   * @throws IllegalArgumentException if images of that size do not go through the network, or its
   *     weights take more than the two gibibytes that a file can hold
   * @throws IOException if the file cannot be written; it is then as it was before
   */
  public static void write(Path file, Unet unet, int height, int width) throws IOException {
    unet.config().checkImageSize(height, width);
    long parameters = unet.parameters().count();
    checkSize(parameters);
    OnnxLayers[] layers = new OnnxLayers[1];
    UnetGraph.forward(
        unet.config(),
        height,
        width,
        DataType.FLOAT,
        graph -> layers[0] = new OnnxLayers(graph, unet.parameters()::get));
    Onnx.GraphProto.Builder graph = layers[0].graph();
    graph.setName("unet");
    graph.addInput(
        input(
            UnetGraph.X,
            Onnx.TensorProto.DataType.FLOAT,
            unet.config().inChannels(),
            height,
            width));
    graph.addInput(input(UnetGraph.T, Onnx.TensorProto.DataType.FLOAT));
    if (unet.config().classEmbeddings() > 0) {
      graph.addInput(input(UnetGraph.LABELS, Onnx.TensorProto.DataType.INT64));
    }
    graph.addOutput(
        input(
            UnetGraph.OUTPUT,
            Onnx.TensorProto.DataType.FLOAT,
            unet.config().outChannels(),
            height,
            width));
    Onnx.ModelProto model =
        Onnx.ModelProto.newBuilder()
            .setIrVersion(IR_VERSION)
            .setProducerName("ddpm4j")
            .addOpsetImport(
                Onnx.OperatorSetIdProto.newBuilder().setDomain("").setVersion(OnnxLayers.OPSET))
            .setGraph(graph)
            .build();
    AtomicFile.write(file, model::writeTo);
  }

  /** Of any number of images. */
  private static Onnx.ValueInfoProto input(
      String name, Onnx.TensorProto.DataType type, int... perImage) {
    Onnx.TensorShapeProto.Builder shape = Onnx.TensorShapeProto.newBuilder();
    shape.addDim(Onnx.TensorShapeProto.Dimension.newBuilder().setDimParam("N"));
    for (int size : perImage) {
      shape.addDim(Onnx.TensorShapeProto.Dimension.newBuilder().setDimValue(size));
    }
    Onnx.TypeProto.Tensor tensor =
        Onnx.TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape).build();
    return Onnx.ValueInfoProto.newBuilder()
        .setName(name)
        .setType(Onnx.TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  static void checkSize(long parameters) {
    if (parameters > MAX_WEIGHT_BYTES / DataType.FLOAT.width()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A network of %d parameters takes more than the 2 GB that an ONNX file can hold; keep it as a model folder.",
              parameters));
    }
  }
}

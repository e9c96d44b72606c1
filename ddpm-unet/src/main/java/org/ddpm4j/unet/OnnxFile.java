package org.ddpm4j.unet;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import onnx.Onnx;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A U-Net, or half of an autoencoder, as an ONNX model of opset {@value OnnxLayers#OPSET}, which
 * ONNX Runtime and others run without this library.
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
    Objects.requireNonNull(unet, "unet");
    List<Onnx.ValueInfoProto> told = new ArrayList<>();
    told.add(value(UnetGraph.T, Onnx.TensorProto.DataType.FLOAT));
    if (unet.config().classEmbeddings() > 0) {
      told.add(value(UnetGraph.LABELS, Onnx.TensorProto.DataType.INT64));
    }
    write(file, "unet", unet.config(), unet.parameters(), height, width, told);
  }

  /**
   * Writes the half of an autoencoder that makes latents of images, as {@link Autoencoder#encode}
   * does: {@code x} are images {@code [N,C,H,W]} in [-1,1], {@code y} latents {@code [N,c,h,w]},
   * scaled.
   *
   * @param file to create or replace; its folder must exist
   * @param autoencoder whose encoder is written
   * @param height H of the images, a multiple of {@link AutoencoderConfig#pixelsPerLatent}
   * @param width W of the images, too
   * @throws IllegalArgumentException if the images are not of such a size, or the weights take more
   *     than two gibibytes
   * @throws IOException if the file cannot be written; it is then as it was before
   */
  public static void writeEncoder(Path file, Autoencoder autoencoder, int height, int width)
      throws IOException {
    Objects.requireNonNull(autoencoder, "autoencoder");
    requireSize(autoencoder.config(), height, width);
    Unet encoder = autoencoder.encoder();
    UnetConfig whole =
        new OnnxAutoencoder.Encoder(encoder.config(), autoencoder.config().latents());
    write(file, "encoder", whole, encoder.parameters(), height, width, List.of());
  }

  /**
   * Writes the half of an autoencoder that makes images of latents, as {@link
   * Autoencoder#decode(org.nd4j.linalg.api.ndarray.INDArray)} does, the nearest vectors of a
   * codebook included: {@code x} are latents {@code [N,c,h,w]}, scaled, {@code y} images {@code
   * [N,C,H,W]}, about [-1,1].
   *
   * @param file to create or replace; its folder must exist
   * @param autoencoder whose decoder is written
   * @param height H of the images, a multiple of {@link AutoencoderConfig#pixelsPerLatent}
   * @param width W of the images, too
   * @throws IllegalArgumentException if the images are not of such a size, or the weights take more
   *     than two gibibytes
   * @throws IOException if the file cannot be written; it is then as it was before
   */
  public static void writeDecoder(Path file, Autoencoder autoencoder, int height, int width)
      throws IOException {
    Objects.requireNonNull(autoencoder, "autoencoder");
    requireSize(autoencoder.config(), height, width);
    int factor = autoencoder.config().pixelsPerLatent();
    Unet decoder = autoencoder.decoder();
    UnetConfig whole =
        new OnnxAutoencoder.Decoder(
            decoder.config(), autoencoder.config().latents(), autoencoder.vectors());
    write(file, "decoder", whole, decoder.parameters(), height / factor, width / factor, List.of());
  }

  private static void requireSize(AutoencoderConfig config, int height, int width) {
    int factor = config.pixelsPerLatent();
    if (height < 1 || width < 1 || height % factor != 0 || width % factor != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The autoencoder makes no images of %dx%d; height and width must be multiples of %d.",
              height, width, factor));
    }
  }

  private static void write(
      Path file,
      String name,
      UnetConfig config,
      Parameters parameters,
      int height,
      int width,
      List<Onnx.ValueInfoProto> told)
      throws IOException {
    config.checkImageSize(height, width);
    checkSize(parameters.count());
    OnnxLayers[] layers = new OnnxLayers[1];
    UnetGraph.forward(
        config,
        height,
        width,
        DataType.FLOAT,
        graph -> layers[0] = new OnnxLayers(graph, parameters::get));
    FeatureMap output = layers[0].output();
    Onnx.GraphProto.Builder graph = layers[0].graph();
    graph.setName(name);
    Onnx.TensorProto.DataType floats = Onnx.TensorProto.DataType.FLOAT;
    graph.addInput(value(UnetGraph.X, floats, config.inChannels(), height, width));
    graph.addAllInput(told);
    graph.addOutput(
        value(UnetGraph.OUTPUT, floats, output.channels(), output.height(), output.width()));
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
  private static Onnx.ValueInfoProto value(
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
          Text.format(
              "A network of %d parameters takes more than the 2 GB that an ONNX file can hold; keep it as a model folder.",
              parameters));
    }
  }
}

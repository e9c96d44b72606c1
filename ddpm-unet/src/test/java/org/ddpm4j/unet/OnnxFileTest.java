package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ONNX Runtime says of a file what the network itself says. */
class OnnxFileTest {

  private static final int HEIGHT = 16;
  private static final int WIDTH = 32;

  private final RandomArrays random = new RandomArrays(43);

  @TempDir private Path folder;

  static Stream<UnetConfig> networks() {
    return Stream.concat(
        EveryNetworkTest.networks(),
        Stream.of(
            // Mish and SiLU, an estimate beside the image, one level.
            AnnotatedUnet.resnet(8, 2, List.of(1), 2).withAttention(2, 4).withOutChannels(1)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void onnxRuntimeSaysTheSame(UnetConfig config) throws IOException, OrtException {
    Path file = folder.resolve("unet.onnx");
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9)) {
      // Nothing may hide behind zeros, with which biases begin.
      INDArray flat = unet.parameters().flat();
      flat.addi(random.gaussian(0.1, flat.length()).castTo(DataType.FLOAT));
      OnnxFile.write(file, unet, HEIGHT, WIDTH);
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      try (OrtSession session = environment.createSession(file.toString())) {
        TensorInfo x = (TensorInfo) session.getInputInfo().get("x").getInfo();
        assertThat(x.getShape()).containsExactly(-1, config.inChannels(), HEIGHT, WIDTH);
        for (int images : new int[] {1, 5}) {
          UnetInput input = input(config, images);
          INDArray expected = unet.predict(input);
          INDArray found = run(environment, session, input);
          assertThat(found.shape()).isEqualTo(expected.shape());
          double error = found.sub(expected).norm2Number().doubleValue();
          assertThat(error).isLessThan(1e-4 * expected.norm2Number().doubleValue());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        {"_class_name": "AutoencoderKL", "block_out_channels": [4, 8], "norm_num_groups": 2,
         "latent_channels": 2, "scaling_factor": 0.7,
         "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
         "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
        """,
        """
        {"_class_name": "VQModel", "block_out_channels": [4, 8], "norm_num_groups": 2,
         "latent_channels": 3, "num_vq_embeddings": 7, "vq_embed_dim": 2, "scaling_factor": 1.3,
         "down_block_types": ["DownEncoderBlock2D", "AttnDownEncoderBlock2D"],
         "up_block_types": ["AttnUpDecoderBlock2D", "UpDecoderBlock2D"]}
        """
      })
  void onnxRuntimeEncodesAndDecodesTheSame(String json) throws IOException, OrtException {
    AutoencoderConfig config = AutoencoderFolder.configFromJson(json, "test");
    try (Autoencoder created =
            Autoencoder.create(config, DataType.FLOAT, 8, Execution.automatic());
        Autoencoder autoencoder = spread(created)) {
      Path encoder = folder.resolve("encoder.onnx");
      Path decoder = folder.resolve("decoder.onnx");
      OnnxFile.writeEncoder(encoder, autoencoder, HEIGHT, WIDTH);
      OnnxFile.writeDecoder(decoder, autoencoder, HEIGHT, WIDTH);
      INDArray images = random.gaussian(1, 2, 3, HEIGHT, WIDTH).castTo(DataType.FLOAT);
      INDArray latents = random.gaussian(2, 3, 2, HEIGHT / 2, WIDTH / 2).castTo(DataType.FLOAT);
      assertSame(encoder, images, autoencoder.encode(images));
      assertSame(decoder, latents, autoencoder.decode(latents));
    }
  }

  /** The same with vectors as far from each other as latents are. */
  private Autoencoder spread(Autoencoder autoencoder) {
    Map<String, INDArray> tensors = new HashMap<>(autoencoder.toPyTorch());
    tensors.replaceAll(
        (name, tensor) ->
            tensor.add(
                random
                    .gaussian(name.equals(Autoencoder.CODEBOOK) ? 2 : 0.1, tensor.shape())
                    .castTo(DataType.FLOAT)));
    return Autoencoder.of(autoencoder.config(), tensors, DataType.FLOAT, Execution.automatic());
  }

  private static void assertSame(Path file, INDArray x, INDArray expected) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(file.toString());
        OnnxTensor tensor = floats(environment, x);
        OrtSession.Result result = session.run(Map.of("x", tensor))) {
      INDArray found = output(result);
      assertThat(found.shape()).isEqualTo(expected.shape());
      double error = found.sub(expected).norm2Number().doubleValue();
      assertThat(error).isLessThan(1e-4 * expected.norm2Number().doubleValue());
    }
  }

  private UnetInput input(UnetConfig config, int images) {
    INDArray labels = null;
    if (config.classEmbeddings() > 0) {
      labels = Nd4j.zeros(DataType.INT32, images);
      for (int n = 0; n < images; n++) {
        labels.putScalar(n, (n + 1) % config.classEmbeddings());
      }
    }
    return new UnetInput(
        random.gaussian(1, images, config.inChannels(), HEIGHT, WIDTH).castTo(DataType.FLOAT),
        Nd4j.math().abs(random.gaussian(200, images)).castTo(DataType.FLOAT),
        labels);
  }

  private static INDArray run(OrtEnvironment environment, OrtSession session, UnetInput input)
      throws OrtException {
    Map<String, OnnxTensor> tensors = new HashMap<>();
    try {
      tensors.put("x", floats(environment, input.x()));
      tensors.put("t", floats(environment, input.t()));
      if (input.labels() != null) {
        long[] labels = input.labels().toLongVector();
        tensors.put(
            "labels",
            OnnxTensor.createTensor(
                environment, LongBuffer.wrap(labels), new long[] {labels.length}));
      }
      try (OrtSession.Result result = session.run(tensors)) {
        return output(result);
      }
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  private static INDArray output(OrtSession.Result result) {
    OnnxTensor y = (OnnxTensor) result.get("y").orElseThrow();
    FloatBuffer values = y.getFloatBuffer();
    float[] array = new float[values.remaining()];
    values.get(array);
    return Nd4j.create(array, y.getInfo().getShape(), 'c');
  }

  private static OnnxTensor floats(OrtEnvironment environment, INDArray array) throws OrtException {
    return OnnxTensor.createTensor(
        environment, FloatBuffer.wrap(array.dup('c').data().asFloat()), array.shape());
  }

  @Test
  void whatCannotBeWrittenIsRefused() {
    Path file = folder.resolve("none.onnx");
    try (Unet unet = Unet.create(AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2), DataType.FLOAT, 1)) {
      assertThatThrownBy(() -> OnnxFile.write(file, unet, 15, 16))
          .hasMessageContaining("must be multiples of 2");
    }
    assertThat(Files.exists(file)).isFalse();
    assertThatThrownBy(() -> OnnxFile.checkSize(540_000_000L))
        .hasMessageContaining("more than the 2 GB that an ONNX file can hold");
  }
}

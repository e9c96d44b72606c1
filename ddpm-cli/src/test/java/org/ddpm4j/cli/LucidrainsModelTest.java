package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.weights.WeightsFile;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.SigmoidSignalSchedule;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.server.ServerOptions;
import org.ddpm4j.studio.server.StudioServer;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Checkpoints of lucidrains' trainer as models. */
class LucidrainsModelTest {

  private static final LucidrainsUnet NETWORK =
      LucidrainsUnet.of(4, 1, List.of(1, 2))
          .withAttention(
              List.of(
                  new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.LINEAR, 1, 4),
                  new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 1, 4)),
              new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 1, 4));

  /** What his own trainer left, of PyTorch. */
  private static final Path PYTORCH =
      Path.of("../ddpm-diffusion/src/test/resources/org/ddpm4j/diffusion/lucidrains/model-1.pt");

  @TempDir private Path folder;
  private Path checkpoint;

  @BeforeEach
  void write() throws IOException {
    checkpoint = folder.resolve("model-1.safetensors");
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "model.", 1);
    put(tensors, "ema.ema_model.", 2);
    SafetensorsWriter.write(checkpoint, tensors, Map.of());
  }

  /** A diffusion that predicts v, as his trainer names its tensors. */
  private static void put(Map<String, INDArray> tensors, String place, int seed) {
    NoiseSchedule schedule = NoiseSchedule.of(SigmoidSignalSchedule.paper(), 20);
    INDArray betas = schedule.vector(ScheduleConstant.BETAS);
    INDArray signal = schedule.vector(ScheduleConstant.ALPHAS_CUMPROD);
    tensors.put(place + "betas", betas.castTo(DataType.FLOAT));
    tensors.put(place + "loss_weight", signal.castTo(DataType.FLOAT));
    try (Unet unet = Unet.create(NETWORK, DataType.FLOAT, seed)) {
      unet.parameters()
          .toPyTorch()
          .forEach(
              (name, tensor) -> {
                INDArray copy = tensor.dup('c');
                tensors.put(
                    place + "model." + name,
                    name.equals("downs.0.3.1.weight") ? copy.reshape(4, 16, 1, 1) : copy);
              });
    }
  }

  private Path draw(String name, Object... options) {
    Path output = folder.resolve(name);
    Object[] all = {"sample", "--count", 2, "--steps", 3, "--seed", 4, "--output", output};
    Cli.run(Stream.concat(Arrays.stream(all), Arrays.stream(options)).toArray()).isOk();
    return output;
  }

  @Test
  void drawsByEitherWeightsAndAsARun() throws IOException {
    Path average = draw("average.png", "--model", checkpoint, "--size", 8);
    assertThat(draw("ema.png", "--model", checkpoint, "--size", 8, "--weights", "ema"))
        .hasSameBinaryContentAs(average);
    Path last = draw("last.png", "--model", checkpoint, "--size", 8, "--weights", "model");
    assertThat(Files.mismatch(last, average)).isNotNegative();

    Path run = folder.resolve("run");
    Cli.run("convert", "--model", checkpoint, "--to", "run", "--size", 8, "--output", run).isOk();
    assertThat(RunFolder.open(run).readConfig().model().network()).isEqualTo(NETWORK);
    // The run has the schedule by its name, the file has its betas rounded to float.
    assertThat(Cli.run("info", "--run", run).isOk().out())
        .contains("sigmoid-jabri, T = 20", "lucidrains' U-Net; widths 4, 8 with full attention");
    draw("of-run.png", "--run", run);
  }

  /**
   * As issue trackers have it; whatever his files are called, their first bytes say what they are.
   */
  @ParameterizedTest
  @ValueSource(strings = {"model-1.pt", "last.PTH", "epoch=3.ckpt", "pytorch_model.bin"})
  void isConvertedFromAFileOfAnyName(String name) throws IOException {
    Path file = Files.copy(PYTORCH, folder.resolve(name));
    Path run = folder.resolve("run");
    Cli.run("convert", "--from", file, "--to", "run", "--size", 8, "--output", run).isOk();
    try (LucidrainsCheckpoint read =
            LucidrainsCheckpoint.read(
                PYTORCH, Optional.empty(), DataType.FLOAT, Execution.reference());
        Unet converted = UnetFolder.read(run.resolve("unet"), DataType.FLOAT)) {
      assertThat(converted.parameters().fingerprint())
          .isEqualTo(read.unet().parameters().fingerprint());
    }
  }

  /**
   * Weights of another network are no model without what describes it, which may lie beside them.
   */
  @Test
  void weightsOfOtherNetworksNeedTheirFolder() throws IOException {
    Path file = folder.resolve("pytorch_model.bin");
    SafetensorsWriter.write(file, Map.of("weight", Nd4j.ones(DataType.FLOAT, 3)), Map.of());
    Object[] command = {"convert", "--from", file, "--to", "onnx", "--output", folder.resolve("x")};
    Cli.run(command).isBadInput("pytorch_model.bin", "needs a folder with its config.json");
    Files.writeString(folder.resolve("config.json"), "{}");
    Cli.run(command).isBadInput("beside it lies a config.json, so name their folder, " + folder);
  }

  @Test
  void infoTellsWhatIsInIt() {
    assertThat(Cli.run("info", checkpoint).isOk().out())
        .contains("of lucidrains' trainer", "sigmoid-jabri, T = 20", "predicts     v")
        .contains("ema.ema_model.model.downs.0.2.mem_kv");
  }

  @Test
  void predicts() throws IOException {
    Path input = folder.resolve("x.safetensors");
    Path output = folder.resolve("y.safetensors");
    INDArray x = Nd4j.ones(DataType.FLOAT, 1, 1, 8, 8);
    SafetensorsWriter.write(input, Map.of("x", x, "t", Nd4j.zeros(DataType.FLOAT, 1)), Map.of());
    Cli.run("predict", "--model", checkpoint, "--input", input, "--output", output).isOk();
    try (SafetensorsReader reader = SafetensorsReader.open(output);
        Unet average = Unet.create(NETWORK, DataType.FLOAT, 2)) {
      INDArray expected = average.predict(new UnetInput(x, Nd4j.zeros(DataType.FLOAT, 1), null));
      assertThat(reader.tensor("y")).isEqualTo(expected);
    }
  }

  /** Its loss in a few steps of training, from which the same run without it is far. */
  @Test
  void trainingBeginsWithIt() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 3);
    Path run = folder.resolve("run");
    Object[] options = {
      "train",
      "--offline",
      "--data",
      data,
      "--from",
      checkpoint,
      "--run",
      run,
      "--steps",
      30,
      "--batch-size",
      4,
      "--validation-images",
      4,
      "--report-every",
      10,
      "--sample-steps",
      2,
      "--warmup",
      1,
      "--flip",
      "none",
      "--learning-rate",
      0.01
    };
    Cli.Result result = Cli.run(options).isOk();
    assertThat(result.err()).contains("beginning with the network of " + checkpoint);
    RunConfig config = RunFolder.open(run).readConfig();
    assertThat(config.model().network()).isEqualTo(NETWORK);
    assertThat(config.model().parameterization()).isEqualTo(Parameterization.V);
    assertThat(config.model().schedule())
        .isEqualTo(ScheduleConfig.of(ScheduleType.SIGMOID_JABRI, 20));
    try (SafetensorsReader began =
            SafetensorsReader.open(run.resolve("checkpoints/step-0000000.safetensors"));
        Unet average = Unet.create(NETWORK, DataType.FLOAT, 2)) {
      average
          .parameters()
          .toPyTorch()
          .forEach((name, tensor) -> assertThat(tensor("model." + name, began)).isEqualTo(tensor));
    }
    double[] losses =
        Files.readAllLines(run.resolve("loss.csv")).stream()
            .skip(1)
            .mapToDouble(line -> Double.parseDouble(line.split(",")[1]))
            .toArray();
    assertThat(losses[losses.length - 1]).isLessThan(0.8 * losses[0]);
    Cli.run("sample", "--run", run, "--steps", 2, "--count", 1, "--output", folder.resolve("x.png"))
        .isOk();
  }

  /** What PyTorch wrote is what teaches, and what the student begins with. */
  @Test
  void aConsistencyModelIsDistilledFromIt() throws IOException {
    Path file = Files.copy(PYTORCH, folder.resolve("model-1.pt"));
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 3);
    Path run = folder.resolve("run");
    Object[] options = {
      "train",
      "--offline",
      "--data",
      data,
      "--distill",
      file,
      "--run",
      run,
      "--steps",
      2,
      "--batch-size",
      4,
      "--validation-images",
      0,
      "--sample-steps",
      1
    };
    assertThat(Cli.run(options).isOk().err()).contains("beginning with the network of " + file);
    RunConfig config = RunFolder.open(run).readConfig();
    assertThat(config.model().parameterization()).isEqualTo(Parameterization.CONSISTENCY);
    assertThat(config.model().schedule()).isEqualTo(ScheduleConfig.of(ScheduleType.EDM, 18));
    RunConfig taught = RunFolder.open(run.resolve("teacher")).readConfig();
    assertThat(taught.model().parameterization()).isEqualTo(Parameterization.V);
    assertThat(taught.model().schedule())
        .isEqualTo(ScheduleConfig.of(ScheduleType.SIGMOID_JABRI, 40));

    Path weights = run.resolve("teacher/unet/diffusion_pytorch_model.safetensors");
    try (TensorReader wanted = WeightsFile.open(file);
        SafetensorsReader teacher = SafetensorsReader.open(weights);
        SafetensorsReader began =
            SafetensorsReader.open(run.resolve("checkpoints/step-0000000.safetensors"));
        SafetensorsReader ended =
            SafetensorsReader.open(run.resolve("checkpoints/step-0000002.safetensors"))) {
      assertThat(teacher.names()).hasSizeGreaterThan(100);
      int moved = 0;
      for (String name : teacher.names()) {
        INDArray average = wanted.tensor("ema.ema_model.model." + name);
        INDArray expected = average.reshape(teacher.shape(name));
        assertThat(teacher.tensor(name)).as(name).isEqualTo(expected);
        assertThat(began.tensor("model." + name)).as(name).isEqualTo(expected);
        moved += ended.tensor("model." + name).equals(expected) ? 0 : 1;
      }
      assertThat(moved).isGreaterThan(teacher.names().size() / 2);
    }
    Files.delete(file);
    Cli.run("train", "--resume", run, "--data", data, "--steps", 3).isOk();
    Path one = folder.resolve("one.png");
    Cli.run("sample", "--run", run, "--steps", 1, "--count", 1, "--output", one).isOk();
  }

  /** A run keeps its teacher by the name of its schedule. */
  @Test
  void aTeacherWhoseScheduleHasNoNameIsRefused() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "model.", 1);
    float[] betas = new float[20];
    float[] signal = new float[20];
    for (int t = 0; t < 20; t++) {
      betas[t] = 0.01f + 0.02f * (t % 3);
      signal[t] = (t == 0 ? 1 : signal[t - 1]) * (1 - betas[t]);
    }
    tensors.put("model.betas", Nd4j.createFromArray(betas));
    // That of v.
    tensors.put("model.loss_weight", Nd4j.createFromArray(signal));
    Path odd = folder.resolve("odd.safetensors");
    SafetensorsWriter.write(odd, tensors, Map.of());
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 3);
    Path run = folder.resolve("run");
    Cli.run("train", "--offline", "--data", data, "--distill", odd, "--run", run, "--steps", 1)
        .isBadInput("schedule");
    assertThat(run).doesNotExist();
  }

  private static INDArray tensor(String name, SafetensorsReader reader) {
    try {
      return reader.tensor(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theServiceDrawsWithIt() throws Exception {
    Cli.run("serve", "--port", 0, "--model", checkpoint)
        .isBadInput("model-1.safetensors", "give --size HxW");
    Cli.run("serve", "--port", 0, "--model", folder, "--size", 8).isBadInput("config.json");
    long parameters;
    try (Unet unet = Unet.create(NETWORK, DataType.FLOAT, 0)) {
      parameters = unet.parameters().count();
    }
    ModelSource source = ModelSource.ofCheckpoint("faces", checkpoint, new Unet2D.ImageSize(8, 12));
    assertThat(source.options())
        .containsExactly("--model", checkpoint.toString(), "--size", "8x12");
    try (StudioServer server =
        new StudioServer(ServerOptions.loopback(0), List.of(source), Optional.empty())) {
      URI uri = URI.create("http://localhost:" + server.port() + "/v1/models");
      String models =
          HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
              .body();
      assertThat(new ObjectMapper().readTree(models).at("/models/0"))
          .hasToString(
              "{\"id\":\"faces\",\"kind\":\"checkpoint\",\"channels\":1,\"height\":8,\"width\":12,"
                  + "\"classes\":[],\"guidable\":false,\"timesteps\":20,\"sampler\":\"dpm++\",\"parameters\":"
                  + parameters
                  + "}");
    }
  }

  /** A network of an earlier release: what is in the file is told all the same. */
  @Test
  void infoListsWhatCannotBeRead() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "model.", 1);
    tensors.remove("model.model.mid_attn.norm.g");
    Path old = folder.resolve("old.safetensors");
    SafetensorsWriter.write(old, tensors, Map.of());
    assertThat(Cli.run("info", old).isOk().out())
        .contains("of an early release", "model.model.downs.0.2.mem_kv");
    Cli.run("sample", "--model", old, "--size", 8).isBadInput("old.safetensors", "before 1.8");
  }

  @Test
  void becomesAGraph() {
    Path onnx = folder.resolve("unet.onnx");
    Cli.run(
            "convert",
            "--model",
            checkpoint,
            "--weights",
            "model",
            "--to",
            "onnx",
            "--size",
            8,
            "--output",
            onnx)
        .isOk();
    assertThat(onnx).exists();
    Cli.run("convert", "--model", checkpoint, "--to", "onnx", "--part", "decoder", "--output", onnx)
        .isBadInput("has no autoencoder");
  }

  @ParameterizedTest
  @CsvSource({
    "--schedule, cosine",
    "--timesteps, 20",
    "--parameterization, v",
    "--ema, 0.99",
    "--checkpoint, step-1.safetensors"
  })
  void whatTheFileSaysIsNotSaidAgain(String option, String value) {
    Cli.run("sample", "--model", checkpoint, "--size", 8, option, value)
        .isBadInput(option, "does not go with a checkpoint's file, which says it");
  }

  @Test
  void whatItDoesNotSayIsAskedFor() {
    Cli.run("sample", "--model", checkpoint).isBadInput("'--size=HxW'", "how large the images are");
    Cli.run("sample", "--model", checkpoint, "--size", 7).isBadInput("multiples of 2");
    Path output = folder.resolve("x");
    Cli.run("convert", "--model", checkpoint, "--to", "run", "--output", output)
        .isBadInput("'--size=HxW'");
    Cli.run("convert", "--model", checkpoint, "--to", "diffusers", "--output", output)
        .isBadInput("only a UNet2DModel can go there", "--to run");
    assertThat(output).doesNotExist();
  }
}

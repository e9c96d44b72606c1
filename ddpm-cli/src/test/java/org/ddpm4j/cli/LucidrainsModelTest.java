package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.SigmoidSignalSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  /** A network of an earlier release: what is in the file is told all the same. */
  @Test
  void infoListsWhatCannotBeRead() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    put(tensors, "model.", 1);
    tensors.put("model.model.downs.0.0.block1.norm.weight", Nd4j.ones(DataType.FLOAT, 4));
    Path old = folder.resolve("old.safetensors");
    SafetensorsWriter.write(old, tensors, Map.of());
    assertThat(Cli.run("info", old).isOk().out())
        .contains("normalised in groups", "model.model.downs.0.2.mem_kv");
    Cli.run("sample", "--model", old, "--size", 8).isBadInput("old.safetensors", "in groups");
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

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** NaN in weights or noise is said, and nothing is drawn. */
class NotFiniteTest {

  @TempDir private Path folder;

  @Test
  void weightsAndNoiseThatAreNotFiniteAreSaidWithTheStep() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    Path picture = folder.resolve("picture.png");
    Object[] sample = {
      "sample",
      "--model",
      run.resolve("unet"),
      "--size",
      8,
      "--timesteps",
      6,
      "--count",
      1,
      "--steps",
      3,
      "--output",
      picture
    };
    Cli.run(sample).isOk();
    Files.delete(picture);
    spoil(run.resolve("unet/diffusion_pytorch_model.safetensors"));
    Cli.run(sample)
        .isBadInput("The network's output is NaN or infinite from step 1 of 3 on", "weights");
    assertThat(picture).doesNotExist();

    Path noise = folder.resolve("noise.safetensors");
    INDArray values = Nd4j.zeros(1, 1, 8, 8);
    values.putScalar(5, Double.POSITIVE_INFINITY);
    SafetensorsWriter.write(noise, Map.of("noise", values), Map.of());
    Cli.run("sample", "--run", run, "--noise", noise, "--steps", 2, "--output", picture)
        .isBadInput("The tensor noise of " + noise, "NaN or infinite");
    assertThat(picture).doesNotExist();
  }

  @Test
  void predictSaysWhichNumbersAreNotFinite() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    Path input = folder.resolve("input.safetensors");
    Path output = folder.resolve("y.safetensors");
    Map<String, INDArray> batch = new LinkedHashMap<>();
    batch.put("x", Nd4j.ones(2, 1, 8, 8));
    batch.put("t", Nd4j.createFromArray(1f, 2f));
    batch.put("g", Nd4j.ones(2, 1, 8, 8));
    SafetensorsWriter.write(input, batch, Map.of());
    Object[] predict = {
      "predict", "--model", run.resolve("unet"), "--input", input, "--output", output, "--gradients"
    };
    Cli.run(predict).isOk();
    Files.delete(output);
    for (String name : List.of("x", "t", "g")) {
      Map<String, INDArray> bad = new LinkedHashMap<>(batch);
      bad.put(name, batch.get(name).dup().putScalar(1, Double.NaN));
      SafetensorsWriter.write(input, bad, Map.of());
      Cli.run(predict).isBadInput("The tensor " + name + " of " + input, "NaN or infinite");
    }
    SafetensorsWriter.write(input, batch, Map.of());
    spoil(run.resolve("unet/diffusion_pytorch_model.safetensors"));
    Cli.run(predict).isBadInput("The network's output is NaN or infinite", "weights");
    assertThat(output).doesNotExist();
  }

  /** One weight of every tensor becomes NaN. */
  private static void spoil(Path file) throws IOException {
    Map<String, INDArray> tensors;
    Map<String, String> metadata;
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      metadata = reader.metadata();
      tensors = reader.tensors();
    }
    for (INDArray tensor : tensors.values()) {
      tensor.putScalar(0, Double.NaN);
    }
    SafetensorsWriter.write(file, tensors, metadata);
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What train offers beyond the simple loss of one network, from training to pictures. */
class ObjectivesAndNetworksTest {

  @TempDir private static Path shared;
  private static Path data;

  @TempDir private Path folder;

  @BeforeAll
  static void writeImages() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
  }

  private Path train(Object... options) {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 3, options)).isOk();
    return run;
  }

  private static JsonNode config(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("config.json").toFile());
  }

  @ParameterizedTest
  @CsvSource({
    "v, min-snr, simple, uniform",
    "x0, p2, simple, importance",
    "mean, uniform, simple, uniform",
    "epsilon, uniform, hybrid, uniform",
    "v, uniform, vlb, importance"
  })
  void trainsSamplesAndEvaluates(
      String parameterization, String weighting, String terms, String timesteps)
      throws IOException {
    Path run =
        train(
            "--parameterization",
            parameterization,
            "--weighting",
            weighting,
            "--loss-terms",
            terms,
            "--timestep-sampling",
            timesteps);
    JsonNode objective = config(run).at("/training/objective");
    assertThat(objective.get("parameterization").asText()).isEqualTo(parameterization);
    assertThat(objective.at("/weighting/type").asText()).isEqualTo(weighting);
    assertThat(config(run).at("/model/out_dim").asInt()).isEqualTo(terms.equals("simple") ? 0 : 2);

    Path picture = folder.resolve("samples.png");
    Cli.run("sample", "--run", run, "--count", 4, "--steps", 3, "--output", picture).isOk();
    assertThat(ImageIO.read(picture.toFile()).getWidth()).isEqualTo(2 * (2 * 8 + 1) + 1);
    String bound =
        Cli.run("evaluate", "--run", run, "--data", data, "--images", 2, "--output", folder)
            .isOk()
            .out();
    assertThat(bound).contains("variance " + (terms.equals("simple") ? "posterior" : "learned"));
    Cli.run("train", "--resume", run, "--data", data, "--sample-steps", 2).isOk();
  }

  @Test
  void classesAreToldDrawnAndEvaluated() throws IOException {
    Path run = train("--class-conditional");
    assertThat(config(run).at("/training/objective/label_dropout").asDouble()).isEqualTo(0.1);
    // Ten kinds of clothes, and one row for none.
    assertThat(config(run).at("/model/num_class_embeds").asInt()).isEqualTo(11);
    assertThat(config(run).at("/data/class_names/9").asText()).isEqualTo("Ankle boot");

    Path all = folder.resolve("all.png");
    Cli.run("sample", "--run", run, "--count", 20, "--steps", 2, "--output", all).isOk();
    // A column for each class.
    assertThat(ImageIO.read(all.toFile()).getWidth()).isEqualTo(10 * (2 * 8 + 1) + 1);
    byte[] bag = sample(run, "Bag");
    assertThat(sample(run, "8")).isEqualTo(bag);
    assertThat(sample(run, "dress")).isNotEqualTo(bag);
    assertThat(sample(run, "none")).isNotEqualTo(bag);
    Cli.run("sample", "--run", run, "--class", "hat", "--steps", 2)
        .isBadInput(
            "There is no class hat; choose a number from 0 to 9 or one of the names T-shirt/top");
    Cli.run("sample", "--run", run, "--class", "10", "--steps", 2)
        .isBadInput("There is no class 10, which is the row that stands for no class");
    Cli.run("evaluate", "--run", run, "--data", data, "--images", 3, "--output", folder).isOk();
  }

  private byte[] sample(Path run, String name) throws IOException {
    Path picture = folder.resolve("class.png");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            1,
            "--steps",
            2,
            "--class",
            name,
            "--output",
            picture)
        .isOk();
    return Files.readAllBytes(picture);
  }

  @Test
  void networksThatKnowNoClassesSaySo() {
    Path run = train();
    Cli.run("sample", "--run", run, "--class", "1").isBadInput("was not told classes");
    Cli.run(Cli.tinyTraining(data, folder.resolve("other"), 1, "--label-dropout", "0.2"))
        .isBadInput("'--label-dropout' goes with '--class-conditional', which is missing");
  }

  /** A run of six timesteps with a network of its own options. */
  private Path trainNetwork(Object... options) {
    Path run = folder.resolve("network");
    Stream<Object> all =
        Stream.concat(
            Stream.of("train", "--data", data, "--run", run, "--steps", 2, "--batch-size", 2),
            Stream.concat(
                Stream.of("--timesteps", 6, "--sample-steps", 2, "--validation-images", 2),
                Stream.of(options)));
    Cli.run(all.toArray()).isOk();
    return run;
  }

  @Test
  void theTutorialsNetworkTrains() throws IOException {
    Path run = trainNetwork("--network", "tutorial", "--dim", 4, "--class-conditional");
    assertThat(config(run).at("/model/_model").asText()).isEqualTo("tutorial");
    assertThat(config(run).at("/model/timesteps").asInt()).isEqualTo(6);
    assertThat(run.resolve("samples.png")).isNotEmptyFile();
  }

  @Test
  void theMinimalNetworkTrains() throws IOException {
    Path run = trainNetwork("--network", "minimal", "--dim", 2, "--image-size", 16);
    assertThat(config(run).at("/model/_model").asText()).isEqualTo("minimal");
  }

  /** Its folder is one that diffusers opens. */
  @Test
  void diffusersNetworkTrains() throws IOException {
    Path run =
        trainNetwork(
            "--network",
            "unet2d",
            "--dim",
            8,
            "--dim-mults",
            "1,2",
            "--groups",
            4,
            "--dropout",
            0.1,
            "--class-conditional");
    JsonNode unet =
        new ObjectMapper().readTree(run.resolve("unet").resolve("config.json").toFile());
    assertThat(unet.get("_class_name").asText()).isEqualTo("UNet2DModel");
    assertThat(unet.get("block_out_channels").toString()).isEqualTo("[8,16]");
    assertThat(unet.get("down_block_types").toString())
        .isEqualTo("[\"DownBlock2D\",\"AttnDownBlock2D\"]");
    assertThat(unet.get("sample_size").asInt()).isEqualTo(8);
    assertThat(unet.get("dropout").asDouble()).isEqualTo(0.1);
    assertThat(unet.get("num_class_embeds").asInt()).isEqualTo(11);
    assertThat(sample(run, "Bag")).isNotEqualTo(sample(run, "Dress"));
    Cli.run("info", run).isOk();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--network minimal --image-size 16 --class-conditional | cannot be told classes",
        "--network tutorial --groups 4 | The option '--groups' goes with '--network annotated'",
        "--network tutorial --dropout 0.1 | The option '--dropout' goes with '--network annotated'",
        "--attention none --attention-heads 4 | The option '--attention-heads'",
        "--attention top | expected all, middle, none but was 'top'",
        "--network unet2d --attention none | The option '--attention' goes with",
        "--block convnext --dropout 0.1 | The option '--dropout'",
        "--dropout 1 | --dropout is 1.0; it must be in [0,1)",
        "--network tutorial --loss-terms hybrid | take 2: the prediction and the variance",
        "--loss l1 --weighting min-snr | The weighting min-snr is made for squared errors",
        "--schedule jsd --parameterization epsilon | nothing of the image is left",
        "--class-conditional --label-dropout 1 | The label dropout is 1.0; it must be in [0,1)",
        "--parameterization noise | expected epsilon, x0, v, flow, edm, score, mean but was 'noise'"
      })
  void whatDoesNotFitIsRefused(String options, String message) {
    Object[] args =
        Stream.concat(
                Stream.of("train", "--data", data, "--run", folder.resolve("run"), "--steps", 1),
                Arrays.stream(options.split(" ")))
            .toArray();
    Cli.run(args).isBadInput(message);
    assertThat(folder.resolve("run")).doesNotExist();
  }
}

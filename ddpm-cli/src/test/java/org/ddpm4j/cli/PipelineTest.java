package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import onnx.Onnx;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.Unet2D.Block;
import org.ddpm4j.unet.model.Unet2D.Level;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Folders of diffusers pipelines, drawn with, looked into and converted. */
class PipelineTest {

  private static final String INDEX = "model_index.json";
  private static final String SCHEDULER = "scheduler/scheduler_config.json";
  private static final String UNET = "unet/config.json";
  private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

  private static Unet unet;

  @TempDir private Path folder;
  private Path pipeline;

  @BeforeAll
  static void makeNetwork() {
    Unet2D network =
        Unet2D.of(
                1,
                List.of(
                    new Level(8, Block.PLAIN, Block.PLAIN),
                    new Level(8, Block.ATTENTION, Block.ATTENTION)),
                2)
            .withSampleSize(new Unet2D.ImageSize(8, 4))
            .withClassEmbeddings(3);
    unet = Unet.create(network, DataType.FLOAT, 0);
  }

  @BeforeEach
  void writePipeline() throws IOException {
    pipeline = folder.resolve("pipeline");
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            new LinearSchedule(0.01, 0.2),
            20,
            Parameterization.V,
            SamplerConfig.of(SamplerType.DDIM),
            X0Clipping.UNIT);
    PipelineFolder.write(pipeline, new DiffusersPipeline(unet, scheduler, List.of("cat", "dog")));
  }

  private void replace(String file, String text, String by) throws IOException {
    Path path = pipeline.resolve(file);
    String before = Files.readString(path);
    assertThat(before).contains(text);
    Files.writeString(path, before.replace(text, by));
  }

  /** With ε, the first answer would tell nothing of the image; a level below, it does. */
  @Test
  void epsilonOnAScheduleOfZeroTerminalSnrIsRefusedBeforeAnythingIsDrawn() throws IOException {
    replace(SCHEDULER, "\"v_prediction\"", "\"epsilon\"");
    replace(SCHEDULER, "\"rescale_betas_zero_snr\" : false", "\"rescale_betas_zero_snr\" : true");
    replace(SCHEDULER, "\"leading\"", "\"trailing\"");
    Path output = folder.resolve("x.png");
    String[] sentence = {"nothing of the image is left", "predicts epsilon", "--spacing leading"};
    Object[] all = {"--model", pipeline, "--size", "8x4", "--output", output};
    Cli.run(Stream.concat(Stream.of("sample", "--steps", 3), Arrays.stream(all)).toArray())
        .isBadInput(sentence);
    assertThat(output).doesNotExist();
    draw("leading.png", "--model", pipeline, "--steps", 3, "--spacing", "leading");
  }

  private Path draw(String name, Object... options) {
    Path output = folder.resolve(name);
    Object[] args =
        Stream.concat(
                Stream.of("sample", "--count", 3, "--scale", 1, "--output", output),
                Arrays.stream(options))
            .toArray();
    Cli.run(args).isOk();
    return output;
  }

  private static Object[] training(Path data, Path run, Object... more) {
    Stream<Object> small =
        Stream.of(
            "train",
            "--offline",
            "--data",
            data,
            "--run",
            run,
            "--steps",
            3,
            "--network",
            "unet2d",
            "--dim",
            4,
            "--dim-mults",
            "1,2",
            "--groups",
            2,
            "--schedule",
            "jsd",
            "--timesteps",
            6,
            "--parameterization",
            "x0",
            "--batch-size",
            4,
            "--validation-images",
            4,
            "--sample-steps",
            2);
    return Stream.concat(small, Arrays.stream(more)).toArray();
  }

  @Test
  void everythingIsInTheFiles() throws IOException {
    Path own = draw("own.png", "--model", pipeline, "--steps", 5);
    BufferedImage grid = ImageIO.read(own.toFile());
    assertThat(grid.getWidth()).isEqualTo(3 * 5 + 1);
    assertThat(grid.getHeight()).isEqualTo(9 + 1);
    Path told =
        draw(
            "told.png",
            "--model",
            pipeline.resolve("unet"),
            "--steps",
            5,
            "--timesteps",
            20,
            "--beta-start",
            0.01,
            "--beta-end",
            0.2,
            "--parameterization",
            "v",
            "--sampler",
            "ddim",
            "--size",
            "8x4");
    // That network's classes have no names, and the null class takes its turn.
    Path one = draw("one.png", "--model", pipeline, "--steps", 5, "--class", "dog");
    assertThat(one).satisfies(file -> assertThat(Files.mismatch(file, own)).isNotNegative());
    assertThat(ImageIO.read(told.toFile()).getWidth()).isEqualTo(grid.getWidth());
    Path numbered =
        draw(
            "numbered.png",
            "--model",
            pipeline.resolve("unet"),
            "--steps",
            5,
            "--timesteps",
            20,
            "--beta-start",
            0.01,
            "--beta-end",
            0.2,
            "--parameterization",
            "v",
            "--sampler",
            "ddim",
            "--class",
            1);
    assertThat(numbered).hasSameBinaryContentAs(one);
  }

  @Test
  void optionsOverrideTheSampler() throws IOException {
    Path own = draw("own.png", "--model", pipeline, "--steps", 5);
    Path same = draw("same.png", "--model", pipeline, "--steps", 5, "--sampler", "ddim");
    assertThat(same).hasSameBinaryContentAs(own);
    Path other =
        draw("other.png", "--model", pipeline, "--steps", 5, "--sampler", "dpm++", "--order", 1);
    assertThat(Files.mismatch(other, own)).isNotNegative();
    Path spaced = draw("spaced.png", "--model", pipeline, "--steps", 5, "--spacing", "trailing");
    assertThat(Files.mismatch(spaced, own)).isNotNegative();
    assertThat(
            ImageIO.read(draw("big.png", "--model", pipeline, "--size", "8").toFile()).getWidth())
        .isEqualTo(3 * 9 + 1);
    Cli.run("sample", "--model", pipeline, "--order", 2).isBadInput("order", "ddim");
  }

  @ParameterizedTest
  @CsvSource({
    "--schedule, cosine",
    "--timesteps, 20",
    "--parameterization, v",
    "--normalization, symmetric",
    "--weights, ema"
  })
  void whatTheFilesSayIsNotSaidAgain(String option, String value) {
    Cli.run("sample", "--model", pipeline, option, value).isBadInput(option, "does not go with");
  }

  @Test
  void aVariantIsReadAndWrittenAnew() throws IOException {
    Path weights = pipeline.resolve("unet").resolve("diffusion_pytorch_model.safetensors");
    Path halves = pipeline.resolve("unet").resolve("diffusion_pytorch_model.fp16.safetensors");
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    unet.parameters()
        .toPyTorch()
        .forEach((name, tensor) -> tensors.put(name, tensor.castTo(DataType.FLOAT16)));
    SafetensorsWriter.write(halves, tensors, Map.of());
    Object[] source = {"--model", pipeline, "--variant", "fp16"};
    Path drawn = draw("halves.png", source);
    Path anew = folder.resolve("anew");
    Cli.run(
            "convert",
            "--model",
            pipeline,
            "--variant",
            "fp16",
            "--to",
            "diffusers",
            "--output",
            anew)
        .isOk();
    assertThat(draw("anew.png", "--model", anew)).hasSameBinaryContentAs(drawn);
    Files.delete(weights);
    assertThat(draw("only.png", "--model", pipeline)).hasSameBinaryContentAs(drawn);
    Cli.run("info", pipeline, "--variant", "bf16")
        .isBadInputAtEnd("variant bf16; choose one of fp16");
  }

  @Test
  void infoTellsWhatIsInIt() {
    assertThat(Cli.run("info", pipeline).isOk().out())
        .contains("DDIMScheduler", "linear, T = 20", "8x4x1", "cat, dog", "clip to [-1.0,1.0]");
  }

  @Test
  void withoutASampleSizeOneIsAsked() throws IOException {
    replace(UNET, "[ 8, 4 ]", "null");
    Cli.run("sample", "--model", pipeline).isBadInput("--size");
    Cli.run("sample", "--model", pipeline.resolve("unet")).isBadInput("--size");
    draw("sized.png", "--model", pipeline, "--steps", 2, "--size", "8x4");
    Cli.run("sample", "--model", pipeline, "--size", "7x4").isBadInput("multiples of 2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        INDEX
            + " | DDIMPipeline\" | x\", \"movq\": [\"diffusers\", \"VQModel\"], \"y\": \"z\" | part movq",
        INDEX + " | UNet2DModel | UNet2DConditionModel | UNet2DConditionModel",
        INDEX + " | DDIMScheduler | RePaintScheduler | RePaintScheduler",
        INDEX + " | \"unet\" | \"_unet\" | unet is missing",
        INDEX + " | { | [ | not JSON",
        SCHEDULER
            + " | \"num_train_timesteps\" : 20 | \"num_train_timesteps\" : 1e9 | num_train_timesteps",
        SCHEDULER + " | \"beta_start\" : 0.01 | \"beta_start\" : NaN | beta_start",
        SCHEDULER + " | \"beta_start\" : 0.01 | \"beta_end\" : 0.01 | Duplicate field",
        SCHEDULER + " | \"clip_sample\" | \"dance\" : 1, \"clip_sample\" | dance is 1",
        UNET + " | [ 8, 4 ] | 2000000000 | sample_size",
        UNET + " | [ 8, 4 ] | [ 8, 4, 4 ] | sample_size",
        UNET
            + " | \"layers_per_block\" : 2 | \"layers_per_block\" : 1 | does not fit the config.json",
        UNET
            + " | \"layers_per_block\" : 2 | \"layers_per_block\" : 3 | does not fit the config.json",
        UNET
            + " | \"block_out_channels\" : [ 8, 8 ] | \"block_out_channels\" : [ 8, 16 ] | does not fit",
        UNET + " | \"out_channels\" : 1 | \"out_channels\" : 9 | does not fit",
        UNET + " | \"UNet2DModel\" | \"VQModel\" | VQModel"
      })
  void aBadFileIsOneSentence(String file, String text, String by, String part) throws IOException {
    replace(file, text, by);
    Cli.run("sample", "--model", pipeline).isBadInput(part);
    Cli.run("info", pipeline).isBadInputAtEnd(part);
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", folder.resolve("run"))
        .isBadInput(part);
    assertThat(folder.resolve("run")).doesNotExist();
  }

  @Test
  void infoTellsWhatItCanBesideAFileThatIsMissing() throws IOException {
    Files.delete(pipeline.resolve(WEIGHTS));
    assertThat(Cli.run("info", pipeline).isBadInputAtEnd(WEIGHTS + " does not exist").out())
        .contains("DDIMScheduler", "linear, T = 20", "UNet2DModel", "multiples of 2");
    Files.delete(pipeline.resolve(SCHEDULER));
    assertThat(Cli.run("info", pipeline).isBadInputAtEnd(SCHEDULER).out())
        .contains("UNet2DModel", "multiples of 2")
        .doesNotContain("DDIMScheduler");
  }

  /**
   * diffusers 0.42.1 makes a scheduler of the class that the index names, and looks at no other
   * name.
   */
  @Test
  void anUnknownSchedulerIsWhatTheIndexSaysAndNotInSilence() throws IOException {
    Path drawn = draw("drawn.png", "--model", pipeline, "--steps", 2);
    replace(SCHEDULER, "\"DDIMScheduler\"", "\"FooScheduler\"");
    String note =
        pipeline.resolve(SCHEDULER)
            + " is of the scheduler \"FooScheduler\", which is not known here; as in diffusers it is"
            + " taken for a DDIMScheduler, which "
            + pipeline.resolve(INDEX)
            + " names.\n";
    assertThat(Cli.run("info", pipeline).isOk().err()).isEqualTo(note);
    Path again = folder.resolve("again.png");
    Object[] options = {"--model", pipeline, "--count", 3, "--scale", 1, "--steps", 2};
    Cli.Result result =
        Cli.run(
                Stream.concat(Stream.of("sample", "--output", again), Arrays.stream(options))
                    .toArray())
            .isOk();
    assertThat(result.err()).contains(note);
    assertThat(again).hasSameBinaryContentAs(drawn);
    for (String kind : List.of("run", "diffusers", "onnx")) {
      Path output = folder.resolve(kind);
      result = Cli.run("convert", "--model", pipeline, "--to", kind, "--output", output).isOk();
      assertThat(result.err()).contains(note);
    }
  }

  /** A graph needs no scheduler; everything else does. */
  @Test
  void withoutTheIndexAnUnknownSchedulerDrawsNothing() throws IOException {
    replace(SCHEDULER, "\"DDIMScheduler\"", "\"FooScheduler\"");
    Files.delete(pipeline.resolve(INDEX));
    String refusal = SCHEDULER + ": _class_name is \"FooScheduler\"; supported is DDPMScheduler";
    Cli.run("sample", "--model", pipeline).isBadInput(refusal);
    Path output = folder.resolve("output");
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", output).isBadInput(refusal);
    assertThat(Cli.run("info", pipeline).isBadInputAtEnd(refusal).out()).contains("UNet2DModel");
    Cli.Result graph =
        Cli.run("convert", "--model", pipeline, "--to", "onnx", "--output", output).isOk();
    assertThat(graph.err())
        .startsWith("Only the network of " + pipeline + " is used; the pipeline itself cannot draw")
        .contains(refusal);
  }

  @Test
  void aPipelineWithoutSampleSizeIsNotWrittenAnew() throws IOException {
    replace(UNET, "[ 8, 4 ]", "null");
    Path anew = folder.resolve("anew");
    Cli.run("convert", "--model", pipeline, "--to", "diffusers", "--output", anew)
        .isBadInput("has no sample_size");
    assertThat(anew).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({SCHEDULER, UNET, WEIGHTS})
  void aMissingFileIsNamed(String file) throws IOException {
    Files.delete(pipeline.resolve(file));
    Cli.run("sample", "--model", pipeline).isBadInput(Path.of(file).getFileName().toString());
  }

  @ParameterizedTest
  @CsvSource({INDEX, SCHEDULER, UNET})
  void deepNestingIsNoStackTrace(String file) throws IOException {
    Files.writeString(pipeline.resolve(file), "{\"a\":".repeat(100_000));
    Cli.run("sample", "--model", pipeline).isBadInput(Path.of(file).getFileName().toString());
  }

  @Test
  void weightsThatAreCutOffOrHostileAreRefused() throws IOException {
    Path weights = pipeline.resolve(WEIGHTS);
    byte[] bytes = Files.readAllBytes(weights);
    for (int length : new int[] {0, 7, 100, bytes.length / 2, bytes.length - 1}) {
      Files.write(weights, Arrays.copyOf(bytes, length));
      Cli.run("sample", "--model", pipeline).isBadInput(weights.getFileName().toString());
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, Long.MAX_VALUE);
    Files.write(weights, bytes);
    Cli.run("sample", "--model", pipeline).isBadInput(weights.getFileName().toString());
  }

  @Test
  void aPickleIsRefusedAndNotTakenForARun() throws IOException {
    Path pickle = pipeline.resolve("unet/diffusion_pytorch_model.bin");
    Files.delete(pipeline.resolve(WEIGHTS));
    Files.writeString(pickle, "\u0080\u0002cos\nsystem\n.", StandardCharsets.ISO_8859_1);
    Cli.run("sample", "--model", pipeline).isBadInput("asks for 'os.system'");
    Cli.run("info", pipeline).isBadInputAtEnd("asks for 'os.system'");
    Cli.run("info", pipeline.resolve("unet")).isBadInputAtEnd("asks for 'os.system'");
  }

  @Test
  void aPipelineBecomesARunAndComesBack() throws IOException {
    Path run = folder.resolve("run");
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", run).isOk();
    assertThat(Cli.run("info", run).isOk().out())
        .contains("unknown", "not known", "linear, T = 20");
    Path ofRun = draw("run.png", "--run", run, "--steps", 5, "--sampler", "ddim", "--class", "cat");
    Path ofModel = draw("model.png", "--model", pipeline, "--steps", 5, "--class", "cat");
    assertThat(ofRun).hasSameBinaryContentAs(ofModel);
    Cli.run("evaluate", "--run", run).isBadInput("--dataset");

    Path back = folder.resolve("back");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--sampler", "ddim", "--output", back)
        .isOk();
    for (String file : List.of(INDEX, UNET, WEIGHTS, SCHEDULER, "class_names.json")) {
      assertThat(back.resolve(file)).hasSameBinaryContentAs(pipeline.resolve(file));
    }
    Cli.run("convert", "--run", run, "--to", "diffusers", "--output", back).isBadInput("not empty");
  }

  @Test
  void betasWithoutANameMakeNoRun() throws IOException {
    replace(
        SCHEDULER,
        "\"num_train_timesteps\" : 20",
        "\"num_train_timesteps\" : 3, \"trained_betas\" : [0.1, 0.3, 0.2]");
    replace(SCHEDULER, "\"trained_betas\" : null,", "");
    draw("trained.png", "--model", pipeline, "--steps", 2);
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", folder.resolve("run"))
        .isBadInput("trained_betas");
  }

  @Test
  void aTrainedRunGoesToDiffusersWithEitherWeights() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(training(data, run, "--class-conditional")).isOk();
    Path ema = folder.resolve("ema");
    Path last = folder.resolve("last");
    assertThat(Cli.run("convert", "--run", run, "--to", "diffusers", "--output", ema).isOk().err())
        .contains("call its unet with class_labels");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--weights", "model", "--output", last)
        .isOk();
    assertThat(Files.mismatch(ema.resolve(WEIGHTS), last.resolve(WEIGHTS))).isNotNegative();
    assertThat(ema.resolve(WEIGHTS)).hasSameBinaryContentAs(run.resolve(WEIGHTS));
    assertThat(Files.readString(ema.resolve(SCHEDULER)))
        .contains(
            "\"DDPMScheduler\"", "\"clip_sample\" : true", "\"sample\"", "\"trained_betas\" : [");
    Path ofRun = draw("run.png", "--run", run, "--steps", 6, "--sampler", "ddpm");
    Path ofPipeline = draw("pipeline.png", "--model", ema, "--steps", 6);
    assertThat(ofPipeline).hasSameBinaryContentAs(ofRun);
    Cli.run("convert", "--run", run, "--to", "diffusers", "--sampler", "pndm", "--output", last)
        .isBadInput("PNDMScheduler");
  }

  @Test
  void otherNetworksStayHere() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    Path output = folder.resolve("out");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--output", output)
        .isBadInput("no network like this one (U-Net of ResNet blocks,", "--network unet2d");
    assertThat(output).doesNotExist();
  }

  /** Most data sets have class names, of which a network without classes was not told. */
  @Test
  void aRunWithoutClassesGoesToDiffusersAndToSameDiff() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = folder.resolve("run");
    Cli.run(training(data, run)).isOk();
    Path output = folder.resolve("output");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--output", output).isOk();
    assertThat(output.resolve("class_names.json")).doesNotExist();
    draw("again.png", "--model", output, "--steps", 2);
    Path graph = folder.resolve("unet.fb");
    Cli.run("convert", "--run", run, "--to", "samediff", "--output", graph).isOk();
    assertThat(graph).isNotEmptyFile();
  }

  /** What it says is checked beside the file's writer, by ONNX Runtime. */
  @Test
  void runsAndPipelinesBecomeOnnxModels() throws IOException {
    Path run = folder.resolve("run");
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", run).isOk();
    Path ofPipeline = folder.resolve("pipeline.onnx");
    Path ofRun = folder.resolve("run.onnx");
    Cli.run("convert", "--model", pipeline, "--to", "onnx", "--output", ofPipeline).isOk();
    Cli.run("convert", "--run", run, "--to", "onnx", "--output", ofRun).isOk();
    assertThat(ofRun).hasSameBinaryContentAs(ofPipeline);
    Onnx.ModelProto model = Onnx.ModelProto.parseFrom(Files.readAllBytes(ofRun));
    assertThat(model.getOpsetImport(0).getVersion()).isEqualTo(17);
    assertThat(model.getGraph().getInputList())
        .extracting(Onnx.ValueInfoProto::getName)
        .containsExactly("x", "t", "labels");
    Cli.run("convert", "--run", run, "--to", "onnx", "--size", 7, "--output", ofRun)
        .isBadInput("must be multiples of");
  }

  @Test
  void drawsFromTheNoiseOfAFile() throws IOException {
    INDArray noise = NoiseSource.seeded(8, 0).gaussian(1, 3, 1, 8, 4);
    Path file = folder.resolve("noise.safetensors");
    SafetensorsWriter.write(file, Map.of("noise", noise), Map.of());
    Path output = folder.resolve("images.safetensors");
    Object[] command = {
      "sample",
      "--model",
      pipeline,
      "--steps",
      4,
      "--class",
      "dog",
      "--batch-size",
      2,
      "--noise",
      file,
      "--format",
      "safetensors",
      "--output",
      output
    };
    Cli.run(command).isOk();

    NoiseSchedule schedule = NoiseSchedule.of(new LinearSchedule(0.01, 0.2), 20);
    INDArray expected =
        new DiffusionPipeline(
                ClassConditionalDenoiser.of(unet, Parameterization.V, schedule),
                SamplerConfig.of(SamplerType.DDIM).create(schedule, 4, X0Constraint.clip(-1, 1)),
                new ImageShape(1, 8, 4))
            .sampleFrom(noise, new int[] {1, 1, 1}, 0, SamplingOptions.defaults());
    try (SafetensorsReader reader = SafetensorsReader.open(output)) {
      assertThat(reader.tensor("images")).isEqualTo(expected);
    }

    Cli.run(Stream.concat(Arrays.stream(command), Stream.of("--count", 3)).toArray())
        .isBadInput("--count", "--noise");
    SafetensorsWriter.write(file, Map.of("noise", Nd4j.zeros(3, 1, 4, 8)), Map.of());
    Cli.run(command).isBadInput("[3, 1, 4, 8]", "[N,1,8,4]");
    SafetensorsWriter.write(file, Map.of("x", noise), Map.of());
    Cli.run(command).isBadInput("noise");
  }

  @Test
  void everySourceBecomesASameDiffGraph() throws IOException {
    Path run = folder.resolve("run");
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", run).isOk();
    Path ofPipeline = folder.resolve("pipeline.fb");
    Path ofNetwork = folder.resolve("network.fb");
    Path ofRun = folder.resolve("run.fb");
    Cli.run("convert", "--model", pipeline, "--to", "samediff", "--output", ofPipeline).isOk();
    Cli.run(
            "convert",
            "--model",
            pipeline.resolve("unet"),
            "--size",
            "8x4",
            "--to",
            "samediff",
            "--output",
            ofNetwork)
        .isOk();
    Cli.run("convert", "--run", run, "--to", "samediff", "--output", ofRun).isOk();
    assertThat(ofNetwork).hasSameBinaryContentAs(ofPipeline);
    assertThat(ofRun).hasSameBinaryContentAs(ofPipeline);

    INDArray x = Nd4j.rand(DataType.FLOAT, 2, 1, 8, 4);
    INDArray t = Nd4j.createFromArray(3f, 19f);
    INDArray labels = Nd4j.createFromArray(0, 1);
    SameDiff graph = SameDiff.load(ofPipeline.toFile(), false);
    INDArray y =
        graph.outputSingle(Map.of("x", x, "t", t, "labels", labels.castTo(DataType.FLOAT)), "y");
    assertThat(y.equalsWithEps(unet.predict(new UnetInput(x, t, labels)), 1e-4)).isTrue();

    Path refused = folder.resolve("refused.fb");
    Cli.run("convert", "--model", pipeline, "--to", "samediff", "--size", 7, "--output", refused)
        .isBadInput("7");
    Cli.run("convert", "--run", run, "--to", "samediff", "--sampler", "ddim", "--output", refused)
        .isBadInput("--sampler");
    Cli.run("convert", "--run", run, "--to", "samediff", "--output", folder.resolve("no/such.fb"))
        .isBadInput("create the folder");
    assertThat(refused).doesNotExist();
  }

  @Test
  void theDirectionDecidesWhichOptionsThereAre() throws IOException {
    Cli.run("convert", "--to", "run", "--output", folder).isBadInput("--run", "--from");
    Cli.run("convert", "--run", folder, "--to", "run", "--output", folder).isBadInput("--model");
    Path text = Files.writeString(folder.resolve("text.txt"), "no model");
    for (String kind : List.of("run", "diffusers")) {
      Cli.run("convert", "--from", text, "--to", kind, "--output", folder.resolve("made"))
          .isBadInput(text + " holds neither a pipeline nor", "model_index.json", "model-N.pt");
      Cli.run(
              "convert",
              "--from",
              folder.resolve("no"),
              "--to",
              kind,
              "--output",
              folder.resolve("made"))
          .isBadInput("no does not exist", "--model");
    }
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", folder, "--sampler", "ddim")
        .isBadInput("--sampler' goes with '--to diffusers', not with '--to run'");
    Cli.run("convert", "--model", pipeline, "--to", "pdf", "--output", folder)
        .isBadInput("diffusers, run, samediff, onnx");
  }
}

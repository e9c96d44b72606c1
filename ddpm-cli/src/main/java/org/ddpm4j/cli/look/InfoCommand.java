package org.ddpm4j.cli.look;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.ChainOptions;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.options.NetworkWords;
import org.ddpm4j.cli.options.Pixels;
import org.ddpm4j.cli.report.Effort;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.weights.WeightsFile;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tells what is in a run, a model or a file of tensors, or what this machine has to compute on. */
@Command(
    name = "info",
    description =
        "Tell what is in a run, a model folder or a tensor file, or what can compute here.")
@Introduction(example = "ddpm info runs/clothes")
public final class InfoCommand implements Callable<Integer> {

  private final Console console;

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Target target;

  @HasEffect(without = {"--devices", "--run"})
  @Mixin
  private ModelPlace place;

  private static final class Target {
    @Parameters(
        paramLabel = "PATH",
        description =
            "A run's folder, a diffusers pipeline's, a model's, a checkpoint or any file of tensors,"
                + " safetensors or PyTorch's (.bin, .pt, .pth, .ckpt); or OWNER/NAME of the hub.")
    private Path path;

    @Option(names = "--run", paramLabel = "DIR", description = "A run's folder.")
    private Path run;

    @Option(
        names = "--devices",
        description = "What networks can compute on here, and why other devices cannot be used.")
    private boolean devices;
  }

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public InfoCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    if (target.devices) {
      new DeviceList(console).print();
    } else if (target.run != null) {
      describeRun(target.run);
    } else {
      describe(place.folder(target.path, console));
    }
    return 0;
  }

  private void describe(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      if (holdsCheckpoint(path)) {
        describeCheckpoint(path);
      }
      describeTensors(path);
    } else if (PipelineFolder.isPipeline(path)) {
      describePipeline(path);
    } else if (holdsWeights(path)) {
      describeModel(path);
    } else {
      describeRun(path);
    }
  }

  private void describeRun(Path path) throws IOException {
    RunFolder run = RunFolder.open(path);
    RunConfig config = run.readConfig();
    Unet unet = Unet.create(config.model().network(), DataType.FLOAT, 0);
    print("run", path);
    print("ddpm4j", Objects.requireNonNullElse(config.version(), "not known"));
    print("data", Text.format("%s, %s", config.data().name(), config.data().source()));
    boolean unseen = config.data().trainingImages() == 0;
    print(
        "images",
        unseen
            ? config.model().shape()
            : Text.format(
                "%d of %s to train on, %d held out",
                config.data().trainingImages(),
                config.model().shape(),
                config.data().validationImages()));
    print("pixels", Pixels.describe(config.model().normalization()));
    print("schedule", ChainOptions.describe(config.model().schedule()));
    describe(config.model().network(), unet);
    String steps =
        config.training().map(training -> "" + training.config().steps()).orElse("not known");
    List<Path> checkpoints = run.checkpoints().all();
    if (checkpoints.isEmpty()) {
      print(
          "steps", unseen ? "not known" : Text.format("%s, of which no checkpoint is left", steps));
      return;
    }
    Checkpoint checkpoint = run.readLatestCheckpoint(unet.parameters());
    print("steps", Text.format("%d of %s", checkpoint.step(), steps));
    print(
        "checkpoints",
        String.join(
            ", ", checkpoints.stream().map(file -> file.getFileName().toString()).toList()));
    List<LossHistory.Entry> history = checkpoint.history();
    if (!history.isEmpty()) {
      LossHistory.Entry last = history.get(history.size() - 1);
      print(
          "loss",
          Text.format(
              "%.5f in training%s, after step %d",
              last.loss(),
              Double.isNaN(last.validationLoss())
                  ? ""
                  : Text.format(", %.5f held out", last.validationLoss()),
              last.step()));
    }
    Optional<Effort> effort = Effort.ofRun(run.path());
    if (effort.isPresent()) {
      print("time", effort.get().time());
      print("speed", effort.get().speed());
      print("machine", effort.get().machine());
    }
  }

  /** Whatever their format, so that the reader can say what is wrong with it. */
  private boolean holdsWeights(Path folder) throws IOException {
    return Files.exists(WeightsLayout.find(folder, place.variant()));
  }

  private void describePipeline(Path folder) throws IOException {
    DiffusersPipeline pipeline =
        PipelineFolder.read(folder, place.variant(), DataType.FLOAT, Execution.automatic());
    try (pipeline) {
      Unet unet = pipeline.unet();
      DiffusersScheduler scheduler = pipeline.scheduler();
      print("pipeline", folder);
      print("scheduler", scheduler.className());
      print(
          "schedule",
          scheduler
              .scheduleConfig()
              .map(ChainOptions::describe)
              .orElseGet(() -> "beta by beta, T = " + scheduler.timesteps()));
      print("predicts", EnumConverter.spelling(scheduler.parameterization()));
      print(
          "sampler",
          Text.format(
              "%s, spacing %s, clip %s",
              scheduler.sampler().type().toString(),
              EnumConverter.spelling(scheduler.sampler().spacing()),
              describe(scheduler.clipping())));
      print("images", pipeline.shape().map(ImageShape::toString).orElse("of any size"));
      if (!pipeline.classNames().isEmpty()) {
        print("classes", String.join(", ", pipeline.classNames()));
      }
      describe(unet.config(), unet);
      if (pipeline.autoencoder().isPresent()) {
        describe(pipeline.autoencoder().get());
      }
    }
  }

  private void describe(Autoencoder autoencoder) throws IOException {
    AutoencoderConfig config = autoencoder.config();
    print(
        "autoencoder",
        Text.format(
            "diffusers' %s, %,d parameters; %d by %d pixels become a latent of %d channels%s",
            config.className(),
            autoencoder.parameterCount(),
            config.pixelsPerLatent(),
            config.pixelsPerLatent(),
            config.latents().stateChannels(),
            autoencoder
                .codebook()
                .map(codes -> Text.format(", one of %d", codes.count()))
                .orElse("")));
  }

  private static String describe(X0Clipping clipping) {
    if (clipping instanceof X0Clipping.Range range) {
      return Text.format("to [-%1$s,%1$s]", range.max());
    }
    return clipping instanceof X0Clipping.DynamicThreshold threshold
        ? Text.format("by the quantile %s, at most %s", threshold.ratio(), threshold.maxThreshold())
        : "none";
  }

  private void describeModel(Path folder) throws IOException {
    Unet unet = UnetFolder.read(folder, place.variant(), DataType.FLOAT, Execution.automatic());
    print("model", folder);
    describe(unet.config(), unet);
    console.printLine("");
    describeTensors(WeightsLayout.find(folder, place.variant()));
  }

  /** Whatever is wrong with a file, describing its tensors will say. */
  private static boolean holdsCheckpoint(Path file) throws IOException {
    if (!LucidrainsCheckpoint.isFile(file)) {
      return false;
    }
    try (TensorReader reader = WeightsFile.open(file)) {
      return LucidrainsCheckpoint.isCheckpoint(reader);
    }
  }

  private void describeCheckpoint(Path file) throws IOException {
    try (LucidrainsCheckpoint checkpoint =
        LucidrainsCheckpoint.read(file, Optional.empty(), DataType.FLOAT, Execution.automatic())) {
      print("checkpoint", "of lucidrains' trainer");
      print(
          "schedule",
          checkpoint
              .scheduleConfig()
              .map(ChainOptions::describe)
              .orElseGet(() -> "beta by beta, T = " + checkpoint.schedule().timesteps()));
      print("predicts", EnumConverter.spelling(checkpoint.parameterization()));
      describe(checkpoint.unet().config(), checkpoint.unet());
    } catch (IOException e) {
      print("checkpoint", "of lucidrains' trainer. " + e.getMessage());
    }
    console.printLine("");
  }

  private void describe(UnetConfig config, Unet unet) throws IOException {
    print("network", NetworkWords.describe(config));
    print(
        "parameters",
        Text.format(
            "%,d in %d tensors",
            unet.parameters().count(), unet.parameters().declarations().size()));
    print("image sizes", "multiples of " + config.sizeDivisor());
  }

  private void describeTensors(Path file) throws IOException {
    try (TensorReader reader = WeightsLayout.open(file)) {
      print("file", file);
      if (reader instanceof SafetensorsReader safetensors) {
        for (Map.Entry<String, String> entry : safetensors.metadata().entrySet()) {
          print(entry.getKey(), entry.getValue());
        }
      }
      print("tensors", reader.names().size());
      int width = reader.names().stream().mapToInt(String::length).max().orElse(0);
      for (String name : reader.names()) {
        console.printLine(
            "  %s  %-8s %s",
            name + " ".repeat(width - name.length()),
            reader.dataType(name),
            Arrays.toString(reader.shape(name)));
      }
      if (reader instanceof SafetensorsReader safetensors) {
        safetensors.verifyChecksum();
      }
    }
  }

  private void print(String key, Object value) throws IOException {
    console.printLine("%-12s %s", key, value);
  }
}

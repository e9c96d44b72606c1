package org.ddpm4j.cli.look;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.ChainOptions;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.options.NetworkWords;
import org.ddpm4j.cli.options.PixelScale;
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

  /** Sentences; two parts may fail by the same file. */
  private final Set<String> failures = new LinkedHashSet<>();

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
    if (!failures.isEmpty()) {
      throw new IOException(String.join(" ", failures));
    }
    return 0;
  }

  /** Tells of a part; what cannot be read of it is said after all the others. */
  private boolean attempt(Part part) {
    try {
      part.tell();
      return true;
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
      return false;
    }
  }

  private interface Part {
    void tell() throws IOException;
  }

  private void describe(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      if (holdsCheckpoint(path)) {
        describeCheckpoint(path);
      }
      describeTensors(path);
    } else if (PipelineFolder.isPipeline(path)) {
      describePipeline(path);
    } else if (holdsNetwork(path)) {
      describeModel(path);
    } else {
      describeRun(path);
    }
  }

  private void describeRun(Path path) throws IOException {
    RunFolder run = RunFolder.open(path);
    RunConfig config = run.readConfig();
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
    print("pixels", PixelScale.describe(config.model().normalization()));
    print("schedule", ChainOptions.describe(config.model().schedule()));
    try (Unet unet = Unet.create(config.model().network(), DataType.FLOAT, 0)) {
      describe(unet);
      attempt(() -> describeTraining(run, config, unet));
    }
    attempt(() -> describeWeights(run));
    Optional<Effort> effort = Effort.ofRun(run.path());
    if (effort.isPresent()) {
      print("time", effort.get().time());
      print("speed", effort.get().speed());
      print("machine", effort.get().machine());
    }
  }

  private void describeTraining(RunFolder run, RunConfig config, Unet unet) throws IOException {
    String steps =
        config.training().map(training -> "" + training.config().steps()).orElse("not known");
    List<Path> checkpoints = run.checkpoints().all();
    if (checkpoints.isEmpty()) {
      boolean unseen = config.data().trainingImages() == 0;
      print(
          "steps", unseen ? "not known" : Text.format("%s, of which no checkpoint is left", steps));
      return;
    }
    for (Path older : checkpoints.subList(0, checkpoints.size() - 1)) {
      attempt(() -> SafetensorsReader.open(older).close());
    }
    print(
        "checkpoints",
        String.join(
            ", ", checkpoints.stream().map(file -> file.getFileName().toString()).toList()));
    Checkpoint checkpoint = run.readLatestCheckpoint(unet.parameters());
    print("steps", Text.format("%d of %s", checkpoint.step(), steps));
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
  }

  /** Those beside the checkpoints, which a training writes at its end. */
  private void describeWeights(RunFolder run) throws IOException {
    if (Files.exists(run.unet())) {
      UnetFolder.read(run.unet(), DataType.FLOAT).close();
      print("weights", WeightsLayout.find(run.unet(), Optional.empty()));
    } else {
      print(
          "weights",
          Text.format(
              run.checkpoints().all().isEmpty()
                  ? "none; there is neither a checkpoint nor the folder %s"
                  : "of the checkpoints alone; there is no folder %s",
              run.unet()));
    }
  }

  /**
   * Weights whatever their format, so that the reader can say what is wrong with them, or at least
   * the configuration of a network.
   */
  private boolean holdsNetwork(Path folder) throws IOException {
    if (Files.exists(WeightsLayout.find(folder, place.variant()))) {
      return true;
    }
    try {
      UnetFolder.readConfig(folder.resolve(UnetFolder.CONFIG));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void describePipeline(Path folder) throws IOException {
    print("pipeline", folder);
    attempt(() -> describe(PipelineFolder.readScheduler(folder)));
    if (!attempt(() -> describeParts(folder))) {
      attempt(
          () ->
              describe(
                  UnetFolder.readConfig(PipelineFolder.unet(folder).resolve(UnetFolder.CONFIG))));
    }
  }

  private void describe(DiffusersScheduler scheduler) throws IOException {
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
  }

  private void describeParts(Path folder) throws IOException {
    try (DiffusersPipeline pipeline =
        PipelineFolder.read(folder, place.variant(), DataType.FLOAT, Execution.automatic())) {
      print("images", pipeline.shape().map(ImageShape::toString).orElse("of any size"));
      if (!pipeline.classNames().isEmpty()) {
        print("classes", String.join(", ", pipeline.classNames()));
      }
      describe(pipeline.unet());
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
            "diffusers' %s, %,d parameter(s); %d by %d pixels become a latent of %d channel(s)%s",
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
    print("model", folder);
    if (!attempt(() -> describeNetwork(folder))) {
      attempt(() -> describe(UnetFolder.readConfig(folder.resolve(UnetFolder.CONFIG))));
    }
    console.printLine("");
    attempt(() -> describeTensors(WeightsLayout.find(folder, place.variant())));
  }

  private void describeNetwork(Path folder) throws IOException {
    try (Unet unet =
        UnetFolder.read(folder, place.variant(), DataType.FLOAT, Execution.automatic())) {
      describe(unet);
    }
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
      describe(checkpoint.unet());
    } catch (IOException e) {
      print("checkpoint", "of lucidrains' trainer. " + e.getMessage());
    }
    console.printLine("");
  }

  private void describe(Unet unet) throws IOException {
    print("network", NetworkWords.describe(unet.config()));
    print(
        "parameters",
        Text.format(
            "%,d in %d tensor(s)",
            unet.parameters().count(), unet.parameters().declarations().size()));
    print("image sizes", "multiples of " + unet.config().sizeDivisor());
  }

  /** Without its parameters, of which a damaged file may name more than there is memory for. */
  private void describe(UnetConfig config) throws IOException {
    print("network", NetworkWords.describe(config));
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

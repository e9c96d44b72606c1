package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.PipelineFiles;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.io.TemporaryFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.Hub;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.io.hub.NoSuchModelException;
import org.ddpm4j.spark.files.RemotePaths;
import org.ddpm4j.spark.sampling.PackedModel;
import org.ddpm4j.spark.sampling.PipelineFactory;
import org.ddpm4j.spark.training.RemoteRun;
import org.ddpm4j.unet.Execution;
import picocli.CommandLine.Option;

/** Which model draws, and how. */
final class Models {

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "Folder of a run, or of a diffusers pipeline, of any Hadoop file system, or a pipeline of the"
              + " Hugging Face hub, OWNER/NAME[@REVISION] (default: the model of clothes that ddpm4j"
              + " brings).")
  private String model;

  @Option(
      names = "--sampler",
      paramLabel = "TYPE",
      description = "As of ddpm sample: ${COMPLETION-CANDIDATES} (default: the model's own).")
  private SamplerType sampler;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Denoising steps, 1 to T (default: as of ddpm sample).")
  private Integer steps;

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description = "Name or number of the only class to draw (default: all in turn).")
  private String onlyClass;

  @Option(names = "--count", paramLabel = "N", required = true, description = "Number of images.")
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      description = "Tasks that the images are shared out to (default: four for each core).")
  private Integer partitions;

  /** Set by picocli. */
  Models() {}

  int count() {
    return count;
  }

  long seed() {
    return seed;
  }

  Integer partitions() {
    return partitions;
  }

  /** Before a session begins. */
  void check() {
    SparkApplication.requireAtLeastOne("--count", count);
    SparkApplication.requirePartitions("--partitions", partitions);
  }

  /** A model, and how it draws. */
  record Drawing(PackedModel model, PipelineFactory pipelines) {}

  /**
   * Opens the model here, too, so that what is not possible is found before a job begins.
   *
   * @param hasPictures whether images are written as pictures
   */
  Drawing read(Configuration configuration, boolean hasPictures) throws IOException {
    PackedModel packed = packed(configuration);
    try (DiffusionModel opened = packed.open(Execution.automatic())) {
      if (steps != null) {
        DefaultSampler.requireSteps(steps, opened.schedule().timesteps());
      }
      PipelineFactory pipelines = pipelines(onlyClass == null ? null : row(opened));
      pipelines.create(opened);
      if (hasPictures) {
        Images.requirePictures(opened.shape().channels());
      }
      return new Drawing(packed, pipelines);
    }
  }

  private int row(DiffusionModel opened) {
    if (!opened.isClassConditional()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network was not told classes, so that --class %s cannot be drawn; train one with --class-conditional.",
              onlyClass));
    }
    return opened.classes().find(onlyClass);
  }

  private PackedModel packed(Configuration configuration) throws IOException {
    if (model == null) {
      return PackedModel.bundled();
    }
    Path path = RemotePaths.path(model);
    FileSystem files = RemotePaths.fileSystem(path, configuration);
    if (!files.exists(path)) {
      return ofHub();
    }
    if (files.getScheme().equals("file")) {
      return PackedModel.of(java.nio.file.Path.of(files.makeQualified(path).toUri().getPath()));
    }
    if (!files.exists(new Path(path, PipelineFolder.INDEX))) {
      try (RemoteRun run = RemoteRun.open(model, configuration)) {
        java.nio.file.Path copy = run.downloadForDrawing();
        try {
          return PackedModel.ofRun(copy);
        } catch (IOException e) {
          throw new IOException(e.getMessage().replace(copy.toString(), model), e);
        }
      }
    }
    try (TemporaryFolder copy = new TemporaryFolder("ddpm4j-model-")) {
      java.nio.file.Path folder = copy.path().resolve("model");
      files.copyToLocalFile(false, path, new Path(folder.toUri()), true);
      return PackedModel.ofPipeline(folder);
    }
  }

  /** The driver alone asks the hub; executors are sent the files. */
  private PackedModel ofHub() throws IOException {
    if (!HubName.isName(model)) {
      throw new IOException(
          Text.format(
              "%s does not exist; name the folder of a run or a pipeline, or OWNER/NAME of the hub.",
              model));
    }
    HubName name = HubName.parse(model);
    PipelineFiles wanted = new PipelineFiles(name.toString(), Optional.empty());
    try {
      return PackedModel.of(Hub.ofEnvironment().snapshot(name, wanted));
    } catch (NoSuchModelException e) {
      throw new IOException(
          Text.format(
              "There is no folder %s, so a model of the hub was looked for: %s",
              model, e.getMessage()));
    }
  }

  /** Of values alone, which travel to the executors. */
  private PipelineFactory pipelines(Integer row) {
    SamplerType type = sampler;
    Integer length = steps;
    return own -> {
      DiffusionPipeline pipeline = pipeline(own, type, length);
      return row == null ? pipeline : pipeline.withClassOf(i -> row);
    };
  }

  private static DiffusionPipeline pipeline(DiffusionModel own, SamplerType type, Integer length) {
    if (type == null) {
      int count = length == null ? own.defaultSteps() : length;
      return own.pipeline(own.defaultSampler().create(own.schedule(), count));
    }
    return own.pipeline(type, length == null ? own.defaultSteps(type) : length);
  }
}

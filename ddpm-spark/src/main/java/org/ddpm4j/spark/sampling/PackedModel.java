package org.ddpm4j.spark.sampling;

import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.io.TemporaryFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;

/**
 * A trained model as bytes, to be sent to executors: the files of its folder, of a run's only the
 * configuration and the moving average of the weights. Each file, and so the weights, may have up
 * to 2 GB.
 */
public final class PackedModel implements Serializable {

  private static final long serialVersionUID = 1L;

  private enum Kind {
    RUN,
    PIPELINE,
    BUNDLED
  }

  private final Kind kind;
  private final TreeMap<String, byte[]> files;
  private final String name;

  private PackedModel(Kind kind, TreeMap<String, byte[]> files) {
    this.kind = kind;
    this.files = files;
    this.name = digest(kind, files);
  }

  private static String digest(Kind kind, TreeMap<String, byte[]> files) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256.", e);
    }
    digest.update(kind.name().getBytes(StandardCharsets.UTF_8));
    files.forEach(
        (path, bytes) -> {
          digest.update(path.getBytes(StandardCharsets.UTF_8));
          digest.update(bytes);
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * The model of a run.
   *
   * @param folder that train made
   * @return the model, with the moving average of the newest checkpoint
   * @throws IOException if a file is missing or damaged
   */
  public static PackedModel ofRun(Path folder) throws IOException {
    RunFolder run = RunFolder.open(folder);
    RunConfig config = run.readConfig();
    try (TemporaryFolder packed = new TemporaryFolder("ddpm4j-packed-");
        Unet unet =
            run.readUnet(config, TrainedWeights.EMA, Optional.empty(), Execution.automatic())) {
      RunFolder.create(packed.path(), config, unet);
      return new PackedModel(Kind.RUN, read(packed.path()));
    }
  }

  /**
   * The model of a diffusers pipeline.
   *
   * @param folder that holds {@value PipelineFolder#INDEX}; all of its files are packed
   * @return the model
   * @throws IOException if a file cannot be read
   */
  public static PackedModel ofPipeline(Path folder) throws IOException {
    return new PackedModel(Kind.PIPELINE, read(folder));
  }

  /**
   * The model of a folder of either kind.
   *
   * @param folder of a run, or of a diffusers pipeline
   * @return the model
   * @throws IOException if it is neither, or a file is missing or damaged
   */
  public static PackedModel of(Path folder) throws IOException {
    return PipelineFolder.isPipeline(folder) ? ofPipeline(folder) : ofRun(folder);
  }

  /**
   * The model that {@code ddpm-models} brings, which the executors must have on their class path.
   *
   * @return a model of no files
   */
  public static PackedModel bundled() {
    return new PackedModel(Kind.BUNDLED, new TreeMap<>());
  }

  private static TreeMap<String, byte[]> read(Path folder) throws IOException {
    List<Path> found;
    try (Stream<Path> all = Files.walk(folder)) {
      found = all.filter(Files::isRegularFile).toList();
    }
    TreeMap<String, byte[]> files = new TreeMap<>();
    for (Path file : found) {
      if (Files.size(file) > Integer.MAX_VALUE - 8) {
        throw new IOException(
            Text.format(
                "%s has %,d bytes, and a model is sent to executors in files of at most 2 GB; store its weights in several files.",
                file, Files.size(file)));
      }
      files.put(folder.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
    }
    return files;
  }

  /**
   * What tells this model from others.
   *
   * @return the SHA-256 of its files
   */
  public String name() {
    return name;
  }

  /**
   * Opens the model, by way of a temporary folder.
   *
   * @param execution how the network computes
   * @return the model, the caller's to close
   * @throws IOException if its files cannot be written or read
   */
  public DiffusionModel open(Execution execution) throws IOException {
    if (kind == Kind.BUNDLED) {
      return DiffusionModel.bundled(execution);
    }
    try (TemporaryFolder temporary = new TemporaryFolder("ddpm4j-model-")) {
      Path folder = temporary.path();
      for (var file : files.entrySet()) {
        Path target = folder.resolve(file.getKey());
        Files.createDirectories(target.getParent());
        Files.write(target, file.getValue());
      }
      try {
        return kind == Kind.PIPELINE
            ? DiffusionModel.ofPipeline(folder, Optional.empty(), execution)
            : DiffusionModel.ofRun(
                RunFolder.open(folder), TrainedWeights.EMA, Optional.empty(), execution);
      } catch (IOException e) {
        // By their names in the model: the folder is gone when the message is read.
        throw new IOException(e.getMessage().replace(folder + File.separator, ""), e);
      }
    }
  }
}

package org.ddpm4j.studio.drawing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.HubCache;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.unet.model.Unet2D;

/**
 * Where a model comes from.
 *
 * @param id what clients call it
 * @param kind of its files
 * @param folder of its files, or the one file that it is; none for the one that comes along
 * @param hubName its name and commit, of one of the hub
 * @param size of its images, of a checkpoint, which does not say it
 */
public record ModelSource(
    String id,
    Kind kind,
    Optional<Path> folder,
    Optional<HubName> hubName,
    Optional<Unet2D.ImageSize> size) {

  /** The kinds of files. */
  public enum Kind {
    /** The model that ddpm4j brings. */
    BUNDLED,
    /** A folder that training made. */
    RUN,
    /** A folder of a diffusers pipeline. */
    PIPELINE,
    /** A checkpoint of lucidrains' trainer, a file. */
    CHECKPOINT,
    /** A pipeline in the cache of the Hugging Face hub. */
    HUB;

    /**
     * The name in JSON.
     *
     * @return in small letters
     */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * The model that ddpm4j brings.
   *
   * @return its source, with the id {@code bundled}
   */
  public static ModelSource bundled() {
    return new ModelSource(
        "bundled", Kind.BUNDLED, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * The model of a folder.
   *
   * @param id what clients call it
   * @param folder of a run or a pipeline
   * @return its source
   * @throws IOException if it is neither
   */
  public static ModelSource of(String id, Path folder) throws IOException {
    if (Files.isRegularFile(folder.resolve(PipelineFolder.INDEX))) {
      return new ModelSource(
          id, Kind.PIPELINE, Optional.of(folder), Optional.empty(), Optional.empty());
    }
    RunFolder.open(folder);
    return new ModelSource(id, Kind.RUN, Optional.of(folder), Optional.empty(), Optional.empty());
  }

  /**
   * The model of a checkpoint of lucidrains' trainer.
   *
   * @param id what clients call it
   * @param file of tensors; whether they are of such a checkpoint is seen when it is read
   * @param size of the images, which the file does not say
   * @return its source
   */
  public static ModelSource ofCheckpoint(String id, Path file, Unet2D.ImageSize size) {
    return new ModelSource(
        id, Kind.CHECKPOINT, Optional.of(file), Optional.empty(), Optional.of(size));
  }

  /**
   * A model of the hub's cache, called by its name there.
   *
   * @param cached a pipeline
   * @return its source, with the id {@code OWNER/NAME}
   */
  public static ModelSource of(HubCache.Cached cached) {
    return new ModelSource(
        cached.name().repository(),
        Kind.HUB,
        Optional.of(cached.snapshot()),
        Optional.of(cached.name()),
        Optional.empty());
  }

  /**
   * The same under another id.
   *
   * @param other what clients call it
   * @return the source
   */
  public ModelSource withId(String other) {
    return new ModelSource(other, kind, folder, hubName, size);
  }

  /**
   * What {@code ddpm sample} is told to draw with this model.
   *
   * @return options, none for the model that comes along
   */
  public List<String> options() {
    return switch (kind) {
      case BUNDLED -> List.of();
      case RUN -> List.of("--run", folder.orElseThrow().toString());
      case PIPELINE -> List.of("--model", folder.orElseThrow().toString());
      case CHECKPOINT ->
          List.of(
              "--model",
              folder.orElseThrow().toString(),
              "--size",
              Text.format("%dx%d", size.orElseThrow().height(), size.orElseThrow().width()));
      case HUB -> {
        HubName name = hubName.orElseThrow();
        yield List.of("--model", name.repository() + "@" + name.revision());
      }
    };
  }

  /** Which weights are there; another answer says that they have changed. */
  String version() throws IOException {
    if (kind != Kind.RUN) {
      return "";
    }
    RunFolder run = RunFolder.open(folder.orElseThrow());
    Optional<Path> newest = run.checkpoints().latest();
    Path file = newest.orElse(run.unet());
    if (!Files.exists(file)) {
      throw new IOException(
          Text.format(
              "The run %s has no checkpoint yet; wait for its first, which comes every few hundred steps.",
              id));
    }
    FileTime written = Files.getLastModifiedTime(file);
    return file.getFileName() + "@" + written;
  }

  DiffusionModel load() throws IOException {
    return switch (kind) {
      case BUNDLED -> DiffusionModel.bundled();
      case RUN -> DiffusionModel.ofRun(folder.orElseThrow());
      case CHECKPOINT -> ofCheckpoint(folder.orElseThrow(), size.orElseThrow());
      case PIPELINE, HUB -> ofPixels(DiffusionModel.ofPipeline(folder.orElseThrow()));
    };
  }

  private static DiffusionModel ofCheckpoint(Path file, Unet2D.ImageSize size) throws IOException {
    try {
      return DiffusionModel.ofLucidrains(file, size.height(), size.width());
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Previews and editing show the states of samplers, which have to be pictures. */
  private DiffusionModel ofPixels(DiffusionModel model) throws IOException {
    if (model.isLatent()) {
      model.close();
      throw new IOException(
          Text.format(
              "The model %s denoises latents, which the studio does not show; draw with it by ddpm sample.",
              id));
    }
    return model;
  }
}

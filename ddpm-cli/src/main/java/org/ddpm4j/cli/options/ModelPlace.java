package org.ddpm4j.cli.options;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.DownloadProgress;
import org.ddpm4j.diffusion.diffusers.PipelineFiles;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.Hub;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.io.hub.HubSettings;
import org.ddpm4j.io.hub.NoSuchModelException;
import picocli.CommandLine.Option;

/** Where a model is, and which of its weights: a folder, or a name of the hub. */
@OptionGroup("The model")
public final class ModelPlace {

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      description =
          "Which weights of a model, as fp16 in diffusion_pytorch_model.fp16.safetensors"
              + " (default: those without a name, or the only ones).")
  private String variant;

  /** Nothing chosen yet; picocli sets the fields. */
  public ModelPlace() {}

  /**
   * The variant of the weights.
   *
   * @return its name, if the user chose one
   */
  public Optional<String> variant() {
    return Optional.ofNullable(variant);
  }

  /**
   * The folder of a model. One of the hub is downloaded unless it is in the cache.
   *
   * @param place a folder, or OWNER/NAME[@REVISION], which picocli takes for a path, too
   * @param console hears of downloads, and of a scheduler that is not what its file says
   * @return the folder; the place itself where it is no name, whether it exists or not
   * @throws IOException if there is neither such a place nor such a model, or the model can neither
   *     be downloaded nor is it in the cache
   */
  public Path folder(Path place, Console console) throws IOException {
    Path folder = find(place, console);
    PipelineFolder.remark(folder).ifPresent(console::note);
    return folder;
  }

  /**
   * The folder of a model's network, for those who need nothing but that. The console hears why a
   * pipeline could not draw.
   *
   * @param model its folder
   * @param console hears of a scheduler that cannot be read
   * @return the folder of the network; of a pipeline, one in it
   */
  public static Path network(Path model, Console console) {
    if (!PipelineFolder.isPipeline(model)) {
      return model;
    }
    try {
      PipelineFolder.readScheduler(model);
    } catch (IOException e) {
      console.note(
          "Only the network of %s is used; the pipeline itself cannot draw: %s",
          model, e.getMessage());
    }
    return PipelineFolder.unet(model);
  }

  private Path find(Path place, Console console) throws IOException {
    String text = place.toString().replace(File.separatorChar, '/');
    if (Files.exists(place) || !HubName.isName(text)) {
      return place;
    }
    HubName name = HubName.parse(text);
    PipelineFiles files = new PipelineFiles(name.toString(), variant());
    try {
      return ofHub(text, console, hub -> hub.snapshot(name, files));
    } catch (NoSuchModelException e) {
      // Many a folder is called like a model, too.
      throw new IOException(
          Text.format(
              "There is no file or folder %s, so a model of the hub was looked for: %s",
              place, e.getMessage()),
          e);
    }
  }

  /** Takes something from the hub. */
  interface HubRequest {
    Path from(Hub hub) throws IOException;
  }

  /** What the user calls so and the hub has, from the cache or downloaded. */
  static Path ofHub(String text, Console console, HubRequest request) throws IOException {
    HubSettings settings;
    try {
      settings = HubSettings.ofEnvironment();
    } catch (IllegalArgumentException e) {
      throw new BadInputException(e.getMessage());
    }
    if (!settings.offline()) {
      console.note("%s is not here: the model of %s", text, settings.endpoint());
    }
    try (DownloadProgress progress = new DownloadProgress(console)) {
      return request.from(new Hub(settings, progress));
    }
  }
}

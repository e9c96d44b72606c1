package org.ddpm4j.cli.serve;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.KnownDataSet;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.hub.HubSettings;
import org.ddpm4j.studio.server.StudioOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Opens the studio: a page on which to draw, edit, train and understand. */
@Introduction(example = "ddpm studio")
@Command(
    name = "studio",
    description = "Open a page for the browser on which to draw, edit, train and look inside.",
    footer = {
      "",
      "Everything happens on this machine. Trainings are processes of their own, which save and end",
      "with the studio; 'ddpm train --resume' goes on with them, as the page does."
    })
public final class StudioCommand implements Callable<Integer> {

  private final Console console;

  @Mixin private ServingOptions serving;

  @Option(
      names = "--runs",
      paramLabel = "DIR",
      defaultValue = "runs",
      description =
          "Folder whose runs are shown and which new ones go to (default: ${DEFAULT-VALUE}).")
  private Path runs;

  @Option(
      names = "--images",
      paramLabel = "DIR",
      description =
          "A folder of image files that can be trained on besides the known data sets; may be"
              + " repeated.")
  private List<Path> imageFolders = List.of();

  /**
   * The command.
   *
   * @param console where the address goes
   */
  public StudioCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(runs)) {
      Folders.requireWritable(runs);
    }
    for (Path images : imageFolders) {
      if (!Files.isDirectory(images)) {
        throw new BadInputException(
            "%s is not a folder, of whose images one could train; give another by --images.",
            images);
      }
    }
    return serving.serve(
        console,
        "studio",
        Optional.of(new StudioOptions(runs, new SameProgram(), dataSets(), hubCache())));
  }

  /** That of Python's tools; a setting of theirs that makes no sense is for them to refuse. */
  private static Optional<Path> hubCache() throws IOException {
    try {
      return Optional.of(HubSettings.ofEnvironment().cache());
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Names, and the options of train that they stand for. */
  private Map<String, List<String>> dataSets() {
    Map<String, List<String>> all = new TreeMap<>();
    for (KnownDataSet known : KnownDataSet.values()) {
      if (known != KnownDataSet.FOLDER) {
        String name = EnumConverter.spelling(known);
        all.put(name, List.of("--dataset", name));
      }
    }
    for (Path folder : imageFolders) {
      String name = ServingOptions.name(folder);
      List<String> before =
          all.put(name, List.of("--dataset", "folder", "--data", folder.toString()));
      if (before != null) {
        throw new BadInputException(
            "There are two data sets called %s; rename the folder %s.", name, folder);
      }
    }
    return all;
  }
}

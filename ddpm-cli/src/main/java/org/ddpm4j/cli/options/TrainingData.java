package org.ddpm4j.cli.options;

import java.nio.file.Path;
import java.util.Optional;
import org.ddpm4j.cli.terminal.ShellWord;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.diffusion.run.DataDescription;
import org.nd4j.linalg.dataset.DataSet;

/**
 * What a run is trained on.
 *
 * @param images to train on
 * @param validation held-out images, features {@code [N,C,H,W]}
 * @param description of both
 * @param loaded the images as they were read, with what was left out
 * @param folder that the user named for its files
 */
public record TrainingData(
    ImageDataSet images,
    Optional<DataSet> validation,
    DataDescription description,
    LoadedImages loaded,
    Optional<Path> folder) {

  /**
   * What the user says to go on with a run of these images.
   *
   * @param run its folder
   * @return the command
   */
  public String resumingCommand(Path run) {
    return "ddpm train --resume "
        + ShellWord.quoted(run.toString())
        + folder.map(place -> " --data " + ShellWord.quoted(place.toString())).orElse("");
  }
}

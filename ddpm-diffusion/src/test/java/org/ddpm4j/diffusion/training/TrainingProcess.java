package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The program that {@link KillAndResumeTest} kills: trains to the end from the newest checkpoint of
 * a folder, or from the beginning if there is none. Prints a line per step.
 */
final class TrainingProcess {

  private TrainingProcess() {}

  /**
   * Trains.
   *
   * @param arguments the folder, the number of steps, steps between two checkpoints
   */
  public static void main(String[] arguments) throws IOException {
    CheckpointFolder folder = new CheckpointFolder(Path.of(arguments[0]), 2);
    Trainer trainer = TinyTraining.trainer(Long.parseLong(arguments[1]));
    Optional<Path> latest = folder.latest();
    if (latest.isPresent()) {
      trainer.resume(Checkpoint.read(latest.get(), trainer.unet().parameters()));
    }
    System.out.println("begin " + trainer.step());
    trainer
        .withListener(
            (t, report) -> {
              System.out.println("step " + report.step());
              System.out.flush();
            })
        .withListener(new CheckpointListener(folder, Long.parseLong(arguments[2])))
        .fit();
    System.out.println("end");
  }
}

package org.ddpm4j.cli.look;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.examples.lessons.Lesson;
import org.ddpm4j.io.Folders;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a lesson, which leaves pictures to look at. */
@Command(
    name = "lesson",
    description = "Run a lesson of docs/lessons, in minutes, and look at its pictures.",
    footer = {
      "",
      "  a  schedules, noise and blocks: clothes from noise",
      "  b  predicting the mean, the image or the noise, and the bound",
      "  c  from one number to sixteen samples of every class",
      "  d  the minimal model, and how well it denoises"
    })
@Introduction(example = "ddpm lesson a")
public final class LessonCommand implements Callable<Integer> {

  private static final long MAX_STEPS = 10_000_000;

  private final Console console;

  @Parameters(paramLabel = "LESSON", description = "${COMPLETION-CANDIDATES}.")
  private Lesson lesson;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Folder for the pictures (default: lessons/<lesson>).")
  private Path output;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Training steps of each of its networks (default: what takes minutes).")
  private Long steps;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public LessonCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    long chosen = Objects.requireNonNullElse(steps, lesson.defaultSteps());
    BadInputException.requireRange("--steps", chosen, 1, MAX_STEPS);
    Path folder =
        Objects.requireNonNullElse(
            output, Path.of("lessons", lesson.name().toLowerCase(Locale.ROOT)));
    Folders.requireWritable(folder);
    console.note("lesson: " + lesson.title());
    lesson.run(folder, chosen, console::note);
    console.printLine(folder.toString());
    return 0;
  }
}

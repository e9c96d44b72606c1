package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/** The lessons, in the order in which to read them. */
public enum Lesson {
  /** Noise schedules and their constants, noisy images, both kinds of block. */
  A("Schedules, noise and blocks: clothes from noise", LessonA.STEPS, LessonA::run),
  /** What a network may predict, and what the bound says of it. */
  B("Predicting the mean, the image or the noise, and the bound", LessonB.STEPS, LessonB::run),
  /** One class, seeds, and a network that is told the class. */
  C("From one number to sixteen samples of every class", LessonC.STEPS, LessonC::run),
  /** The minimal model and how well it removes how much noise. */
  D("The minimal model, and how well it denoises", LessonD.STEPS, LessonD::run);

  @FunctionalInterface
  private interface Program {
    void run(LessonRun run) throws IOException;
  }

  private final String title;
  private final long defaultSteps;
  private final Program program;

  Lesson(String title, long defaultSteps, Program program) {
    this.title = title;
    this.defaultSteps = defaultSteps;
    this.program = program;
  }

  /** {@return what the lesson is about, a phrase} */
  public String title() {
    return title;
  }

  /**
   * The training steps of each of the lesson's networks that make good pictures within minutes on
   * two cores.
   *
   * @return at least 1
   */
  public long defaultSteps() {
    return defaultSteps;
  }

  /**
   * Runs the lesson.
   *
   * @param folder where the pictures go, made if missing
   * @param steps training steps of each network, at least 1
   * @param out receives lines for people to read
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public void run(Path folder, long steps, Consumer<String> out) throws IOException {
    run(LessonRun.of(folder, steps, out));
  }

  void run(LessonRun run) throws IOException {
    program.run(run);
  }

  /**
   * As mains of examples take their arguments: folder and number of steps, a dash for the default.
   */
  void main(String... args) throws IOException {
    String folder = argument(args, 0, "lessons/" + name().toLowerCase(Locale.ROOT));
    String steps = argument(args, 1, Long.toString(defaultSteps));
    run(Path.of(folder), Long.parseLong(steps), System.out::println);
  }

  private static String argument(String[] args, int index, String otherwise) {
    return args.length > index && !args[index].equals("-") ? args[index] : otherwise;
  }
}

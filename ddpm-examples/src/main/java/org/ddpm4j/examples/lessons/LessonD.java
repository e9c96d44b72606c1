package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Lesson D, to be written. */
public final class LessonD {

  static final long STEPS = 1000;

  private LessonD() {}

  /**
   * Runs the lesson.
   *
   * @param args the folder for the pictures and the number of training steps, both optional
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Lesson.D.main(args);
  }

  static void run(Path folder, long steps, Consumer<String> out) throws IOException {
    out.accept("Lesson D is not written yet.");
  }
}

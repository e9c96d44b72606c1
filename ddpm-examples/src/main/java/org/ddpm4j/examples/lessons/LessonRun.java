package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.io.Folders;

/**
 * One run of a lesson: where its pictures go, who hears of it, and how much is computed.
 *
 * @param folder for the pictures, made if missing
 * @param out receives lines for people to read
 * @param steps training steps of each network, at least 1
 * @param heldOut images on which networks are compared, at least 2
 * @param mostReverseSteps of a chain with more timesteps, only so many are walked back
 */
record LessonRun(Path folder, Consumer<String> out, long steps, int heldOut, int mostReverseSteps) {

  private static final int HELD_OUT = 64;

  /** As people run it. */
  static LessonRun of(Path folder, long steps, Consumer<String> out) {
    return new LessonRun(folder, out, steps, HELD_OUT, Integer.MAX_VALUE);
  }

  /** Says a line. */
  void say(String format, Object... values) {
    out.accept(String.format(Locale.ROOT, format, values));
  }

  /** Writes a picture and says what it shows. */
  void picture(String name, BufferedImage picture, String shows) throws IOException {
    Folders.create(folder);
    Images.writePng(picture, folder.resolve(name));
    say("%s: %s", name, shows);
  }
}

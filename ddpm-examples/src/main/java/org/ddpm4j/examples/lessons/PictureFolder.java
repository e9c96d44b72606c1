package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.io.Folders;

/** The folder that a lesson fills with pictures, and the reader who is told of each. */
record PictureFolder(Path folder, Consumer<String> out) {

  static PictureFolder create(Path folder, Consumer<String> out) throws IOException {
    Folders.create(folder);
    return new PictureFolder(folder, out);
  }

  /** Writes a picture and says in a line what it shows. */
  void save(String name, BufferedImage picture, String shows) throws IOException {
    Images.writePng(picture, folder.resolve(name));
    out.accept(name + ": " + shows);
  }

  void say(String format, Object... values) {
    out.accept(String.format(Locale.ROOT, format, values));
  }
}

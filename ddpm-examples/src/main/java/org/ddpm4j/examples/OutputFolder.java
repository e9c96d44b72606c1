package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.io.Folders;

/** The folder that an example writes to. */
final class OutputFolder {

  private OutputFolder() {}

  /** The argument of that number, or else the current folder; made if it does not exist. */
  static Path of(String[] args, int number) throws IOException {
    Path folder = Path.of(args.length > number ? args[number] : ".");
    Folders.create(folder);
    return folder;
  }
}

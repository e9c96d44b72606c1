package org.ddpm4j.io.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/** Which files of a model are needed. */
@FunctionalInterface
public interface HubSelection {

  /**
   * Chooses files. Asked again after they have been downloaded, since one may name others.
   *
   * @param names of all files of the model, with {@code /} between folders
   * @param snapshot the folder in which those that were chosen before are by now
   * @return the names of those that are needed
   * @throws IOException if they are not all among the names, or one that is there cannot be read;
   *     the message is a sentence
   */
  List<String> choose(Collection<String> names, Path snapshot) throws IOException;
}

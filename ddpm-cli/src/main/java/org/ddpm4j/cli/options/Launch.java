package org.ddpm4j.cli.options;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How this program was started: by the launcher, which says where the model is that comes along and
 * takes Java's options from the environment, or by Java itself, to which that means nothing.
 */
public final class Launch {

  private static final String HOME = "ddpm.home";

  private Launch() {}

  /** The folder of the launcher, if it was that. */
  static Optional<Path> home() {
    return Optional.ofNullable(System.getProperty(HOME)).map(Path::of);
  }

  /**
   * How to give Java an option.
   *
   * @param option of Java
   * @return what follows "by", for instance {@code DDPM_JAVA_OPTS=-Xmx4g} or {@code java -Xmx4g}
   */
  public static String javaOption(String option) {
    return (home().isPresent() ? "DDPM_JAVA_OPTS=" : "java ") + option;
  }

  /**
   * How to allow more memory outside of Java's heap.
   *
   * @return what follows "by"
   */
  public static String memoryOption() {
    return home().isPresent()
        ? "DDPM_MEMORY"
        : "java -Dorg.bytedeco.javacpp.maxbytes=8g -Dorg.bytedeco.javacpp.maxphysicalbytes=8g";
  }
}

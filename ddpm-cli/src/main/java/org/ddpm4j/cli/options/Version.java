package org.ddpm4j.cli.options;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, which Maven writes into a resource. */
public final class Version implements IVersionProvider {

  private static final String RESOURCE = "version.properties";

  /** What {@code --version} prints. */
  public Version() {}

  /**
   * The version, as in the POM.
   *
   * @return the version
   * @throws IOException if the resource cannot be read
   */
  public static String current() throws IOException {
    Properties properties = new Properties();
    try (InputStream stream = Version.class.getResourceAsStream(RESOURCE)) {
      properties.load(stream);
    }
    return properties.getProperty("version");
  }

  @Override
  public String[] getVersion() throws IOException {
    return new String[] {
      "ddpm4j " + current(),
      "Java " + Runtime.version() + " (" + System.getProperty("os.name") + ")"
    };
  }
}

package org.ddpm4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, which Maven writes into a resource. */
final class Version implements IVersionProvider {

  private static final String RESOURCE = "version.properties";

  /** The version, as in the POM. */
  static String current() throws IOException {
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

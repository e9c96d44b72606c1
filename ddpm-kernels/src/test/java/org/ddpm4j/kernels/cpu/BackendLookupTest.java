package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendLookupTest {

  private static final ClassLoader OWN = BackendLookupTest.class.getClassLoader();

  /** That of threads of the common pool, which know nothing of an application in a container. */
  private static final ClassLoader JDK = ClassLoader.getPlatformClassLoader();

  @Test
  void whatFindsABackendStays() {
    ClassLoader child = new URLClassLoader(new URL[0], OWN);
    assertThat(BackendLookup.better(child, OWN)).isSameAs(child);
  }

  @Test
  void whatFindsNoneGivesWayToOurs() {
    assertThat(BackendLookup.better(JDK, OWN)).isSameAs(OWN);
    assertThat(BackendLookup.better(null, OWN)).isSameAs(OWN);
  }

  /** Its backends are none for the ND4J that this library uses. */
  @Test
  void theClassLoaderOfAnotherApplicationGivesWayToOurs() throws IOException {
    List<URL> urls = new ArrayList<>();
    for (String place : System.getProperty("java.class.path").split(File.pathSeparator)) {
      urls.add(Path.of(place).toUri().toURL());
    }
    try (URLClassLoader other = new URLClassLoader(urls.toArray(new URL[0]), JDK)) {
      assertThat(BackendLookup.better(other, OWN)).isSameAs(OWN);
    }
  }

  @Test
  void whereNeitherFindsOneNd4jSaysSo() {
    assertThat(BackendLookup.better(JDK, JDK)).isSameAs(JDK);
    assertThat(BackendLookup.better(null, JDK)).isNull();
  }
}

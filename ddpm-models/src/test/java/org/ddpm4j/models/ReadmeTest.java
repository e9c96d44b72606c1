package org.ddpm4j.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README says of drawing, with this module alone. */
class ReadmeTest {

  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```\n", Pattern.DOTALL);
  private static final Pattern CLASS = Pattern.compile("class (\\w+) \\{");

  @TempDir private Path folder;

  /** Surefire runs tests in the module's folder. */
  private static String readme() throws IOException {
    return Files.readString(Path.of("../README.md"));
  }

  @Test
  void itsFewLinesDrawPictures() throws Exception {
    try (URLClassLoader loader = compiled()) {
      Method draw = loader.loadClass("Clothes").getDeclaredMethod("draw");
      draw.setAccessible(true);
      assertThat((List<?>) draw.invoke(null))
          .hasSize(16)
          .allSatisfy(
              picture ->
                  assertThat(picture)
                      .isInstanceOfSatisfying(
                          BufferedImage.class,
                          image -> assertThat(image.getWidth()).isEqualTo(28)));
    }
  }

  /** All Java of the page. */
  private URLClassLoader compiled() throws IOException {
    Matcher blocks = JAVA.matcher(readme());
    int count = 0;
    while (blocks.find()) {
      Matcher name = CLASS.matcher(blocks.group(1));
      assertThat(name.find()).isTrue();
      Path source = folder.resolve(name.group(1) + ".java");
      Files.writeString(source, blocks.group(1));
      String path =
          System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
      int exit =
          ToolProvider.getSystemJavaCompiler()
              .run(null, null, null, "-proc:none", "-cp", path, "-d", "" + folder, "" + source);
      assertThat(exit).as(name.group(1)).isZero();
      count++;
    }
    assertThat(count).isEqualTo(2);
    return new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
  }
}

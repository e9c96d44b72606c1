package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;

/** Where ImageIO does not find the library's readers by itself. */
class ImageReadersTest {

  private static final List<String> FILES =
      List.of("lossless.webp", "cmyk.tif", "fax.tif", "jpeg.tif", "rgb.tiff");

  private static String decoded(Path folder) throws IOException {
    ImageDecoder decoder = new ImageDecoder(new ImageShape(3, 8, 8));
    List<String> hashes = new ArrayList<>();
    for (String file : FILES) {
      hashes.add(Integer.toString(Arrays.hashCode(decoder.decode(folder.resolve(file)))));
    }
    return hashes.toString();
  }

  /** ImageIO looks once in a process, when it is first needed. */
  @Test
  void readersAreFoundInThreadsThatDoNotKnowTheApplication() throws Exception {
    Path folder = Path.of(ImageReadersTest.class.getResource("pillow/files").toURI());
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Decoding.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo(decoded(folder));
  }

  /** Prints what it makes of files. */
  public static final class Decoding {

    private Decoding() {}

    /** Takes their folder. */
    public static void main(String[] args) throws IOException {
      Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
      System.out.print(decoded(Path.of(args[0])));
    }
  }
}

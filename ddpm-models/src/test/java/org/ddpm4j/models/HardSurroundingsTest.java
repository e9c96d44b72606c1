package org.ddpm4j.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.javacpp.Loader;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where services draw: in containers, in threads of others. */
class HardSurroundingsTest {

  @TempDir private Path folder;

  /**
   * One folder must be writable, for the native libraries; and ND4J is asked first by a thread that
   * knows nothing of the application, as those of the common pool where a service is one JAR.
   */
  @Test
  void theBundledModelDrawsFastWithoutHomeTemporaryFolderAndContextClassLoader() throws Exception {
    // By a process of its own: a JVM loads natives, and ND4J its backend, once.
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + folder.resolve("none"),
                "-Duser.home=" + folder.resolve("nobody"),
                "-Dorg.bytedeco.javacpp.cachedir=" + Loader.getCacheDir(),
                "-cp",
                System.getProperty("java.class.path"),
                Drawing.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(said).isEqualTo(drawn());
  }

  private static String drawn() throws IOException {
    try (DiffusionModel model = DiffusionModel.bundled()) {
      byte[] png = Images.png(model.pipeline(SamplerType.UNIPC, 1).pictures(1, 7).get(0));
      return FusedKernels.available() + " " + Arrays.hashCode(png);
    }
  }

  /** Prints how it draws, and what. */
  public static final class Drawing {

    private Drawing() {}

    /** Takes no arguments. */
    public static void main(String[] args) throws IOException {
      Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
      System.out.print(drawn());
    }
  }
}

package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Pictures are the same on machines with fonts of their own, with others, and with none. */
class PlotFontTest {

  @TempDir private Path folder;

  /** Everything that writes: titles, axes, legends, tables. Runs in a machine of its own, too. */
  public static final class Pictures {

    private Pictures() {}

    /** Writes the picture to the file that is named. */
    public static void main(String[] args) throws IOException {
      ImageIO.write(draw(), "png", Path.of(args[0]).toFile());
    }

    static BufferedImage draw() {
      BufferedImage overview =
          ScheduleCharts.overview(NoiseSchedule.of(LinearSchedule.paper(), 100), "ᾱ, β and SNR");
      BufferedImage bars =
          BarChart.of("", List.of("a", "b"), new double[] {1, 2}, Axis.linear("bits")).draw();
      BufferedImage lines =
          LossChart.of(
                  List.of(
                      Series.overIndices("training loss", new double[] {1, 0.1}),
                      Series.overIndices("held-out loss", new double[] {1, 0.2})))
              .draw();
      return new PictureTable(List.of("first", "second"))
          .row("overview", overview)
          .row("bars", bars)
          .row("lines", lines)
          .draw();
    }
  }

  private void assertDrawsTheSame(Map<String, String> environment, List<String> before)
      throws Exception {
    Path file = folder.resolve("picture.png");
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.awt.headless=true",
            // Where the JDK would keep a list of the system's fonts.
            "-Duser.home=" + folder,
            "-cp",
            System.getProperty("java.class.path"),
            Pictures.class.getName(),
            file.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    BufferedImage there = ImageIO.read(file.toFile());
    BufferedImage here = Pictures.draw();
    assertThat(there.getRGB(0, 0, there.getWidth(), there.getHeight(), null, 0, there.getWidth()))
        .isEqualTo(here.getRGB(0, 0, here.getWidth(), here.getHeight(), null, 0, here.getWidth()));
  }

  /** Without it, JDK 17 throws an InternalError, newer ones "Fontconfig head is null". */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aSystemThatListsNoFontsDrawsTheSame() throws Exception {
    Path list = Files.writeString(folder.resolve("fonts.conf"), "<fontconfig></fontconfig>");
    assertDrawsTheSame(Map.of("FONTCONFIG_FILE", list.toString()), List.of());
  }

  /** Without it, JDK 17 throws "No physical fonts found". */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aSystemWhoseFoldersOfFontsAreEmptyDrawsTheSame() throws Exception {
    List<String> hidden =
        List.of(
            "unshare",
            "-rm",
            "sh",
            "-c",
            "mount -t tmpfs none /usr/share/fonts && exec \"$@\"",
            "-");
    List<String> trial = new ArrayList<>(hidden);
    trial.add("true");
    assumeTrue(
        Files.isDirectory(Path.of("/usr/share/fonts"))
            && new ProcessBuilder(trial).start().waitFor() == 0,
        "This user may not hide folders.");
    assertDrawsTheSame(Map.of(), hidden);
  }

  private String failing(Path temporary, List<String> before) throws Exception {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + temporary,
            "-cp",
            System.getProperty("java.class.path"),
            Pictures.class.getName(),
            folder.resolve("picture.png").toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isOne();
    return output;
  }

  @Test
  void aFolderForTemporaryFilesThatIsNotThereIsSaid() throws Exception {
    Path missing = folder.resolve("missing");
    assertThat(failing(missing, List.of()))
        .contains(
            "for temporary files, "
                + missing
                + ", and it could not be written there (there is no such folder); see");
  }

  /** The font has 760 KB, and libraries for text are there. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void whereTheFontCannotBeWrittenNoLibraryIsBlamed() throws Exception {
    List<String> limited = List.of("bash", "-c", "ulimit -f 100; exec \"$@\"", "-");
    assertThat(failing(folder, limited))
        .contains(
            "for temporary files, "
                + folder
                + ", and it could not be written there (File too large); see")
        .doesNotContain("freetype");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void theFontHasWhatChartsWrite() {
    assertThat(PlotFont.plain(12).canDisplayUpTo("β_t, ᾱ, √ε², σ · 10⁻⁴ → ∞ × ‖x‖ – … ¼"))
        .isNegative();
    assertThat(PlotFont.plain(12).getFamily()).isEqualTo("DejaVu Sans");
    assertThat(PlotFont.bold(14).isBold()).isTrue();
  }
}

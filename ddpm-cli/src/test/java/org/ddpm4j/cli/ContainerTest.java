package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.studio.server.ServerOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The container's layout, without a container. */
@EnabledOnOs(OS.LINUX)
class ContainerTest {

  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern COPY = Pattern.compile("COPY --from=build /src/(\\S+) (/\\S+)");
  private static final Pattern STAMP = Pattern.compile("RUN (: \\| cksum >)(/\\S+)");

  @TempDir private Path root;

  private static List<String> lines() throws IOException {
    return Files.readAllLines(PROJECT.resolve("Dockerfile"));
  }

  /** What is copied, with a Java that tells its arguments and nothing to build with. */
  @Test
  void theLauncherStartsWhatWasCopiedAndBuildsNothing() throws Exception {
    for (String line : lines()) {
      Matcher copy = COPY.matcher(line);
      if (copy.matches()) {
        Path target = root.resolve(copy.group(2).substring(1));
        Files.createDirectories(target.getParent());
        if (copy.group(1).equals("ddpm")) {
          Files.copy(PROJECT.resolve("ddpm"), target);
        } else {
          Files.writeString(target, "");
        }
      }
      Matcher stamp = STAMP.matcher(line);
      if (stamp.matches()) {
        run(stamp.group(1) + root.resolve(stamp.group(2).substring(1)));
      }
    }
    Path java = Files.createDirectories(root.resolve("jdk/bin")).resolve("java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        case "$*" in
        *-XshowSettings*) echo '    java.specification.version = 17' >&2 ;;
        *) echo "$@" ;;
        esac
        """);
    assertThat(java.toFile().setExecutable(true)).isTrue();

    String said =
        run("JAVA_HOME=" + root.resolve("jdk") + " " + root.resolve("opt/ddpm4j/ddpm") + " serve");
    assertThat(said)
        .doesNotContain("Building")
        .contains("-cp " + root.resolve("opt/ddpm4j/ddpm-cli/target/ddpm-cli.jar") + ":")
        .endsWith("org.ddpm4j.cli.Main serve\n");
  }

  private static String run(String command) throws Exception {
    Process process = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  @Test
  void itServesTheUsualPortAsNobodySpecialWithAToken() throws IOException {
    assertThat(lines())
        .contains("EXPOSE " + ServerOptions.DEFAULT_PORT, "USER ddpm")
        .contains("CMD [\"serve\", \"--host\", \"0.0.0.0\", \"--token-file\", \"/run/token\"]");
  }
}

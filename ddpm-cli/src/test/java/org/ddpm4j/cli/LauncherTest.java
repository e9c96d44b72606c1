package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher up to the point where it would build: what it says when it cannot. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "ddpm").toAbsolutePath().normalize();

  @TempDir private Path folder;

  private record Result(int code, String err) {}

  private Result launch(Path launcher, Path javaHome) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("bash", launcher.toString(), "--version");
    builder.environment().put("JAVA_HOME", javaHome.toString());
    Process process = builder.start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), err);
  }

  /** A Java that says only which version it is. */
  private Path javaOfVersion(String version) throws IOException {
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(
        java, "#!/bin/sh\necho '    java.specification.version = " + version + "' >&2\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    return folder.resolve("jdk");
  }

  @Test
  void aMissingJavaIsSaid() throws Exception {
    Result result = launch(LAUNCHER, folder.resolve("nowhere"));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).startsWith("ddpm: There is no ").contains("Java 17").hasLineCount(1);
  }

  @Test
  void anOldJavaIsSaid() throws Exception {
    Result result = launch(LAUNCHER, javaOfVersion("11"));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("is version 11; install Java 17").hasLineCount(1);
  }

  /** JavaCPP would otherwise allow as much memory outside of the heap as the heap has. */
  @Test
  void memoryOutsideOfTheHeapIsAllowedByTheSameLimit() throws IOException {
    assertThat(Files.readString(LAUNCHER))
        .contains(
            "-Dorg.bytedeco.javacpp.maxbytes=\"$memory\"",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=\"$memory\"");
  }

  @Test
  void aBuildThatFailsShowsItsLog() throws Exception {
    Path home = Files.createDirectory(folder.resolve("home"));
    Path launcher = Files.copy(LAUNCHER, home.resolve("ddpm"));
    Files.writeString(home.resolve("mvnw"), "#!/bin/sh\necho what went wrong\nexit 1\n");
    assertThat(home.resolve("mvnw").toFile().setExecutable(true)).isTrue();
    // By a link elsewhere, as in a folder of programs.
    Path link = Files.createSymbolicLink(folder.resolve("link"), launcher);
    Result result = launch(link, Path.of(System.getProperty("java.home")));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("Building ddpm4j", "what went wrong", "ddpm: The build failed");
    assertThat(home.resolve("ddpm-cli/target/ddpm-launcher.stamp")).doesNotExist();
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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

  /**
   * The limit that a launcher gives the program on a machine whose files about memory are these.
   *
   * @param cgroups contents of the process' list of control groups
   * @param limits path below the control groups' folder, and what the file says
   */
  private String memoryLimit(String cgroups, Map<String, String> limits) throws Exception {
    Path home = Files.createTempDirectory(folder, "home");
    Path system = Files.createTempDirectory(folder, "system");
    write(system.resolve("proc/meminfo"), "MemFree: 9 kB\nMemTotal:       4194304 kB\n");
    write(system.resolve("proc/self/cgroup"), cgroups);
    for (Map.Entry<String, String> limit : limits.entrySet()) {
      write(system.resolve("sys/fs/cgroup").resolve(limit.getKey()), limit.getValue() + "\n");
    }
    String launcher = Files.readString(LAUNCHER);
    for (String path : List.of("/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup")) {
      assertThat(launcher).contains(path);
      launcher = launcher.replace(path, system + path);
    }
    write(home.resolve("ddpm"), launcher);
    // Built already.
    write(home.resolve("ddpm-cli/target/ddpm-launcher.stamp"), "");
    Path java = javaOfVersion("17").resolve("bin/java");
    Files.writeString(java, "printf '%s\\n' \"$@\" >&2\n", StandardOpenOption.APPEND);
    return launch(home.resolve("ddpm"), folder.resolve("jdk"))
        .err()
        .lines()
        .filter(line -> line.startsWith("-Dorg.bytedeco.javacpp.maxphysicalbytes="))
        .map(line -> line.substring(line.indexOf('=') + 1))
        .collect(Collectors.joining());
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void memoryIsLimitedByTheMachineAndByControlGroups() throws Exception {
    assertThat(memoryLimit("", Map.of())).isEqualTo("3072m");
    assertThat(memoryLimit("0::/\n", Map.of("memory.max", "max"))).isEqualTo("3072m");
    assertThat(memoryLimit("0::/\n", Map.of("memory.max", "2147483648"))).isEqualTo("1536m");
    // The limit of a group counts for those inside it.
    String inside = "0::/outer/inner\n";
    assertThat(
            memoryLimit(
                inside,
                Map.of("outer/memory.max", "1073741824", "outer/inner/memory.max", "2147483648")))
        .isEqualTo("768m");
    // Version 1, whose largest number means none.
    String first = "4:cpu,memory:/docker/a\n3:cpuset:/\n";
    assertThat(
            memoryLimit(
                first,
                Map.of(
                    "memory/memory.limit_in_bytes", "9223372036854771712",
                    "memory/docker/a/memory.limit_in_bytes", "1610612736")))
        .isEqualTo("1152m");
    // In a container the path is that of the host.
    assertThat(memoryLimit(first, Map.of("memory/memory.limit_in_bytes", "2147483648")))
        .isEqualTo("1536m");
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

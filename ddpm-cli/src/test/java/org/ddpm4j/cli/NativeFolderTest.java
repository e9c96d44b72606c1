package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where native libraries go on machines whose home will not have them. */
class NativeFolderTest {

  @TempDir private Path folder;

  private Properties system(String home) throws IOException {
    Properties system = new Properties();
    system.setProperty("java.io.tmpdir", Files.createDirectories(folder.resolve("tmp")).toString());
    system.setProperty("user.name", "somebody");
    system.setProperty("user.home", home);
    return system;
  }

  private List<Path> leftIn(Path place) throws IOException {
    try (Stream<Path> files = Files.walk(place)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void aUsualHomeIsLeftToJavaCpp() throws IOException {
    Path home = Files.createDirectory(folder.resolve("home"));
    Properties system = system(home.toString());
    NativeFolder.settle(system, Map.of());
    assertThat(system.stringPropertyNames())
        .containsExactlyInAnyOrder("java.io.tmpdir", "user.name", "user.home");
    assertThat(leftIn(folder)).isEmpty();
  }

  /** Java calls it "?" and would make a folder of that name wherever it is called. */
  @Test
  void theHomeOfAUserWhomTheSystemDoesNotKnowIsTheEnvironments() throws IOException {
    Path home = Files.createDirectory(folder.resolve("home"));
    Properties system = system("?");
    NativeFolder.settle(system, Map.of("HOME", home.toString()));
    assertThat(system.getProperty("user.home")).isEqualTo(home.toString());
    assertThat(system.getProperty(NativeFolder.CACHE)).isNull();

    Properties homeless = system("?");
    NativeFolder.settle(homeless, Map.of());
    assertThat(homeless.getProperty("user.home")).isEqualTo(folder.resolve("tmp").toString());
  }

  @Test
  void aHomeThatCannotBeWrittenGivesWayToACacheOrTheTemporaryFolder() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    Properties system = system(file.resolve("home").toString());
    NativeFolder.settle(system, Map.of());
    Path expected = folder.resolve("tmp").resolve("ddpm4j-natives-somebody");
    assertThat(system.getProperty(NativeFolder.CACHE)).isEqualTo(expected.toString());
    assertThat(system.getProperty("jna.tmpdir")).isEqualTo(expected.toString());

    Properties cached = system(file.resolve("home").toString());
    NativeFolder.settle(cached, Map.of("XDG_CACHE_HOME", folder.resolve("cache").toString()));
    assertThat(cached.getProperty(NativeFolder.CACHE))
        .isEqualTo(folder.resolve("cache/ddpm4j/natives").toString());
  }

  @Test
  void aFolderThatTheUserNamesIsKept() throws IOException {
    Properties system = system("?");
    system.setProperty(NativeFolder.CACHE, "/somewhere/else");
    NativeFolder.settle(system, Map.of());
    assertThat(system.getProperty(NativeFolder.CACHE)).isEqualTo("/somewhere/else");
  }

  /** On file systems of their own, which takes a namespace of their own. */
  @Test
  void aHomeWithoutProgramsOrWithoutRoomGivesWay() throws Exception {
    for (String option : List.of("noexec", "size=1m")) {
      Path home = Files.createDirectories(folder.resolve("home-" + option));
      List<String> command =
          new ArrayList<>(
              List.of(
                  "unshare",
                  "-rm",
                  "sh",
                  "-c",
                  "mount -t tmpfs -o " + option + " none \"$0\" && exec \"$@\"",
                  home.toString()));
      List<String> trial = new ArrayList<>(command);
      trial.add("true");
      assumeTrue(new ProcessBuilder(trial).start().waitFor() == 0, "This user may not mount.");
      command.addAll(
          List.of(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-Duser.home=" + home,
              "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
              "-cp",
              System.getProperty("java.class.path"),
              Settled.class.getName()));
      Process process = new ProcessBuilder(command).start();
      assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith(folder.resolve("tmp").resolve("ddpm4j-natives-").toString());
    }
  }

  /** Prints where the libraries of this process would go. */
  public static final class Settled {

    private Settled() {}

    /** Takes no arguments. */
    public static void main(String[] args) {
      NativeFolder.settle(System.getProperties(), Map.of());
      System.out.print(System.getProperty(NativeFolder.CACHE));
    }
  }

  @Test
  void failuresOfLoadingAreToldFromBugs() {
    Throwable natives =
        new ExceptionInInitializerError(
            new RuntimeException(new UnsatisfiedLinkError("failed to map segment")));
    assertThat(NativeFolder.explains(natives)).isTrue();
    assertThat(NativeFolder.sentence(natives))
        .contains(
            "failed to map segment", "ulimit -v", "by java -Dorg.bytedeco.javacpp.cachedir=DIR")
        .endsWith(".");
    assertThat(NativeFolder.explains(new NoSuchMethodError("of a bug"))).isFalse();
  }
}

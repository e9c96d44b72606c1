package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher up to the point where it would build: what it says when it cannot. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "ddpm").toAbsolutePath().normalize();

  @TempDir private Path folder;

  private record Result(int code, String out, String err) {

    void isSentence(String... parts) {
      assertThat(err).startsWith("ddpm: ").hasLineCount(1).contains(parts);
      assertThat(out).isEmpty();
      assertThat(code).isEqualTo(2);
    }
  }

  private Result launch(Path launcher, Path javaHome) throws Exception {
    return launch(Map.of("JAVA_HOME", javaHome.toString()), "exec bash \"$0\" --version", launcher);
  }

  /** What the launcher says, without a word on standard output. */
  private Result launch(Map<String, String> environment, String command, Path launcher)
      throws Exception {
    Path out = folder.resolve("out.txt");
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", command, launcher.toString());
    builder.environment().putAll(environment);
    if (Files.exists(launcher)) {
      String programs = launcher.toRealPath().resolveSibling("bin").toString();
      builder
          .environment()
          .computeIfPresent("PATH", (name, path) -> programs + File.pathSeparator + path);
    }
    Process process = builder.redirectOutput(out.toFile()).start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), Files.readString(out), err);
  }

  /** A folder that builds within a moment, and counts how often. */
  private Path home() throws IOException {
    Path home = Files.createTempDirectory(folder, "home");
    Files.writeString(home.resolve("pom.xml"), "<project/>");
    Path sources = Files.createDirectories(home.resolve("ddpm-cli/src/main"));
    Files.writeString(sources.getParent().getParent().resolve("pom.xml"), "<project/>");
    Files.writeString(sources.resolve("Main.java"), "class Main {}");
    maven(home, "#!/bin/sh\necho built >>builds.txt\n: >ddpm-cli/target/ddpm-cli.jar\n");
    Files.copy(LAUNCHER, home.resolve("ddpm"));
    return home;
  }

  /** What the launcher finds as Maven where this folder is its home. */
  private static void maven(Path home, String script) throws IOException {
    Path mvn = Files.createDirectories(home.resolve("bin")).resolve("mvn");
    Files.writeString(mvn, script);
    assertThat(mvn.toFile().setExecutable(true)).isTrue();
  }

  /** A Java that says only which version it is. */
  private Path javaOfVersion(String version) throws IOException {
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        case "$*" in
        *-XshowSettings*) echo '    java.specification.version = %s' >&2 ;;
        *) echo "$@" ;;
        esac
        """
            .formatted(version));
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

  /** Of a machine of 4 GiB. */
  private String memoryLimit(String cgroups, Map<String, String> limits) throws Exception {
    return memoryLimit(4, cgroups, limits);
  }

  private String memoryLimit(int gigabytes, String cgroups, Map<String, String> limits)
      throws Exception {
    return told("-Dorg.bytedeco.javacpp.maxphysicalbytes=", gigabytes, cgroups, limits);
  }

  private String threads(String cgroups, Map<String, String> limits) throws Exception {
    return told("OMP_NUM_THREADS=", 4, cgroups, limits);
  }

  /**
   * What a launcher tells the program on a machine whose files about itself are these.
   *
   * @param what begins the option or the variable
   * @param gigabytes of memory
   * @param cgroups contents of the process' list of control groups
   * @param limits path below the control groups' folder, and what the file says
   */
  private String told(String what, int gigabytes, String cgroups, Map<String, String> limits)
      throws Exception {
    Path home = home();
    Path system = Files.createTempDirectory(folder, "system");
    write(
        system.resolve("proc/meminfo"),
        "MemFree: 9 kB\nMemTotal:       %d kB\n".formatted(gigabytes * 1048576));
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
    Path java = javaOfVersion("17").resolve("bin/java");
    Files.writeString(
        java,
        "printf '%s\\n' \"$@\"; env | grep OMP_NUM_THREADS; true\n",
        StandardOpenOption.APPEND);
    Result result =
        launch(
            Map.of("JAVA_HOME", folder.resolve("jdk").toString()),
            "unset OMP_NUM_THREADS; exec bash \"$0\" --version",
            home.resolve("ddpm"));
    assertThat(result.code()).as(result.err()).isZero();
    return result
        .out()
        .lines()
        .filter(line -> line.startsWith(what))
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

  /** A network that is large enough takes it; others stay as small as they are. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void halfOfALargeMachineMayBeTaken() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() <= 16, "each is worth half a gigabyte");
    assertThat(memoryLimit(24, "", Map.of())).isEqualTo("12288m");
    assertThat(memoryLimit(24, "0::/\n", Map.of("memory.max", "17179869184"))).isEqualTo("8192m");
    assertThat(memoryLimit(7, "", Map.of())).isEqualTo("4096m");
    assertThat(memoryLimit(5, "", Map.of())).isEqualTo("3840m");
  }

  /** The OpenMP runtime sees all processors of the machine. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void threadsAreLimitedByTheShareOfAContainer() throws Exception {
    int all = Runtime.getRuntime().availableProcessors();
    assumeTrue(all > 1);
    assertThat(threads("0::/\n", Map.of("cpu.max", "max 100000"))).isEmpty();
    assertThat(threads("0::/\n", Map.of("cpu.max", all * 100000 + " 100000"))).isEmpty();
    assertThat(threads("0::/a\n", Map.of("a/cpu.max", "50000 100000"))).isEqualTo("1");
    assertThat(threads("0::/a\n", Map.of("cpu.max", "100000 100000"))).isEqualTo("1");
    assertThat(
            threads(
                "4:cpu,cpuacct:/docker/a\n",
                Map.of(
                    "cpu/docker/a/cpu.cfs_quota_us", "-1", "cpu/docker/a/cpu.cfs_period_us", "9")))
        .isEmpty();
  }

  /** The name of a locale says nothing where the locale is not installed; SSH brings such names. */
  @ParameterizedTest
  @ValueSource(strings = {"xx_XX.UTF-8", "C"})
  void namesOfFilesAreUtf8WhateverLocalesThereAre(String locale) throws Exception {
    Path home = home();
    Path java = javaOfVersion("17").resolve("bin/java");
    Files.writeString(java, "echo \"locale:$LC_ALL\"\n", StandardOpenOption.APPEND);
    Result result =
        launch(
            Map.of("JAVA_HOME", folder.resolve("jdk").toString(), "LANG", locale),
            "unset LC_ALL LC_CTYPE; exec bash \"$0\" --version",
            home.resolve("ddpm"));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out().lines()).contains("locale:C.UTF-8");
  }

  @Test
  void aBuildThatFailsShowsItsLog() throws Exception {
    Path home = Files.createDirectory(folder.resolve("home"));
    Path launcher = Files.copy(LAUNCHER, home.resolve("ddpm"));
    maven(home, "#!/bin/sh\necho what went wrong\nexit 1\n");
    // By a link elsewhere, as in a folder of programs.
    Path link = Files.createSymbolicLink(folder.resolve("link"), launcher);
    Result result = launch(link, Path.of(System.getProperty("java.home")));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("Building ddpm4j", "what went wrong", "ddpm: The build failed");
    assertThat(home.resolve("ddpm-cli/target/ddpm-launcher.stamp")).doesNotExist();
  }

  /** Of what it left, some is made of sources that are no longer there. */
  @Test
  void aBuildThatEndedInTheMiddleIsDoneAgain() throws Exception {
    Path home = home();
    Path launcher = home.resolve("ddpm");
    Path source = home.resolve("ddpm-cli/src/main/Main.java");
    Path java = javaOfVersion("17");
    String before = Files.readString(source);
    String build = Files.readString(home.resolve("bin/mvn"));
    assertThat(launch(launcher, java).code()).isZero();
    assertThat(launch(launcher, java).code()).isZero();
    assertThat(home.resolve("builds.txt")).hasContent("built");
    Files.writeString(source, "class Main { int more; }");
    maven(home, "#!/bin/sh\nkill -9 $PPID\n");
    assertThat(launch(launcher, java).code()).isNotZero();
    Files.writeString(source, before);
    maven(home, build);
    assertThat(launch(launcher, java).code()).isZero();
    assertThat(home.resolve("builds.txt")).hasContent("built\nbuilt");
  }

  @Test
  void aJavaThatDoesNotStartIsSaid() throws Exception {
    Path java = javaOfVersion("17").resolve("bin/java");
    Files.writeString(java, "#!/bin/sh\nexit 1\n");
    launch(LAUNCHER, folder.resolve("jdk"))
        .isSentence(java + " does not start (it says nothing)", "set JAVA_HOME");
  }

  /** Each stands for a way in which options reach Java. */
  @ParameterizedTest
  @ValueSource(
      strings = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "DDPM_JAVA_OPTS"})
  void anOptionOfTheEnvironmentThatJavaRefusesIsSaid(String variable) throws Exception {
    launch(Map.of(variable, "-Xbogus"), "exec bash \"$0\" --version", LAUNCHER)
        .isSentence("does not start (Unrecognized option: -Xbogus)", variable + "=-Xbogus");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void tooLittleMemoryForJavaIsSaid() throws Exception {
    launch(Map.of(), "ulimit -v 300000; exec bash \"$0\" --version", LAUNCHER)
        .isSentence("does not start (", "ulimit -v");
  }

  /** Limits on addresses are usual on login nodes; the JVM reserves more than it needs. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void javaReservesWithinALimitOfAddresses() throws Exception {
    Path launcher = home().resolve("ddpm");
    String java = System.getProperty("java.home");
    Result result =
        launch(
            Map.of("JAVA_HOME", java), "ulimit -v 1500000; exec bash \"$0\" --version", launcher);
    // Java itself has started: the class is not there.
    assertThat(result.err()).contains("org.ddpm4j.cli.Main");
  }

  /** What the environment asks of Java goes before what is for speed alone. */
  @Test
  void anotherCollectorIsNoConflict() throws Exception {
    Path launcher = home().resolve("ddpm");
    Result result =
        launch(
            Map.of(
                "JAVA_HOME",
                System.getProperty("java.home"),
                "JAVA_TOOL_OPTIONS",
                "-XX:+UseParallelGC"),
            "exec bash \"$0\" --version",
            launcher);
    assertThat(result.err()).contains("org.ddpm4j.cli.Main").doesNotContain("Conflicting");
  }

  @ParameterizedTest
  @CsvSource({"17, false", "21, false", "23, false", "24, true", "25, true"})
  void newJavasAreToldNotToWarn(String version, boolean isTold) throws Exception {
    Path launcher = home().resolve("ddpm");
    Result result = launch(launcher, javaOfVersion(version));
    assertThat(result.code()).isZero();
    assertThat(
            result
                .out()
                .contains(
                    "--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"))
        .isEqualTo(isTold);
  }

  @Test
  void builtOnceForTheSameSourcesWhateverTheClock() throws Exception {
    Path home = home();
    Path java = javaOfVersion("17");
    Path source = home.resolve("ddpm-cli/src/main/Main.java");
    Path builds = home.resolve("builds.txt");

    assertThat(launch(home.resolve("ddpm"), java).err()).startsWith("Building ddpm4j");
    // Sources from the future are what a clock that is behind sees.
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plus(1000, ChronoUnit.DAYS)));
    Result again = launch(home.resolve("ddpm"), java);
    assertThat(again.err()).isEmpty();
    assertThat(again.code()).isZero();
    assertThat(builds).hasContent("built");

    // A change that a checkout dates back, and a file that goes.
    Files.writeString(source, "class Main { int a; }");
    Files.setLastModifiedTime(source, FileTime.from(Instant.EPOCH));
    launch(home.resolve("ddpm"), java);
    assertThat(Files.readAllLines(builds)).hasSize(2);
    Files.delete(source);
    launch(home.resolve("ddpm"), java);
    assertThat(Files.readAllLines(builds)).hasSize(3);
  }

  private static void needsLocks() throws Exception {
    assumeTrue(new ProcessBuilder("bash", "-c", "command -v flock").start().waitFor() == 0);
  }

  @Test
  void manyAtATimeBuildOnce() throws Exception {
    Path home = home();
    String many = "for i in 1 2 3 4 5 6; do bash \"$0\" --version & done; wait";
    needsLocks();
    launch(Map.of("JAVA_HOME", javaOfVersion("17").toString()), many, home.resolve("ddpm"));
    assertThat(home.resolve("builds.txt")).hasContent("built");
    assertThat(home.resolve("ddpm-cli/target/ddpm-launcher.log")).doesNotExist();
  }

  /** Others build for a minute or two. */
  @Test
  void waitingForAnotherBuildIsSaid() throws Exception {
    Path home = home();
    needsLocks();
    String another =
        """
        cd "${0%/*}"
        exec 7<"$0"
        flock 7
        bash "$0" --version 7<&- 2>said &
        for ((i = 0; i < 600; i++)); do
          [[ -s said ]] && break
          sleep 0.1
        done
        [[ ! -f builds.txt ]] || echo "built meanwhile" >&2
        flock -u 7
        wait
        cat said >&2
        """;
    Result result =
        launch(Map.of("JAVA_HOME", javaOfVersion("17").toString()), another, home.resolve("ddpm"));
    assertThat(result.err())
        .startsWith("Waiting for another ddpm that builds the program")
        .doesNotContain("built meanwhile");
    assertThat(home.resolve("builds.txt")).hasContent("built");
  }

  @Test
  void noFolderForTemporaryFilesIsNeeded() throws Exception {
    Path home = home();
    Result result =
        launch(
            Map.of(
                "JAVA_HOME",
                javaOfVersion("17").toString(),
                "TMPDIR",
                folder.resolve("none").toString(),
                "HOME",
                folder.resolve("none").toString()),
            "exec bash \"$0\" --version",
            home.resolve("ddpm"));
    assertThat(result.code()).as(result.err()).isZero();
  }

  @Test
  void aProgramThatCannotBeBuiltHereIsSaid() throws Exception {
    Path home = home();
    Files.writeString(home.resolve("ddpm-cli/target"), "in the way");
    launch(home.resolve("ddpm"), javaOfVersion("17"))
        .isSentence("has to be built", "ddpm-cli/target cannot be written");
  }

  /** Nobody can try the one for Windows here; it should at least not fall behind. */
  @Test
  void theLauncherForWindowsGivesJavaTheSameOptions() throws IOException {
    Set<String> here = optionsForJava(Files.readString(LAUNCHER));
    here.removeIf(option -> option.contains("ClassSpaceSize") || option.contains("CodeCacheSize"));
    here.remove("-Dddpm.terminalColumns");
    Set<String> windows = optionsForJava(Files.readString(LAUNCHER.resolveSibling("ddpm.cmd")));
    assertThat(windows).isEqualTo(here).contains("-Xmx1g", "-XX:+UseSerialGC");
  }

  private static Set<String> optionsForJava(String launcher) {
    return Pattern.compile(
            "(?<![\\w-])(-Xm[sx]\\d\\w+|-XX:[+A-Za-z]+|-D(?:org|java|ddpm)[\\w.]+|--(?:enable|sun)[\\w-]+)")
        .matcher(launcher.replaceAll("(?m)^(#|rem ).*$", ""))
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The stages of {@code run card}, their limits and what is kept of them, with a program in place of
 * ddpm4j and its tests that says what those would say.
 */
@EnabledOnOs(OS.LINUX)
class CardSessionTest {

  private static final Path BENCH = Path.of("..", "bench");

  /** Until whatever is waited for must have happened. */
  private static final long PATIENCE_SECONDS = 120;

  @TempDir private Path home;
  private Path out;

  private record Result(int code, String said) {}

  @BeforeEach
  void unpack() throws Exception {
    Process python =
        new ProcessBuilder("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))")
            .redirectErrorStream(true)
            .start();
    assumeTrue(python.waitFor() == 0, "Needs Python 3.11 or newer.");
    out = home.resolve("out");
    Files.createDirectory(home.resolve("bench"));
    for (String file : List.of("card-session", "soak", "campaigns.py")) {
      Files.copy(BENCH.resolve(file), home.resolve("bench").resolve(file));
    }
    write(
        "run",
        """
        echo "$DDPM_JAVA_OPTS $*" >>"$HOME_OF_TEST/calls"
        case "$DDPM_JAVA_OPTS $* " in
        *"$SLOW"*)
          # Neither it nor what it has started listens to a polite request.
          trap '' TERM
          sleep 1000 &
          echo $$ $! >"$HOME_OF_TEST/pids"
          echo 'JUnit Jupiter > DeviceNetworksTest > other() :: SUCCESSFUL'
          echo 'JUnit Jupiter > DeviceNetworksTest > begun() :: STARTED'
          wait
          ;;
        *"$FAILS"*) echo 'It is broken.' >&2; exit 1 ;;
        *--devices*) echo "$DEVICES" ;;
        *'ddpm train '*) echo 'train: 30/100 steps'; exec sleep 1000 ;;
        *SamplingServer*)
          for port; do :; done
          exec python3 -m http.server --bind 127.0.0.1 "$port"
          ;;
        *' tests '*)
          [ -z "$TOLD" ] || echo "$TOLD"
          echo "[         7 tests found           ]"
          echo "[         ${FAILED:-0} tests failed          ]"
          echo "[         $((7 - ${FAILED:-0})) tests successful      ]"
          [ "${FAILED:-0}" = 0 ]
          ;;
        *' bench '*)
          rate=32000
          case $DDPM_JAVA_OPTS in *graph=true*) rate=40000 ;; esac
          echo "best         50000.0 images/s"
          echo "median       $rate.0 images/s, 12.0 GFLOP/s"
          echo 'copy rate    4300.0 GB/s'
          echo 'first step   3.2 s after the start'
          echo 'card memory  99 MB'
          ;;
        *' sample '*)
          device=$(echo "$*" | sed 's/.*--device \\([a-z]*\\).*/\\1/')
          cp "$HOME_OF_TEST/$device.safetensors" "$(echo "$*" | sed 's/.*--output //')"
          ;;
        esac
        """);
  }

  private void write(String file, String script) throws IOException {
    Path path = Files.writeString(home.resolve(file), "#!/bin/sh\n" + script);
    assertThat(path.toFile().setExecutable(true)).isTrue();
  }

  private Process start(Map<String, String> environment, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("python3", home.resolve("bench/card-session").toString()));
    command.addAll(List.of("--out", out.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("said.txt").toFile());
    builder.environment().keySet().removeAll(List.of("DDPM_JAVA_OPTS", "DDPM", "TORCH_PYTHON"));
    builder.environment().put("HOME_OF_TEST", home.toString());
    builder.environment().put("TMPDIR", home.toString());
    builder.environment().put("SLOW", "no such word");
    builder.environment().put("FAILS", "no such word");
    builder.environment().put("DEVICES", "cuda:0       NVIDIA T1, 1.0 of 2.0 GiB free");
    builder.environment().putAll(environment);
    return builder.start();
  }

  private Result run(Map<String, String> environment, String... arguments) throws Exception {
    Process process = start(environment, arguments);
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), Files.readString(home.resolve("said.txt")));
  }

  private String summary() throws IOException {
    return Files.readString(out.resolve("summary.md"));
  }

  /** The row of a stage: its result, and what came out. */
  private String row(String stage) throws IOException {
    String row =
        summary()
            .lines()
            .filter(line -> line.startsWith("| " + stage + " "))
            .findFirst()
            .orElse("");
    return row.replaceAll(" *\\| *", "|").replaceFirst("\\|\\d+\\|", "|");
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(home.resolve("calls"));
  }

  @Test
  void aStageThatFailsCostsNoOther() throws Exception {
    Result result =
        run(
            Map.of("FAILS", "DeviceNetworksTest"),
            "operations-bfloat16",
            "networks",
            "workers",
            "operations-graph");
    assertThat(result.code()).as(result.said()).isEqualTo(1);
    assertThat(row("operations-bfloat16"))
        .isEqualTo("|operations-bfloat16|passed|7 of 7 tests passed|");
    assertThat(row("networks")).isEqualTo("|networks|failed|It is broken.|");
    assertThat(row("workers")).isEqualTo("|workers|passed|annotated 4 ms; cifar10 4 ms|");
    assertThat(row("operations-graph")).startsWith("|operations-graph|passed|");
    assertThat(row("info")).isEmpty();
    String graph = "-Dddpm4j.cudnn.graph=true -Dddpm4j.cudnn.channels=16";
    assertThat(calls())
        .filteredOn(call -> call.contains("CudaOperationsTest"))
        .anyMatch(call -> call.startsWith(graph) && call.contains("#staysCloseInBfloat16("))
        .anyMatch(call -> call.startsWith(" ") && call.contains("#staysCloseInBfloat16("));
    assertThat(out.resolve("log.txt"))
        .content()
        .contains("==== networks: failed\n", "It is broken.", "==== workers: passed\n");
    try (Stream<Path> files = Files.list(out)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("summary.md", "results.json", "log.txt");
    }
    assertThat(result.said()).endsWith(summary() + "\n");
  }

  @Test
  void testsThatFailAreCounted() throws Exception {
    String failures =
        """
        JUnit Jupiter > DeviceNetworksTest > reproducesPyTorch(Path) > [2] minimal, FLOAT32 :: FAILED
        \tjava.lang.AssertionError: wrong
        JUnit Jupiter > DeviceNetworksTest > reproducesPyTorch(Path) > [3] minimal, FLOAT32 :: SUCCESSFUL
        JUnit Jupiter > DeviceNetworksTest > other() :: FAILED
        """;
    assertThat(run(Map.of("FAILED", "2", "TOLD", failures), "networks").code()).isEqualTo(1);
    assertThat(row("networks"))
        .isEqualTo(
            "|networks|failed|5 of 7 tests passed, not reproducesPyTorch(Path) > [2] minimal, FLOAT32,"
                + " other()|");
    // Skipped, all of them: that is no success.
    String reason = "Assumption failed: It rains.";
    assertThat(run(Map.of("FAILED", "7", "TOLD", reason), "networks").code()).isEqualTo(1);
    assertThat(row("networks"))
        .isEqualTo("|networks|failed|0 of 7 tests passed, others not: It rains.|");
  }

  @Test
  void aStageEndsWithItsTimeAndWithAllThatItStarted() throws Exception {
    Result result =
        run(Map.of("SLOW", "DeviceNetworksTest"), "--limit", "2", "networks", "workers");
    assertThat(result.code()).as(result.said()).isEqualTo(1);
    assertThat(row("networks"))
        .isEqualTo(
            "|networks|over time|did not end in its time; before: 1 tests passed, 0 failed|");
    assertThat(row("workers")).startsWith("|workers|passed|");
    assertThat(out.resolve("log.txt"))
        .content()
        .contains("==== networks: over time", " > begun() :: STARTED\n");
    assertNothingRuns();
  }

  private void assertNothingRuns() throws Exception {
    for (String pid : Files.readString(home.resolve("pids")).trim().split(" ")) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (isRunning(pid)) {
        if (System.nanoTime() > end) {
          fail("Process %s still runs.", pid);
        }
        Thread.sleep(20);
      }
    }
  }

  /** Whom nobody waits for is there until somebody does. */
  private static boolean isRunning(String pid) throws IOException {
    Path stat = Path.of("/proc", pid, "stat");
    try {
      return !Files.readString(stat).contains(") Z ");
    } catch (IOException e) {
      return Files.exists(stat);
    }
  }

  @Test
  void whatThereIsNoTimeForIsNamedForTheNextCall() throws Exception {
    Result result = run(Map.of(), "--seconds", "100", "workers", "bench", "soak");
    assertThat(result.code()).as(result.said()).isZero();
    assertThat(row("workers")).startsWith("|workers|passed|");
    assertThat(row("bench")).isEqualTo("|bench|not run|too little time was left|");
    assertThat(result.said())
        .endsWith("Not run; go on by: run card --out " + out + " bench soak\n");
  }

  @Test
  void whatIsDoneStaysWhenAllIsKilled() throws Exception {
    Process process = start(Map.of("SLOW", "cuda:0,0"), "networks", "workers", "bench");
    await("|workers|running|");
    process.destroyForcibly().waitFor();
    assertThat(row("networks")).isEqualTo("|networks|passed|7 of 7 tests passed|");
    assertThat(out.resolve("log.txt")).content().contains("==== networks: passed\n");
    assertThat(out.resolve("workers.log")).content().contains("--device cuda:0,0");
    for (String pid : Files.readString(home.resolve("pids")).trim().split(" ")) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
    }

    Files.delete(home.resolve("calls"));
    Result result = run(Map.of(), "workers");
    assertThat(result.code()).as(result.said()).isZero();
    assertThat(row("networks")).startsWith("|networks|passed|");
    assertThat(row("workers")).startsWith("|workers|passed|");
    assertThat(calls()).noneMatch(call -> call.contains(" tests"));
  }

  private void await(String row) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    String stage = row.split("\\|")[1];
    while (!Files.exists(out.resolve("summary.md"))
        || !row(stage).startsWith(row)
        || !Files.exists(home.resolve("pids"))) {
      if (System.nanoTime() > end) {
        fail("The summary is %s", Files.exists(out.resolve("summary.md")) ? summary() : "missing");
      }
      Thread.sleep(20);
    }
  }

  @Test
  void aPoliteRequestEndsEverything() throws Exception {
    Process process = start(Map.of("SLOW", "cuda:0,0"), "networks", "workers", "bench");
    await("|workers|running|");
    process.destroy();
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertNothingRuns();
    assertThat(row("networks")).startsWith("|networks|passed|");
    assertThat(row("workers")).isEqualTo("|workers|over time|was ended from outside|");
    assertThat(row("bench")).startsWith("|bench|not run|");
  }

  @Test
  void withoutACardEachStageSaysSo() throws Exception {
    String cause = "there is no driver.";
    Result result = run(Map.of("DEVICES", "cuda         cannot be used: " + cause));
    assertThat(result.code()).isEqualTo(2);
    assertThat(summary().lines().skip(2))
        .hasSizeGreaterThan(15)
        .allMatch(line -> line.contains(" not run ") && line.contains(" no card can be used "));
    assertThat(result.said()).startsWith("There is no card that can be used: " + cause + "\n");
    assertThat(out.resolve("log.txt")).content().contains(cause);
    assertThat(calls()).singleElement().asString().contains("info --devices");
  }

  @Test
  void theGraphInterfaceIsComparedInTurn() throws Exception {
    Result result = run(Map.of(), "bench");
    assertThat(result.code()).as(result.said()).isZero();
    assertThat(row("bench"))
        .isEqualTo(
            "|bench|passed|annotated train with graph, 56 channels in 0.80 of the time; annotated sample"
                + " with graph, 56 channels in 0.80 of the time; cifar10 train with graph in 0.80 of the"
                + " time; cifar10 sample with graph in 0.80 of the time; goals missed: annotated sample"
                + " 3.2 ms of 1.2|");
    // 128 images at 32,000 and 40,000 a second, in two rounds.
    assertThat(summary().replaceAll(" +", " "))
        .contains("| annotated | train | as it is | 4, 4 | 4 | yes | 1.00 | 99 MB |")
        .contains("| cifar10 | sample | graph | 3.2, 3.2 | 4.7 | yes | 0.80 | 99 MB |")
        .contains("| annotated | sample | as it is | 4, 4 | 1.2 | no | 1.00 | 99 MB |");
  }

  @Test
  void aVariantThatFailsIsNamedAndTheOthersAreMeasured() throws Exception {
    Result result = run(Map.of("FAILS", "graph=true ddpm bench sample --model cifar10"), "bench");
    assertThat(result.code()).as(result.said()).isEqualTo(1);
    assertThat(row("bench")).isEqualTo("|bench|failed|cifar10 sample graph: It is broken.|");
    assertThat(summary()).containsPattern("\\| cifar10 +\\| sample +\\| as it is");
  }

  @Test
  void picturesAreComparedInShades() throws Exception {
    writeImages("cpu", 0, -1, 1, 2);
    // Half a shade more is the next one, at 127.5.
    writeImages("cuda", 0.004f, -1, 1, 1.5f);
    Result result = run(Map.of(), "pictures");
    assertThat(result.code()).as(result.said()).isZero();
    assertThat(row("pictures")).isEqualTo("|pictures|passed|0 of 4 shades differ|");
    writeImages("cuda", 0.012f, -0.995f, 1, 1);
    assertThat(run(Map.of(), "pictures").code()).isZero();
    assertThat(row("pictures"))
        .isEqualTo("|pictures|passed|2 of 4 shades differ, by at most 1 of 255|");
    writeImages("cuda", 0.1f, -1, 1, 1);
    assertThat(run(Map.of(), "pictures").code()).isEqualTo(1);
    assertThat(row("pictures"))
        .isEqualTo("|pictures|failed|1 of 4 shades differ, by at most 12 of 255|");
  }

  private void writeImages(String device, float... values) throws IOException {
    String header = "{\"images\":{\"dtype\":\"F32\",\"shape\":[1,1,2,2],\"data_offsets\":[0,16]}}";
    ByteBuffer content = ByteBuffer.allocate(8 + header.length() + 16);
    content.order(ByteOrder.LITTLE_ENDIAN).putLong(header.length());
    content.put(header.getBytes(StandardCharsets.US_ASCII));
    for (float value : values) {
      content.putFloat(value);
    }
    Files.write(home.resolve(device + ".safetensors"), content.array());
  }

  /** A training and a service that hold no more and no less, on a card that does as told. */
  @Test
  void aSoakWatchesTheCard() throws Exception {
    Map<String, String> environment =
        Map.of("PATH", home + File.pathSeparator + System.getenv("PATH"));
    write("nvidia-smi", memory("1000"));
    run(environment, "--limit", "33", "soak");
    // Of the service there is little to say in so short a time.
    assertThat(summary()).containsPattern("\\| cuda +\\| 1000 → 1000 +\\|.*\\| yes +\\|");
    assertThat(row("soak")).contains(" minutes, 30 steps of training; answers of the service: ");
    assertThat(out.resolve("log.txt"))
        .content()
        .containsPattern("(?m)^0 s: training \\d+ MiB, service \\d+ MiB, cuda 1000 MiB$");

    String growing = "$(wc -l <\"$HOME_OF_TEST/asked\")00";
    write("nvidia-smi", "echo x >>\"$HOME_OF_TEST/asked\"\n" + memory(growing));
    Result result = run(environment, "--limit", "33", "soak");
    assertThat(result.code()).as(result.said()).isEqualTo(1);
    assertThat(row("soak")).startsWith("|soak|failed|not flat: ");
    assertThat(summary()).containsPattern("\\| cuda +\\| \\d+ → \\d+ +\\|.*\\| NO +\\|");
  }

  private static String memory(String used) {
    return "case $* in *memory.used*) echo " + used + " ;; esac";
  }

  @Test
  void mistakesAreOneSentence() throws Exception {
    Result result = run(Map.of(), "benches");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.said())
        .startsWith("card-session: There is no stage benches; there are info, ")
        .hasLineCount(1);
    Files.delete(home.resolve("run"));
    result = run(Map.of(), "bench");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.said()).startsWith("card-session: ").contains("bench/on-gpu").hasLineCount(1);
    assertThat(out).doesNotExist();
  }
}

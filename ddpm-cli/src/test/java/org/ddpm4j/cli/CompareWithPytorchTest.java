package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script around the measurements, with programs that only say they have measured. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class CompareWithPytorchTest {

  private static final Path SCRIPT = Path.of("..", "bench", "compare-with-pytorch");

  @TempDir private Path home;
  private File err;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void makePrograms() throws IOException {
    Files.createDirectory(home.resolve("bench"));
    Files.copy(SCRIPT, home.resolve("bench/compare-with-pytorch"));
    err = home.resolve("err.txt").toFile();
    write(
        "ddpm",
        """
        [ "$1" = --version ] && { echo 'ddpm4j 1.2.3'; exit; }
        echo "ddpm $*" >>"$(dirname "$0")/calls"
        echo 'parameters   17'
        echo 'best         30.5 images/s, 12.0 GFLOP/s, 50 % of the matmul rate'
        echo 'median       20.5 images/s, 8.0 GFLOP/s, 33 % of the matmul rate'
        case $* in *cuda*)
          echo 'first step   3.2 s after the start'
          echo 'card memory  99 MB'
        esac
        echo 'peak memory  512 MB'
        """);
    write(
        "venv/bin/python",
        """
        home=$(cd "$(dirname "$0")/../.." && pwd)
        case $* in
        -c*is_available*) exit "${NO_CARD:-0}" ;;
        -c*get_device_name*) echo 'NVIDIA T1'; exit ;;
        -c*) echo 'PyTorch 0.1'; exit ;;
        *comparison_table.py) exec cat ;;
        *'--mode compile'*) echo 'no compiler' >&2; exit 1 ;;
        esac
        shift
        echo "torch $*" >>"$home/calls"
        echo "parameters   ${TORCH_PARAMETERS:-17}"
        echo 'best         12.5 images/s'
        echo 'median       10.5 images/s'
        case $* in *cuda*)
          echo 'first step   80.1 s after the start'
          echo 'card memory  2048 MB'
        esac
        echo 'peak memory  1024 MB'
        """);
  }

  private void write(String file, String script) throws IOException {
    Path path = home.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, "#!/bin/sh\n" + script);
    assertThat(path.toFile().setExecutable(true)).isTrue();
  }

  private Result compare(int torchParameters, String... options) throws Exception {
    return compare(
        Map.of(
            "VENV",
            home.resolve("venv").toString(),
            "TORCH_PARAMETERS",
            Integer.toString(torchParameters)),
        options);
  }

  private Result compare(Map<String, String> environment, String... options) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("bash", home.resolve("bench/compare-with-pytorch").toString()));
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, Files.readString(err.toPath()));
  }

  @Test
  void bothAreMeasuredInTurnWithTheSameOptions() throws Exception {
    Result result =
        compare(
            17,
            "--rounds",
            "2",
            "--tasks",
            "train",
            "--models",
            "annotated",
            "--modes",
            "eager",
            "--batch",
            "7",
            "--seconds",
            "1.5",
            "--bf16");
    assertThat(result.code()).as(result.err()).isZero();
    String sizes = " --precision bfloat16 --device cpu --batch 7 --threads 2 --seconds 1.5";
    String torch = "torch --mode eager train --model annotated" + sizes;
    String ours = "ddpm bench train --model annotated" + sizes;
    assertThat(Files.readAllLines(home.resolve("calls"))).containsExactly(ours, torch, ours, torch);
    assertThat(result.out())
        .contains("batch 7, 2 threads.", "PyTorch 0.1; ddpm4j 1.2.3")
        .endsWith(
            """
            train\tannotated\t17\tbfloat16\tddpm4j\t1\t20.5\t30.5\t512\t0
            train\tannotated\t17\tbfloat16\teager\t1\t10.5\t12.5\t1024\t0
            train\tannotated\t17\tbfloat16\tddpm4j\t2\t20.5\t30.5\t512\t0
            train\tannotated\t17\tbfloat16\teager\t2\t10.5\t12.5\t1024\t0
            """);
  }

  /** As on a machine that has a card and PyTorch, but no JDK, Maven and network. */
  @Test
  void onACardWithProgramsThatAreThere() throws Exception {
    Path kept = home.resolve("kept.tsv");
    Files.move(home.resolve("ddpm"), home.resolve("packed"));
    Map<String, String> environment =
        Map.of(
            "TORCH_PYTHON",
            home.resolve("venv/bin/python").toString(),
            "DDPM",
            home.resolve("packed") + " ddpm",
            "VENV",
            home.resolve("nowhere").toString());
    String[] options = {
      "--device", "cuda:1", "--rounds", "1", "--models", "cifar10", "--results", kept.toString()
    };
    Result result =
        compare(
            environment,
            with(
                options,
                "--tasks",
                "sample",
                "--modes",
                "cuda_graphs",
                "--precisions",
                "tfloat32"));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(Files.readString(home.resolve("calls")))
        .contains(
            "ddpm ddpm bench sample --model cifar10 --precision tfloat32 --device cuda:1",
            "torch --mode cuda_graphs sample --model cifar10 --precision tfloat32 --device cuda:1");
    String first =
        """
        sample\tcifar10\t17\ttfloat32\tddpm4j\t1\t20.5\t30.5\t99\t3.2
        sample\tcifar10\t17\ttfloat32\tcuda_graphs\t1\t10.5\t12.5\t2048\t80.1
        """;
    assertThat(result.out()).contains("NVIDIA T1").endsWith("\n\n" + first);

    result = compare(environment, with(options, "--tasks", "train"));
    assertThat(result.code()).as(result.err()).isZero();
    // Three precisions, and of five modes those that are not called compile.
    assertThat(result.out()).contains("\n\n" + first + "train\t");
    assertThat(result.out().lines().filter(line -> line.startsWith("train\t"))).hasSize(3 * 5);
    assertThat(kept).content().startsWith(first).hasLineCount(2 + 3 * 5);
    assertThat(home.resolve("nowhere")).doesNotExist();
  }

  private static String[] with(String[] options, String... more) {
    return Stream.concat(Arrays.stream(options), Arrays.stream(more)).toArray(String[]::new);
  }

  @Test
  void whatIsMissingIsSaidInOneSentence() throws Exception {
    String python = home.resolve("venv/bin/python").toString();
    assertRefused(Map.of("TORCH_PYTHON", "/no/python"), "TORCH_PYTHON", "/no/python");
    assertRefused(Map.of("TORCH_PYTHON", python, "DDPM", "/no/ddpm bench"), "DDPM", "/no/ddpm");
    assertRefused(
        Map.of("TORCH_PYTHON", python, "NO_CARD", "1"), "PyTorch finds no card", "--device");
  }

  private void assertRefused(Map<String, String> environment, String... parts) throws Exception {
    String[] options =
        environment.containsKey("NO_CARD") ? new String[] {"--device", "cuda"} : new String[0];
    Result result = compare(environment, options);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).startsWith("compare-with-pytorch: ").contains(parts).hasLineCount(1);
    assertThat(home.resolve("calls")).doesNotExist();
  }

  @Test
  void aModeThatDoesNotRunIsLeftOut() throws Exception {
    Result result = compare(17, "--rounds", "2");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err().split("no compiler", -1)).hasSize(1 + 4);
    // Two tasks, two networks, two modes and ddpm4j, two rounds.
    assertThat(result.out().lines().filter(line -> line.contains("\t"))).hasSize(2 * 2 * 3 * 2);
    assertThat(result.out()).doesNotContain("compile");
  }

  @Test
  void networksOfDifferentSizesAreRefused() throws Exception {
    Result result = compare(18);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("not the same", "17 parameters", "eager 18");
    assertThat(result.out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "--batch, 0",
    "--threads, two",
    "--rounds, -1",
    "--seconds, x",
    "--tasks, a b",
    "--device, gpu",
    "--precisions, 'float32,double'",
    "--precisions, tfloat32",
    "--modes, cuda_graphs",
    "--results, /no/such/folder/file",
    "--nonsense, 1"
  })
  void badOptionsAreRefused(String option, String value) throws Exception {
    Result result = compare(17, option, value);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .startsWith("compare-with-pytorch: ")
        .contains(option.equals("--modes") ? value : option.replaceFirst("--precisions", "float32"))
        .hasLineCount(1);
  }
}

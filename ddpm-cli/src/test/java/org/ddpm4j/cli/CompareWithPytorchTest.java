package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        echo 'peak memory  512 MB'
        """);
    write(
        "venv/bin/python",
        """
        home=$(cd "$(dirname "$0")/../.." && pwd)
        case $* in
        -c*) echo 'PyTorch 0.1'; exit ;;
        *comparison_table.py) exec cat ;;
        *'--mode compile'*) echo 'no compiler' >&2; exit 1 ;;
        esac
        shift
        echo "torch $*" >>"$home/calls"
        echo "parameters   ${TORCH_PARAMETERS:-17}"
        echo 'best         12.5 images/s'
        echo 'median       10.5 images/s'
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
    List<String> command =
        new ArrayList<>(List.of("bash", home.resolve("bench/compare-with-pytorch").toString()));
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err);
    builder.environment().put("VENV", home.resolve("venv").toString());
    builder.environment().put("TORCH_PARAMETERS", Integer.toString(torchParameters));
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
    String torch = "torch train --model annotated --mode eager --bf16";
    String ours = "ddpm bench train --model annotated --precision bfloat16";
    String sizes = " --batch 7 --threads 2 --seconds 1.5";
    assertThat(Files.readAllLines(home.resolve("calls")))
        .containsExactly(torch + sizes, ours + sizes, torch + sizes, ours + sizes);
    assertThat(result.out())
        .contains("batch 7, 2 threads, bfloat16", "PyTorch 0.1; ddpm4j 1.2.3")
        .endsWith(
            """
            train\tannotated\t17\teager\t1\t10.5\t12.5\t1024
            train\tannotated\t17\tddpm4j\t1\t20.5\t30.5\t512
            train\tannotated\t17\teager\t2\t10.5\t12.5\t1024
            train\tannotated\t17\tddpm4j\t2\t20.5\t30.5\t512
            """);
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
    assertThat(result.err()).contains("not the same", "18 parameters", "ddpm4j 17");
    assertThat(result.out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "--batch, 0",
    "--threads, two",
    "--rounds, -1",
    "--seconds, x",
    "--tasks, a b",
    "--nonsense, 1"
  })
  void badOptionsAreRefused(String option, String value) throws Exception {
    Result result = compare(17, option, value);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).startsWith("compare-with-pytorch: ").contains(option).hasLineCount(1);
  }
}

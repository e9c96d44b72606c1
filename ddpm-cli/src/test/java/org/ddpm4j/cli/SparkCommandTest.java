package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What spark-submit is told. */
class SparkCommandTest {

  @Test
  void aClusterHasExecutorsWithMemoryOutsideOfTheHeap() {
    String out =
        Cli.run(
                "spark",
                "submit-args",
                "--master",
                "spark://host:7077",
                "--executors",
                "8",
                "--cores",
                "3")
            .isOk()
            .out();
    assertThat(out.lines())
        .contains(
            "--master spark://host:7077",
            "--class org.ddpm4j.spark.app.SparkApplication",
            "--total-executor-cores 24",
            "--executor-cores 3",
            "--conf spark.task.cpus=3",
            "--conf spark.executor.memoryOverhead=4096m");
    assertThat(Cli.run("spark", "submit-args", "--master", "yarn", "--cards", "1").isOk().out())
        .contains("--num-executors 2", "spark.task.resource.gpu.amount=1");
  }

  @Test
  void oneMachineHasNone() {
    assertThat(Cli.run("spark", "submit-args").isOk().out())
        .contains("--master local[2]")
        .doesNotContain("executor-cores");
    Cli.run("spark", "submit-args", "--cores", "2").isBadInput("local[2] has no executors");
    Cli.run("spark", "submit-args", "--master", "$(reboot)").isBadInput("--master is");
  }
}

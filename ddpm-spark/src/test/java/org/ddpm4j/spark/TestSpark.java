package org.ddpm4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/** Sessions for tests, on loopback, and executors that die. */
public final class TestSpark {

  private TestSpark() {}

  /** Tasks are threads of this process. */
  public static SparkSession local(int threads) {
    return builder("local[" + threads + "]").getOrCreate();
  }

  /** Executors are processes of their own, of one core each. */
  public static SparkSession cluster(int executors) {
    try {
      // All that a worker wants of Spark's home; the classes are those of this process.
      Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return builder("local-cluster[" + executors + ",1,1024]")
        .config("spark.executor.memory", "512m")
        .config("spark.executor.extraClassPath", classPath)
        .config("spark.executor.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
        .config("spark.ddpm4j.patience", "2s")
        .config("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s")
        .config("spark.executorEnv.OMP_NUM_THREADS", "1")
        .getOrCreate();
  }

  private static SparkSession.Builder builder(String master) {
    return SparkSession.builder()
        .master(master)
        .appName("ddpm4j")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        // A dozen rows are read sooner than code for them is compiled.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.sql.warehouse.dir", "target/warehouse");
  }

  /**
   * Ends the calling process by SIGKILL, unless a process has done so before.
   *
   * @param marker a file that does not exist before that
   */
  public static void dieOnce(String marker) {
    try {
      Files.createFile(Path.of(marker));
      new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid())).start();
      Thread.sleep(60_000);
    } catch (FileAlreadyExistsException e) {
      // It has happened.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

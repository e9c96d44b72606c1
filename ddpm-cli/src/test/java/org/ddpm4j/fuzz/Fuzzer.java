package org.ddpm4j.fuzz;

import com.code_intelligence.jazzer.Jazzer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * Fuzzes a reader with Jazzer, which looks for bytes that reach more and more of the code.
 *
 * <pre>
 * java -cp … org.ddpm4j.fuzz.Fuzzer TARGET SECONDS FINDINGS [CORPUS…]
 * </pre>
 *
 * What is found goes to the folder FINDINGS, what reaches new code to the first CORPUS; the others
 * are read only. The closing lines say how many executions there were.
 */
public final class Fuzzer {

  /** Beyond any seed; a file of one image of CIFAR has 3074 bytes. */
  private static final int MAX_BYTES = 1 << 15;

  /** A file of {@link #MAX_BYTES} that keeps a reader busy for longer is a finding. */
  private static final int TIMEOUT_SECONDS = 20;

  private static final int MAX_MEBIBYTES = 4096;
  private static final int MAX_FINDINGS = 50;

  private static FuzzTarget target;
  private static Path folder;

  private Fuzzer() {}

  /**
   * Runs Jazzer and ends the virtual machine.
   *
   * @param args target, seconds, folder of findings and corpora
   * @throws Exception if Jazzer does
   */
  public static void main(String[] args) throws Exception {
    if (args.length < 3) {
      System.err.println("Fuzzer: TARGET SECONDS FINDINGS [CORPUS…]");
      System.exit(2);
    }
    // Nothing that is to be instrumented may be loaded before Jazzer's agent is.
    List<String> options = new ArrayList<>();
    options.add("--target_class=" + Fuzzer.class.getName());
    options.add("--target_args=" + args[0]);
    options.add(
        "--instrumentation_includes=org.ddpm4j.**:com.fasterxml.jackson.core.**:com.twelvemonkeys.**:com.sun.imageio.**");
    options.add("--instrumentation_excludes=org.ddpm4j.fuzz.**");
    // Jazzer's own checks look for attacks on servers: any file that is opened would be one.
    options.add("--disabled_hooks=com.code_intelligence.jazzer.sanitizers.*");
    options.add("--keep_going=" + MAX_FINDINGS);
    options.add("--reproducer_path=" + args[2]);
    options.add("-artifact_prefix=" + args[2] + "/");
    options.add("-max_total_time=" + args[1]);
    options.add("-max_len=" + MAX_BYTES);
    options.add("-timeout=" + TIMEOUT_SECONDS);
    options.add("-rss_limit_mb=" + MAX_MEBIBYTES);
    options.add("-print_final_stats=1");
    options.addAll(List.of(args).subList(3, args.length));
    Jazzer.main(options.toArray(String[]::new));
  }

  /**
   * Called by Jazzer before the first bytes.
   *
   * @param args the target's label
   * @throws IOException if there is no place for files
   */
  public static void fuzzerInitialize(String[] args) throws IOException {
    ImageIO.setUseCache(false);
    target = FuzzTarget.labelled(args[0]);
    folder = Files.createTempDirectory("fuzz-" + args[0]);
  }

  /**
   * Called by Jazzer, again and again.
   *
   * @param bytes of a file
   */
  public static void fuzzerTestOneInput(byte[] bytes) {
    target.accepts(bytes, folder);
  }
}

package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.PlanProfile;

/**
 * Where the time of a benchmark went: a line for each kind of operation, then the slowest single
 * operations.
 *
 * @param profile what was measured
 * @param rounds in which it was measured
 * @param threadSeconds that all threads together had
 * @param title what the times are
 */
record ProfileTable(PlanProfile profile, int rounds, double threadSeconds, String title) {

  ProfileTable(PlanProfile profile, int rounds, double threadSeconds) {
    this(
        profile,
        rounds,
        threadSeconds,
        "Times of a round, of all threads together; GFLOP/s and GB/s of one thread.");
  }

  /** The same of a card, which measures operations apart from the rounds. */
  ProfileTable ofDevice() {
    return new ProfileTable(
        profile,
        rounds,
        threadSeconds,
        "Times of a round, each operation measured by itself; shares of the median round.");
  }

  private static final int SLOWEST = 20;
  private static final String REST = "(outside of operations)";
  private static final String COSTS = "%10.3f %7.1f %% %8s %8s %9s";
  private static final String HEADER =
      Text.format("%10s %9s %8s %8s %9s", "ms", "share", "GFLOP/s", "GB/s", "runs");

  void write(OutputStream stream) throws IOException {
    Map<String, PlanProfile.Cost> kinds = profile.byKind();
    List<Map.Entry<PlanProfile.Operation, PlanProfile.Cost>> slowest =
        profile.byOperation().entrySet().stream().limit(SLOWEST).toList();
    int kindWidth = Math.max(REST.length(), longest(kinds.keySet()));
    int outputWidth = longest(slowest.stream().map(e -> e.getKey().output()).toList());

    line(stream, "");
    line(stream, title);
    line(stream, "");
    line(stream, pad("operation", kindWidth) + HEADER);
    for (Map.Entry<String, PlanProfile.Cost> kind : kinds.entrySet()) {
      line(stream, pad(kind.getKey(), kindWidth) + costs(kind.getValue()));
    }
    long rest = Math.max(0, Math.round(threadSeconds * 1e9) - profile.total().nanoseconds());
    line(stream, pad(REST, kindWidth) + costs(new PlanProfile.Cost(0, rest, 0, 0)));

    line(stream, "");
    line(
        stream, pad("slowest", kindWidth) + HEADER + "  " + pad("output", outputWidth) + "  shape");
    for (Map.Entry<PlanProfile.Operation, PlanProfile.Cost> entry : slowest) {
      PlanProfile.Operation operation = entry.getKey();
      line(
          stream,
          pad(operation.kind(), kindWidth)
              + costs(entry.getValue())
              + "  "
              + pad(operation.output(), outputWidth)
              + "  "
              + operation.shape().stream().map(Object::toString).collect(Collectors.joining("x")));
    }
  }

  private String costs(PlanProfile.Cost cost) {
    return format(
        COSTS,
        cost.nanoseconds() / 1e6 / rounds,
        100 * cost.nanoseconds() / 1e9 / threadSeconds,
        cost.flops() == 0 ? "" : format("%.1f", cost.gigaflops()),
        cost.bytes() == 0 ? "" : format("%.1f", cost.gigabytes()),
        cost.runs() == 0 ? "" : format("%.0f", (double) cost.runs() / rounds));
  }

  private static String format(String pattern, Object... values) {
    return Text.format(pattern, values);
  }

  private static int longest(Iterable<String> names) {
    int longest = 0;
    for (String name : names) {
      longest = Math.max(longest, name.length());
    }
    return longest;
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static void line(OutputStream stream, String line) throws IOException {
    stream.write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }
}

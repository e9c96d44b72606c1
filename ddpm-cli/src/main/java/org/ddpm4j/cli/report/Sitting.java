package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.TextTable;
import org.ddpm4j.kernels.cpu.Processor;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.unet.Execution;

/**
 * What was done of a training without a break, and on what.
 *
 * @param begun number of steps done before
 * @param steps that were done in it
 * @param images that these steps trained on
 * @param time since it was begun or resumed, pictures and files included
 * @param machine in words
 */
public record Sitting(long begun, long steps, long images, Duration time, String machine) {

  private static final String HEADER = "begun_at_step,steps,images,seconds,machine\n";
  private static final int COLUMNS = 5;

  /** Thirty years: no sum of such times leaves the range of numbers. */
  private static final double MAX_SECONDS = 1e9;

  /**
   * What networks compute on, in words.
   *
   * @param execution that was chosen
   * @return the processor or the card, and the number format
   */
  public static String machine(Execution execution) {
    DeviceName device = execution.resolvedDevice();
    String where =
        device.equals(DeviceName.CPU)
            ? Text.format("%s, %d thread(s)", Processor.model(), execution.threads())
            : Devices.description(device).orElse(device.toString());
    return Text.format("%s, %s", where, execution.precision());
  }

  /**
   * All sittings of a training: those of a file, as far as they count, and the one that goes on. Of
   * a run that was killed and resumed from a checkpoint, what came after that does not count.
   */
  static List<Sitting> all(Path file, Sitting now) throws IOException {
    List<Sitting> all = new ArrayList<>();
    for (Sitting earlier : read(file)) {
      if (earlier.steps <= now.begun - earlier.begun) {
        all.add(earlier);
      }
    }
    if (now.steps > 0) {
      all.add(now);
    }
    return all;
  }

  /**
   * Reads the sittings of a training.
   *
   * @param file time.csv of a run, which need not exist
   * @return in the order of the file; what somebody else has written into it is left out
   * @throws IOException if it cannot be read
   */
  public static List<Sitting> read(Path file) throws IOException {
    return TextTable.rows(file).stream().flatMap(row -> parse(row).stream()).toList();
  }

  private static Optional<Sitting> parse(String row) {
    String[] cells = row.split(",", COLUMNS);
    try {
      long begun = Long.parseLong(cells[0]);
      long steps = Long.parseLong(cells[1]);
      long images = Long.parseLong(cells[2]);
      double seconds = Double.parseDouble(cells[3]);
      boolean isPossible =
          begun >= 0 && steps >= 0 && images >= 0 && seconds >= 0 && seconds <= MAX_SECONDS;
      return isPossible
          ? Optional.of(
              new Sitting(
                  begun,
                  steps,
                  images,
                  Duration.ofMillis(Math.round(1000 * seconds)),
                  ForeignText.line(unquoted(cells[4]))))
          : Optional.empty();
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  /** The file's content. */
  static String toCsv(List<Sitting> sittings) {
    StringBuilder table = new StringBuilder(HEADER);
    for (Sitting each : sittings) {
      table.append(
          Text.format(
              "%d,%d,%d,%.3f,%s\n",
              each.begun,
              each.steps,
              each.images,
              each.time.toMillis() / 1000.0,
              quoted(each.machine)));
    }
    return table.toString();
  }

  /** A cell that may hold commas (RFC 4180). */
  private static String quoted(String cell) {
    return '"' + cell.replace("\"", "\"\"") + '"';
  }

  /** The last cell of a line, which runs of earlier versions have without quotes. */
  private static String unquoted(String cell) {
    return cell.matches("\".*\"")
        ? cell.substring(1, cell.length() - 1).replace("\"\"", "\"")
        : cell;
  }
}

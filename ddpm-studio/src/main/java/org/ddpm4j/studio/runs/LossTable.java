package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.io.TextTable;

/**
 * The file loss.csv of a run, thinned out for a chart.
 *
 * @param rows in the order of their steps
 */
public record LossTable(List<Row> rows) {

  private static final int MOST_ROWS = 600;

  /**
   * A line.
   *
   * @param step of the training
   * @param loss mean of the steps since the line before
   * @param validationLoss of images held out; NaN where none are
   * @param learningRate of the step
   */
  public record Row(long step, double loss, double validationLoss, double learningRate) {}

  /** Copies the list. */
  public LossTable {
    rows = List.copyOf(rows);
  }

  /**
   * Reads the table of a run.
   *
   * @param file loss.csv, which need not exist
   * @return its rows; what somebody else has written into it is left out
   * @throws IOException if it cannot be read
   */
  public static LossTable read(Path file) throws IOException {
    List<Row> all = TextTable.rows(file).stream().flatMap(line -> row(line).stream()).toList();
    int every = (all.size() + MOST_ROWS - 1) / MOST_ROWS;
    List<Row> kept = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      // The newest is always there.
      if (i % every == (all.size() - 1) % every) {
        kept.add(all.get(i));
      }
    }
    return new LossTable(kept);
  }

  private static Optional<Row> row(String line) {
    String[] cells = line.split(",", -1);
    try {
      return Optional.of(
          new Row(
              Long.parseLong(cells[0]),
              Double.parseDouble(cells[1]),
              Double.parseDouble(cells[2]),
              Double.parseDouble(cells[3])));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }
}

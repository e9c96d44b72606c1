package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.TextTable;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.PlotFont;
import org.ddpm4j.plots.Series;

/**
 * How far a run's samples were from real images as it went: distances.csv, and distances.png.
 *
 * @param folder of the run
 */
public record DistanceTable(Path folder) {

  private static final String TITLES = "step," + DistanceColumns.TITLES + ",inception_score";

  private static final int FRECHET = 2;

  /** The table. */
  private Path table() {
    return folder.resolve("distances.csv");
  }

  /**
   * The Fréchet distance over the steps.
   *
   * @return distances.png, which need not exist
   */
  Path picture() {
    return folder.resolve("distances.png");
  }

  /**
   * Adds a row, and draws the curve anew. Rows of later steps, of a run that was killed and resumed
   * before them, are dropped.
   *
   * @param step after which the images were drawn
   * @param report of the images
   * @throws IOException if a file cannot be read or written
   */
  public void add(long step, DistanceReport report) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Row row : read()) {
      if (row.step < step) {
        rows.add(row);
      }
    }
    rows.add(
        new Row(
            step,
            report.frechet(),
            Text.format(
                "%d,%s,%s",
                step,
                DistanceColumns.of(report),
                report.inceptionScore().map(score -> Double.toString(score.value())).orElse(""))));
    String lines = rows.stream().map(Row::line).collect(Collectors.joining("\n"));
    AtomicFile.writeString(table(), TITLES + "\n" + lines + "\n");
    draw(rows);
  }

  /**
   * Draws the curve of the table, which a kill may have left without its last row.
   *
   * @throws IOException if a file cannot be read or written
   */
  public void draw() throws IOException {
    draw(read());
  }

  private void draw(List<Row> rows) throws IOException {
    if (PlotFont.obstacle().isEmpty()) {
      Images.writePng(curve(rows).draw(), picture());
    }
  }

  /**
   * A line of the table.
   *
   * @param step after which the images were drawn
   * @param frechet their distance, finite
   * @param line as it stands there
   */
  public record Row(long step, double frechet, String line) {

    /** Nothing of a line that somebody else has written. */
    private static Optional<Row> parse(String line) {
      String[] cells = line.split(",", -1);
      try {
        Row row = new Row(Long.parseLong(cells[0]), Double.parseDouble(cells[FRECHET]), line);
        return row.step >= 0 && Double.isFinite(row.frechet) ? Optional.of(row) : Optional.empty();
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        return Optional.empty();
      }
    }
  }

  /**
   * Reads the table.
   *
   * @return its lines; none where there is no file yet
   * @throws IOException if it cannot be read
   */
  public List<Row> read() throws IOException {
    return TextTable.rows(table()).stream().flatMap(line -> Row.parse(line).stream()).toList();
  }

  private static LineChart curve(List<Row> rows) {
    Series distances =
        Series.of(
            "samples",
            rows.stream().mapToDouble(Row::step).toArray(),
            rows.stream().mapToDouble(Row::frechet).toArray());
    return LineChart.of("Distance from real images", List.of(distances))
        .withAxes(Axis.linear("step"), Axis.logarithmic("Fréchet distance"));
  }
}

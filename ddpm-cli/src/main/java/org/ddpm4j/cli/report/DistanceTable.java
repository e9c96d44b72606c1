package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.AtomicFile;
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
    List<String> rows = new ArrayList<>();
    for (String row : rows()) {
      if (stepOf(row) < step) {
        rows.add(row);
      }
    }
    rows.add(
        String.format(
            Locale.ROOT,
            "%d,%s,%s",
            step,
            DistanceColumns.of(report),
            report.inceptionScore().map(score -> Double.toString(score.value())).orElse("")));
    AtomicFile.writeString(table(), TITLES + "\n" + String.join("\n", rows) + "\n");
    if (PlotFont.obstacle().isEmpty()) {
      Images.writePng(curve(rows).draw(), picture());
    }
  }

  private List<String> rows() throws IOException {
    return Files.isRegularFile(table())
        ? Files.readAllLines(table()).stream().skip(1).filter(row -> !row.isBlank()).toList()
        : List.of();
  }

  private static long stepOf(String row) {
    return Long.parseLong(row.split(",")[0]);
  }

  private static LineChart curve(List<String> rows) {
    Series distances =
        Series.of(
            "samples",
            rows.stream().mapToDouble(DistanceTable::stepOf).toArray(),
            rows.stream()
                .mapToDouble(row -> Double.parseDouble(row.split(",")[FRECHET]))
                .toArray());
    return LineChart.of("Distance from real images", List.of(distances))
        .withAxes(Axis.linear("step"), Axis.logarithmic("Fréchet distance"));
  }
}

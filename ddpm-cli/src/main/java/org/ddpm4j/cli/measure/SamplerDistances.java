package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.report.DistanceColumns;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Series;

/** Distances from real images by sampler and number of steps: a curve for each, and a table. */
final class SamplerDistances {

  private final Map<SamplerType, List<Point>> curves = new LinkedHashMap<>();

  private record Point(int steps, DistanceReport report) {}

  /** Adds what a sampler's images are like after some steps, in rising order of the steps. */
  void add(SamplerType type, int steps, DistanceReport report) {
    curves.computeIfAbsent(type, t -> new ArrayList<>()).add(new Point(steps, report));
  }

  boolean isEmpty() {
    return curves.isEmpty();
  }

  void writePicture(Path file) throws IOException {
    List<Series> series = new ArrayList<>();
    curves.forEach(
        (type, points) ->
            series.add(
                Series.of(
                    EnumConverter.spelling(type),
                    points.stream().mapToDouble(Point::steps).toArray(),
                    points.stream().mapToDouble(point -> point.report.frechet()).toArray())));
    Images.writePng(
        LineChart.of("Distance from real images by steps", series)
            .withAxes(
                Axis.linear("steps").withRange(0, Double.NaN), Axis.logarithmic("Fréchet distance"))
            .draw(),
        file);
  }

  String table() {
    StringBuilder table = new StringBuilder("sampler,steps," + DistanceColumns.TITLES + "\n");
    curves.forEach(
        (type, points) -> points.forEach(point -> table.append(row(type, point)).append('\n')));
    return table.toString();
  }

  private static String row(SamplerType type, Point point) {
    return Text.format(
        "%s,%d,%s", EnumConverter.spelling(type), point.steps, DistanceColumns.of(point.report));
  }

  void writeTable(Path file) throws IOException {
    AtomicFile.writeString(file, table());
  }
}

package org.ddpm4j.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.evaluation.DistanceReport.OfClass;
import org.ddpm4j.evaluation.InceptionScore;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;

/**
 * Distances for people, as a table, and for programs, as JSON.
 *
 * @param reports by what was measured, in the order of the rows; the first is the one in question
 */
public record DistanceFiles(Map<String, DistanceReport> reports) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .serializationInclusion(JsonInclude.Include.NON_NULL)
          .build();

  /** Checks that there is something to show. */
  public DistanceFiles {
    reports = new LinkedHashMap<>(reports);
    if (reports.isEmpty()) {
      throw new IllegalArgumentException("There are no distances to show.");
    }
  }

  /** What stands in the file of one row. */
  private record Figures(
      String extractor,
      String reference,
      long referenceImages,
      int images,
      double frechetDistance,
      double kernelDistance,
      double kernelDistanceError,
      double precision,
      double recall,
      double density,
      double coverage,
      Double inceptionScore,
      List<OfClass> classes) {

    static Figures of(DistanceReport report) {
      return new Figures(
          report.extractor(),
          report.reference(),
          report.referenceImages(),
          report.images(),
          report.frechet(),
          report.kernel().value(),
          report.kernel().error(),
          report.precisionRecall().precision(),
          report.precisionRecall().recall(),
          report.densityCoverage().density(),
          report.densityCoverage().coverage(),
          report.inceptionScore().map(InceptionScore::value).orElse(null),
          report.classes());
    }
  }

  /**
   * Writes all figures as JSON.
   *
   * @param file to write or replace
   * @throws IOException if it cannot be written
   */
  public void write(Path file) throws IOException {
    Map<String, Figures> figures = new LinkedHashMap<>();
    reports.forEach((name, report) -> figures.put(name, Figures.of(report)));
    AtomicFile.writeString(
        file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(figures) + "\n");
  }

  /**
   * The figures as tables.
   *
   * @return lines, each with its end
   */
  public String table() {
    DistanceReport first = reports.values().iterator().next();
    StringBuilder text = new StringBuilder();
    add(
        text,
        "Compared with %s, in the features of %s",
        DataOptions.counted(first.referenceImages(), first.reference()),
        first.extractor());
    add(
        text,
        "%-18s%8s%10s%20s%11s%8s%9s%10s%11s",
        "",
        "images",
        "Fréchet",
        "kernel",
        "precision",
        "recall",
        "density",
        "coverage",
        "inception");
    reports.forEach((name, report) -> addRow(text, name, report));
    if (!first.classes().isEmpty()) {
      addClasses(text, first);
    }
    return text.toString();
  }

  private static void addRow(StringBuilder text, String name, DistanceReport report) {
    add(
        text,
        "%-18s%8d%10.2f%20s%11.3f%8.3f%9.3f%10.3f%11s",
        name,
        report.images(),
        report.frechet(),
        Text.format("%.5f ± %.5f", report.kernel().value(), report.kernel().error()),
        report.precisionRecall().precision(),
        report.precisionRecall().recall(),
        report.densityCoverage().density(),
        report.densityCoverage().coverage(),
        report.inceptionScore().map(score -> Text.format("%.2f", score.value())).orElse("-"));
  }

  private void addClasses(StringBuilder text, DistanceReport first) {
    add(text, "");
    StringBuilder titles = new StringBuilder(Text.format("%-18s", "Fréchet by class"));
    reports.forEach(
        (name, report) ->
            titles.append(
                report.classes().isEmpty() ? "" : Text.format("%18s%8s", name, "images")));
    add(text, "%s", titles);
    for (OfClass row : first.classes()) {
      StringBuilder line = new StringBuilder(Text.format("%-18s", row.name()));
      for (DistanceReport report : reports.values()) {
        report.classes().stream()
            .filter(other -> other.name().equals(row.name()))
            .findFirst()
            .ifPresent(
                other -> line.append(Text.format("%18.2f%8d", other.frechet(), other.images())));
      }
      add(text, "%s", line);
    }
  }

  private static void add(StringBuilder text, String format, Object... values) {
    text.append(Text.format(format, values).stripTrailing()).append('\n');
  }
}

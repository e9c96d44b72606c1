package org.ddpm4j.cli.report;

import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.Text;

/** The figures of a report as columns of a table, separated by commas. */
public final class DistanceColumns {

  /** Their titles. */
  public static final String TITLES =
      "images,frechet_distance,kernel_distance,kernel_distance_error,precision,recall,density,coverage";

  private DistanceColumns() {}

  /**
   * The figures, in the order of the titles.
   *
   * @param report of images
   * @return a part of a row
   */
  public static String of(DistanceReport report) {
    return Text.format(
        "%d,%s,%s,%s,%s,%s,%s,%s",
        report.images(),
        report.frechet(),
        report.kernel().value(),
        report.kernel().error(),
        report.precisionRecall().precision(),
        report.precisionRecall().recall(),
        report.densityCoverage().density(),
        report.densityCoverage().coverage());
  }
}

package org.ddpm4j.plots;

import java.util.ArrayList;
import java.util.List;

/** Densities beside the one of N(0, 1), where every forward process ends. */
public final class DensityChart {

  private static final int REFERENCE_POINTS = 400;

  /** More curves than this are a sequence, such as a distribution at several timesteps. */
  private static final int MOST_DISTINCT = 3;

  private DensityChart() {}

  /**
   * A chart of densities with N(0, 1) as black dashes.
   *
   * @param title what stands above; may be empty
   * @param xTitle what the densities are of
   * @param curves as {@link KernelDensity#curve} makes them; more than three are coloured as a
   *     sequence
   * @return the chart
   * @throws IllegalArgumentException if there are no curves or two have the same name
   */
  public static LineChart of(String title, String xTitle, List<Series> curves) {
    double from = curves.stream().mapToDouble(curve -> curve.x()[0]).min().orElse(-1);
    double to =
        curves.stream().mapToDouble(curve -> curve.x()[curve.x().length - 1]).max().orElse(1);
    List<Series> all = new ArrayList<>(curves);
    all.add(KernelDensity.standardNormal(from, to, REFERENCE_POINTS));
    return LineChart.of(title, all)
        .withAxes(Axis.linear(xTitle), Axis.linear("density").withRange(0, Double.NaN))
        .withPalette(curves.size() > MOST_DISTINCT ? Palette.SEQUENTIAL : Palette.DISTINCT);
  }
}

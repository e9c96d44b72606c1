package org.ddpm4j.plots;

import java.util.List;
import java.util.stream.DoubleStream;

/** Losses over the steps of a training. */
public final class LossChart {

  private static final int WIDTH = 840;
  private static final int HEIGHT = 380;

  /** Over less than a decade, a logarithmic axis has hardly any labels. */
  private static final double LOGARITHMIC_FROM = 10;

  private LossChart() {}

  /**
   * A chart of losses, logarithmic where the greatest is more than ten times the least.
   *
   * @param losses over optimiser steps, such as those in training and those held out; what is not
   *     positive leaves a gap
   * @return the chart
   * @throws IllegalArgumentException if there are none or two have the same name
   */
  public static LineChart of(List<Series> losses) {
    double[] drawable =
        losses.stream()
            .flatMapToDouble(series -> DoubleStream.of(series.y()))
            .filter(loss -> loss > 0 && Double.isFinite(loss))
            .sorted()
            .toArray();
    boolean isWide =
        drawable.length > 0 && drawable[drawable.length - 1] > LOGARITHMIC_FROM * drawable[0];
    return LineChart.of("", losses.stream().map(LossChart::withoutNonPositive).toList())
        .withAxes(Axis.linear("step"), isWide ? Axis.logarithmic("loss") : Axis.linear("loss"))
        .withSize(WIDTH, HEIGHT);
  }

  private static Series withoutNonPositive(Series losses) {
    double[] positive =
        DoubleStream.of(losses.y()).map(loss -> loss > 0 ? loss : Double.NaN).toArray();
    return new Series(losses.name(), losses.x(), positive, losses.style());
  }
}

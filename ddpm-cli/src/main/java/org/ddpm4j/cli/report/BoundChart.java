package org.ddpm4j.cli.report;

import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps.Stratum;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.Series;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an image costs at each timestep, as a picture. */
final class BoundChart {

  private static final Axis TIME = Axis.logarithmic("t + 1");

  private BoundChart() {}

  /** The terms of the bound on the left, the errors behind them on the right; means of images. */
  static BufferedImage draw(BoundEvaluation evaluation) {
    List<Stratum> strata = evaluation.timesteps().strata();
    BufferedImage terms =
        LineChart.of("Terms of the bound", List.of(series("L_t", strata, evaluation.terms())))
            .withAxes(TIME, Axis.logarithmic("bits/dim"))
            .draw();
    BufferedImage errors =
        LineChart.of(
                "Mean squared error",
                List.of(
                    series("\u03b5", strata, evaluation.epsSquaredError()),
                    series("x0", strata, evaluation.x0SquaredError())))
            .withAxes(TIME, Axis.logarithmic("mean over images and pixels"))
            .draw();
    return Panels.grid(List.of(terms, errors), 2);
  }

  private static Series series(String name, List<Stratum> strata, INDArray matrix) {
    double[] means =
        IntStream.range(0, strata.size())
            .mapToDouble(s -> BoundEvaluation.average(matrix, s).mean())
            .toArray();
    return Series.of(name, strata.stream().mapToDouble(s -> s.timestep() + 1).toArray(), means);
  }
}

package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.Series;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Errors and bounds of lesson B, drawn. */
final class PredictionCharts {

  private static final Map<ReverseVariance, String> SYMBOLS =
      Map.of(
          ReverseVariance.BETA, "β",
          ReverseVariance.POSTERIOR, "β̃",
          ReverseVariance.LEARNED, "learned");

  private PredictionCharts() {}

  static void draw(LessonRun run, List<PredictionErrors.Judged> all) throws IOException {
    // The errors are those of the network, whatever the variance.
    List<PredictionErrors.Judged> each =
        all.stream().filter(one -> one.variance() == ReverseVariance.POSTERIOR).toList();
    run.picture(
        "b-errors.png",
        Panels.grid(
            List.of(
                chart("squared error of x0", each, BoundEvaluation::x0SquaredError).draw(),
                chart("squared error of ε", each, BoundEvaluation::epsSquaredError).draw()),
            2),
        "errors on images not seen, by timestep");

    List<PredictionErrors.Judged> learned =
        all.stream().filter(one -> one.model().equals(all.get(all.size() - 1).model())).toList();
    List<Series> variances =
        learned.stream()
            .map(one -> line("σ² = " + SYMBOLS.get(one.variance()), one.bound().terms()))
            .toList();
    run.picture(
        "b-bound.png",
        Panels.grid(
            List.of(
                chart("bits/dim, σ² = β̃", each, BoundEvaluation::terms).draw(),
                chart("bits/dim of " + learned.get(0).model(), variances).draw()),
            2),
        "the bound by timestep: L_0 at t + 1 = 1, then the divergences");
  }

  private static LineChart chart(
      String title,
      List<PredictionErrors.Judged> models,
      Function<BoundEvaluation, INDArray> matrix) {
    return chart(
        title, models.stream().map(one -> line(one.model(), matrix.apply(one.bound()))).toList());
  }

  private static LineChart chart(String title, List<Series> lines) {
    return LineChart.of(title, lines)
        .withAxes(Axis.logarithmic("t + 1"), Axis.logarithmic(""))
        .withSize(520, 340);
  }

  /** The mean over the images at each timestep. */
  private static Series line(String name, INDArray matrix) {
    double[] mean = matrix.mean(0).toDoubleVector();
    double[] t = IntStream.rangeClosed(1, mean.length).asDoubleStream().toArray();
    return Series.of(name, t, mean);
  }
}

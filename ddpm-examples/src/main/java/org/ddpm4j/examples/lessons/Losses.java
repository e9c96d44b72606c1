package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Series;

/** What an error of the network costs. */
final class Losses {

  private static final double WIDEST = 3;
  private static final int POINTS = 121;

  private Losses() {}

  static void draw(LessonRun run) throws IOException {
    run.picture(
        "losses.png",
        LineChart.of(
                "",
                List.of(
                    curve("L1: |d|", Math::abs),
                    curve("L2: d²", d -> d * d),
                    curve("Huber", d -> Math.abs(d) < 1 ? d * d / 2 : Math.abs(d) - 0.5)))
            .withAxes(Axis.linear("error d = ε_θ(x_t, t) - ε"), Axis.linear("loss").withRange(0, 4))
            .draw(),
        "three losses: Huber is half of L2 near 0 and as steep as L1 far away");
  }

  private static Series curve(String name, DoubleUnaryOperator loss) {
    double[] d =
        IntStream.range(0, POINTS)
            .mapToDouble(i -> WIDEST * (2.0 * i / (POINTS - 1) - 1))
            .toArray();
    return Series.of(name, d, Arrays.stream(d).map(loss).toArray());
  }
}

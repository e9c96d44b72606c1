package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a perfect network would answer, for one image at rising noise. */
final class PredictionTargets {

  private static final int COLUMNS = 11;

  private PredictionTargets() {}

  static void draw(LessonRun run, NoiseSchedule schedule, ImageDataSet clothes) throws IOException {
    int last = schedule.timesteps() - 1;
    int[] t = new int[COLUMNS];
    Arrays.setAll(t, i -> i * last / (COLUMNS - 1));
    INDArray x0 = clothes.batch(new int[COLUMNS]).getFeatures();
    INDArray eps = NoiseSource.seeded(0, 0).gaussian(0, x0.shape());
    INDArray xt = new ForwardProcess(schedule).qSample(x0, t, eps);

    ImageTable table = new ImageTable(2, titles(t)).row("x_t", xt);
    for (Parameterization what : Parameterization.values()) {
      if (what.scales()) {
        // Its network is given another scale of x_t.
        continue;
      }
      INDArray answer = what.target(schedule, x0, eps, t);
      table.row(symbol(what), answer);
      // Two equations for two unknowns: x_t and the answer tell x0 and ε.
      INDArray recovered = what.estimate(schedule, xt, answer, t).x0();
      run.say(
          "x0 from %s: off by at most %.1e", what, recovered.sub(x0).amaxNumber().doubleValue());
    }
    run.picture(
        "b-targets.png",
        table.draw(),
        String.format(
            Locale.ROOT, "noisy images x_t and what is to be predicted; t from 0 to %d", last));
  }

  private static String[] titles(int[] t) {
    return Arrays.stream(t)
        .mapToObj(each -> each == 0 ? "t = 0" : "" + each)
        .toArray(String[]::new);
  }

  private static String symbol(Parameterization what) {
    return switch (what) {
      case EPSILON -> "ε";
      case X0 -> "x0";
      case V -> "v";
      case MEAN -> "μ";
      case FLOW -> "ε − x0";
      case EDM, CONSISTENCY -> "F";
      case SCORE -> "s";
    };
  }
}

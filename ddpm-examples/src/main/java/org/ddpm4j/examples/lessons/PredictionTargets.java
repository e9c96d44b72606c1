package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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

    List<INDArray> rows = new ArrayList<>(List.of(xt));
    List<String> titles = new ArrayList<>(List.of("x_t"));
    for (Parameterization what : Parameterization.values()) {
      INDArray answer = what.target(schedule, x0, eps, t);
      rows.add(answer);
      titles.add(what.name());
      // Two equations for two unknowns: x_t and the answer tell x0 and ε.
      INDArray recovered = what.estimate(schedule, xt, answer, t).x0();
      run.say(
          "x0 from %s: off by at most %.1e", what, recovered.sub(x0).amaxNumber().doubleValue());
    }
    run.picture(
        GridTitles.beside(
            titles, Images.grid(Nd4j.concat(0, rows.toArray(INDArray[]::new)), COLUMNS, 2)),
        "b-targets.png",
        String.format(
            Locale.ROOT, "noisy images x_t and what is to be predicted; t from 0 to %d", last));
  }
}

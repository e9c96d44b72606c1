package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The forward process: an image fades into noise, step by step or at once. */
final class NoiseStrips {

  private static final int PIXEL = 3;
  private static final int[] SHOWN = {0, 50, 100, 200, 300, 400, 500, 599};

  /** An ankle boot, one of the first images. */
  private static final int IMAGE = 0;

  private NoiseStrips() {}

  /** Strips of a chain of 600 timesteps. */
  static void draw(ImageDataSet clothes, NoiseSchedule schedule, LessonRun run) throws IOException {
    int timesteps = schedule.timesteps();
    INDArray x0 = clothes.batch(IMAGE).getFeatures();
    INDArray eps = NoiseSource.seeded(0, 0).gaussian(0, x0.shape());
    run.picture(
        "noise-strips.png",
        new ImageTable(PIXEL, titles())
            .row("linear, scaled to T", strip(schedule, x0, eps))
            .row(
                "linear, not scaled",
                strip(NoiseSchedule.of(LinearSchedule.paper(), timesteps), x0, eps))
            .row("cosine", strip(NoiseSchedule.of(CosineSchedule.paper(), timesteps), x0, eps))
            .draw(),
        "one image and the same noise along three schedules");

    INDArray[] states = steps(schedule, x0);
    run.picture(
        "steps-and-jumps.png",
        new ImageTable(PIXEL, titles())
            .row("single steps, eq. 2", shown(x0, states))
            .row("at once, eq. 4", strip(schedule, x0, eps))
            .draw(),
        "single steps of the chain lead where eq. 4 jumps to at once");
    INDArray noise =
        states[timesteps - 1]
            .sub(x0.mul(schedule.sqrtAlphasCumprod(timesteps - 1)))
            .divi(schedule.sqrtOneMinusAlphasCumprod(timesteps - 1));
    run.say(
        "The noise of %d single steps has mean %.3f and standard deviation %.3f.",
        timesteps, noise.meanNumber().doubleValue(), noise.stdNumber().doubleValue());
  }

  private static String[] titles() {
    String[] titles = new String[SHOWN.length + 1];
    titles[0] = "original";
    for (int i = 0; i < SHOWN.length; i++) {
      titles[i + 1] = "t = " + SHOWN[i];
    }
    return titles;
  }

  /** x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε (Ho et al. 2020, eq. 4), each from the same image. */
  private static INDArray strip(NoiseSchedule schedule, INDArray x0, INDArray eps) {
    ForwardProcess forward = new ForwardProcess(schedule);
    INDArray[] noisy =
        Arrays.stream(SHOWN)
            .mapToObj(t -> forward.qSample(x0, new int[] {t}, eps))
            .toArray(INDArray[]::new);
    return Nd4j.concat(0, x0, Nd4j.concat(0, noisy));
  }

  /** x_t = √(1-β_t) x_{t-1} + √β_t ε with new noise in each step (eq. 2). */
  private static INDArray[] steps(NoiseSchedule schedule, INDArray x0) {
    ForwardProcess forward = new ForwardProcess(schedule);
    INDArray[] states = new INDArray[schedule.timesteps()];
    INDArray x = x0;
    for (int t = 0; t < states.length; t++) {
      INDArray eps = NoiseSource.seeded(1, 0).gaussian(t, x0.shape());
      x = forward.qStep(x, new int[] {t}, eps);
      states[t] = x;
    }
    return states;
  }

  private static INDArray shown(INDArray x0, INDArray[] states) {
    INDArray[] noisy = Arrays.stream(SHOWN).mapToObj(t -> states[t]).toArray(INDArray[]::new);
    return Nd4j.concat(0, x0, Nd4j.concat(0, noisy));
  }
}

package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.plots.ScheduleCharts;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The linear schedule on 10,000 timesteps, with the betas made for 1000, and with betas scaled to
 * them.
 */
final class ChainLength {

  private static final int TIMESTEPS = 10_000;
  private static final int SHAPE_CHECK = 1000;

  private ChainLength() {}

  static void draw(LessonRun run) throws IOException {
    ScheduleReport unscaled = examine(LinearSchedule.paper());
    run.picture(
        "chain-too-long.png",
        ScheduleCharts.report(unscaled, "β from 1e-4 to 0.02 on T = 10000"),
        "a schedule for 1000 timesteps stretched over ten times as many");
    unscaled.lines().forEach(run.out());
    run.say("Scaled by 1000/T instead:");
    examine(LinearSchedule.paper().scaledTo(TIMESTEPS)).lines().forEach(run.out());

    // The post's check: (8,1,32,32) in, (8,1,32,32) out.
    INDArray x0 = NoiseSource.seeded(0, 0).gaussian(0, 8, 1, 32, 32);
    INDArray eps = NoiseSource.seeded(0, 0).gaussian(1, x0.shape());
    int[] t = new int[8];
    Arrays.fill(t, SHAPE_CHECK);
    INDArray xt = new ForwardProcess(unscaled.schedule()).qSample(x0, t, eps);
    run.say(
        "Noisy images at t = %d: %s, noise: %s",
        SHAPE_CHECK, Arrays.toString(xt.shape()), Arrays.toString(eps.shape()));
  }

  private static ScheduleReport examine(BetaSchedule formula) {
    return ScheduleDoctor.examine(formula, TIMESTEPS, DataRange.pixels());
  }
}

package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The reverse process (Ho et al. 2020, algorithm 2) of images in [-1,1].
 *
 * @param schedule of the network
 * @param shape of the images
 * @param run which says how many steps are walked back at most
 */
record ReverseProcess(NoiseSchedule schedule, ImageShape shape, LessonRun run) {

  static final int IMAGES = 10;

  private static final int SEED = 0;
  private static final int PIXEL = 3;
  private static final int CHAINS = 3;
  private static final int COLUMNS = 10;

  /** Draws images through all timesteps and shows three on their way, after every tenth of it. */
  INDArray drawChains(Denoiser denoiser) throws IOException {
    List<String> titles = new ArrayList<>();
    List<INDArray> states = new ArrayList<>();
    List<INDArray> guesses = new ArrayList<>();
    int every = Math.max(1, stepsOf(schedule.timesteps()) / COLUMNS);
    SamplingObserver keep =
        (stepsDone, x, x0) -> {
          if (stepsDone % every == 0) {
            titles.add("step " + stepsDone);
            states.add(x);
            guesses.add(x0);
          }
        };
    INDArray images =
        new DiffusionPipeline(denoiser, sampler(schedule.timesteps()), shape)
            .sample(IMAGES, SEED, IMAGES, keep);
    ImageTable chains = new ImageTable(PIXEL, titles.toArray(String[]::new));
    for (int chain = 0; chain < CHAINS; chain++) {
      chains.row("state", ofChain(states, chain)).row("estimate of x0", ofChain(guesses, chain));
    }
    run.picture(
        "reverse-process.png",
        chains.draw(),
        "three images as they leave the noise, and what the network takes for x0 meanwhile");
    return images;
  }

  /** Draws the same images with fewer and fewer steps (Nichol and Dhariwal 2021, section 4). */
  void drawFewerSteps(INDArray allSteps, Denoiser denoiser) throws IOException {
    ImageTable table = new ImageTable(PIXEL).row(schedule.timesteps() + " steps", allSteps);
    for (int steps : new int[] {100, 50, 20, 10}) {
      table.row(steps + " steps", sample(denoiser, sampler(steps)));
    }
    run.picture("fewer-steps.png", table.draw(), "the same network and seed with fewer steps");
  }

  INDArray sample(Denoiser denoiser, Sampler sampler) {
    return new DiffusionPipeline(denoiser, sampler, shape).sample(IMAGES, SEED);
  }

  /** With the variance of the posterior, x0 kept in the range of the images. */
  AncestralSampler sampler(int steps) {
    return new AncestralSampler(times(steps), ReverseVariance.POSTERIOR, X0Constraint.clip(-1, 1));
  }

  /** So many of the timesteps, or as many as are to be walked at most. */
  RespacedSchedule times(int steps) {
    return schedule.respace(stepsOf(steps));
  }

  private int stepsOf(int timesteps) {
    return Math.min(run.mostReverseSteps(), timesteps);
  }

  private static INDArray ofChain(List<INDArray> all, int chain) {
    return Nd4j.concat(
        0,
        all.stream()
            .map(images -> images.get(NDArrayIndex.interval(chain, chain + 1)))
            .toArray(INDArray[]::new));
  }
}

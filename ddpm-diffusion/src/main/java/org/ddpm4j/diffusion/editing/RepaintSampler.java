package org.ddpm4j.diffusion.editing;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws what is missing of an image (RePaint: Lugmayr et al. 2022, algorithm 1). Each step takes
 * the unknown pixels from DDPM's reverse process and the known ones from the forward process,
 * {@code q(x_{t-1} | x0)}; now and then the chain goes back up by {@code q(x_t | x_{t-1})}.
 *
 * <p>The noise of the known pixels has the standard deviation {@code √(1-ᾱ)}, of which the paper's
 * line 4 forgets the root (its eq. 8a does not). diffusers' {@code RePaintScheduler} makes the
 * unknown pixels by DDIM, of η = 0 unless told otherwise, jumps up one state later, and on a
 * respaced chain with the betas of later timesteps; this does as the paper and its authors' program
 * do.
 *
 * @param chain the reverse process
 * @param resampling how often and how far it goes back up
 * @param image of which something is known, {@code [1,C,H,W]} for all images of a batch, or {@code
 *     [N,C,H,W]}, in the range of the training data; what is not known of it does not matter, as
 *     long as it is finite
 * @param mask 1 where a pixel is known and kept, 0 where it is drawn, {@code [1|N,1|C,H,W]}
 */
public record RepaintSampler(
    AncestralSampler chain, Resampling resampling, INDArray image, INDArray mask)
    implements Sampler {

  /**
   * Checks the arrays.
   *
   * @throws IllegalArgumentException if one is no batch of images, their sizes differ, the mask has
   *     other values than 0 and 1, or there are too many steps
   */
  public RepaintSampler {
    Objects.requireNonNull(chain, "chain");
    Objects.requireNonNull(resampling, "resampling");
    Batches.requireImages("image", image);
    Batches.requireImages("mask", mask);
    Batches.expand(
        "mask",
        mask,
        mask.dataType(),
        Math.max(image.size(0), mask.size(0)),
        image.size(1),
        image.size(2),
        image.size(3));
    for (double value : mask.dup('c').data().asDouble()) {
      if (value != 0 && value != 1) {
        throw new IllegalArgumentException(
            Text.format(
                "The mask has a value of %s; it must be 1 where a pixel is kept and 0 where it is drawn.",
                value));
      }
    }
    resampling.timesteps(chain.steps());
  }

  @Override
  public INDArray sample(
      Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
    int[] timesteps = resampling.timesteps(chain.steps());
    // Draws are counted down, so that without resampling they are those of DDPM.
    int draw = timesteps.length - 1;
    INDArray x = noise.initial(draw, shape);
    INDArray known = Batches.expand("image", image, x.dataType(), shape);
    INDArray kept = Batches.expand("mask", mask, x.dataType(), shape);
    INDArray drawn = kept.rsub(1);
    int done = 0;
    for (int k = 1; k < timesteps.length; k++) {
      draw--;
      int t = timesteps[k];
      // The last move, onto clean images, takes none.
      INDArray eps = draw > 0 ? noise.gaussian(draw, shape) : null;
      if (t > timesteps[k - 1]) {
        double beta = chain.times().schedule().betas(t);
        x = BatchArithmetic.combine(Math.sqrt(1 - beta), x, Math.sqrt(beta), eps);
      } else {
        INDArray noisy = t < 0 ? known : ForwardProcess.qSample(known, level(t), eps);
        AncestralSampler.Step step = chain.step(denoiser, x, t + 1, eps);
        x = step.x().muli(drawn).addi(noisy.mul(kept));
        done++;
        observer.onStep(done, x, step.x0());
      }
    }
    return x;
  }

  private NoiseLevel level(int t) {
    return NoiseLevel.of(chain.times().schedule(), t);
  }

  /** The number of steps down; those up are not counted, and the observer is not told of them. */
  @Override
  public int steps() {
    // Each step up is one more down.
    return (resampling.timesteps(chain.steps()).length - 1 + chain.steps()) / 2;
  }
}

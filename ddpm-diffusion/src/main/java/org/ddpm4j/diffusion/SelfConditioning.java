package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a network that conditions on itself is told in a run of sampling: its estimate of the image
 * before, clipped to [-1,1], and zero at first (Chen et al. 2022, algorithm 2; clipped as the
 * samplers of lucidrains' {@code denoising-diffusion-pytorch} do). Of one run: it remembers, and is
 * not thread-safe.
 */
public final class SelfConditioning {

  private INDArray estimate;

  /** Nothing is estimated yet. */
  public SelfConditioning() {}

  /**
   * A network of images alone.
   *
   * @param network of the estimate and the image, {@code [N,2C,H,W]}
   * @return the same, of {@code [N,C,H,W]}
   */
  public Network condition(Network network) {
    Objects.requireNonNull(network, "network");
    return (x, t) -> {
      // Editing may go on with another number of images.
      boolean fits = estimate != null && Arrays.equals(estimate.shape(), x.shape());
      INDArray before = fits ? estimate : x.like();
      INDArray both = Nd4j.concat(1, before, x);
      INDArray answer = network.predict(both, t);
      both.close();
      if (!fits) {
        before.close();
      }
      return answer;
    };
  }

  /**
   * A denoiser whose estimates are remembered.
   *
   * @param denoiser of a network of {@link #condition}
   * @return the same
   */
  public Denoiser remember(Denoiser denoiser) {
    Objects.requireNonNull(denoiser, "denoiser");
    return (xt, level) -> {
      Denoiser.Estimate found = denoiser.denoise(xt, level);
      if (estimate != null) {
        estimate.close();
      }
      estimate = BatchArithmetic.clip(found.x0(), -1, 1);
      return found;
    };
  }
}

package org.ddpm4j.diffusion.pipeline;

import java.awt.image.BufferedImage;
import java.util.Objects;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Shows what is being drawn: every so many steps and after the last, a picture of the estimates of
 * x0, blurred at first and then ever clearer.
 *
 * <p>The other steps cost nothing. A picture is made in the thread that samples and takes some 15
 * ns a pixel: 1 ms for 64 images of 28x28, for which a step of the smallest networks takes 50 ms. A
 * receiver that is slow, because it writes files or to a network, should hand the picture on to
 * another thread.
 *
 * @param every steps between two pictures, at least 1
 * @param normalization how the training images' values were made of pixels
 * @param receiver gets the pictures
 */
public record X0Preview(int every, Normalization normalization, Receiver receiver)
    implements SamplingListener {

  /** What becomes of the pictures. */
  @FunctionalInterface
  public interface Receiver {

    /**
     * Called in the thread that samples.
     *
     * @param progress which images these are, and how far they are
     * @param picture the images of the batch in a roughly square grid of their own size
     */
    void accept(SamplingProgress progress, BufferedImage picture);
  }

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if the number of steps is less than 1
   */
  public X0Preview {
    if (every < 1) {
      throw new IllegalArgumentException(
          Text.format("A preview every %d steps is not possible; it must be at least 1.", every));
    }
    Objects.requireNonNull(normalization, "normalization");
    Objects.requireNonNull(receiver, "receiver");
  }

  @Override
  public void onStep(SamplingProgress progress, INDArray x, INDArray x0) {
    if (progress.step() % every == 0 || progress.step() == progress.steps()) {
      int columns = Images.squareColumns((int) x0.size(0));
      receiver.accept(progress, Images.grid(x0, columns, 1, normalization));
    }
  }
}

package org.ddpm4j.unet;

import java.util.Objects;
import org.ddpm4j.kernels.random.BatchKey;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a U-Net is given: a batch of N images, each at a timestep and, where the network knows
 * classes, with a label. Values may be of any numeric type; the network checks them.
 *
 * @param x noisy images, {@code [N,C,H,W]}
 * @param t timesteps, {@code [N]}, zero-based
 * @param labels rows of the network's class embedding, {@code [N]}, whole numbers from 0; null for
 *     a network that knows no classes
 * @param dropout which elements a network with dropout drops, in training; null for none, as in
 *     sampling. Of no matter to networks without dropout
 */
public record UnetInput(INDArray x, INDArray t, INDArray labels, BatchKey dropout) {

  /** Checks that there are images and timesteps. */
  public UnetInput {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(t, "t");
  }

  /**
   * Input of which nothing is dropped.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @param labels rows of the network's class embedding, {@code [N]}, or null
   */
  public UnetInput(INDArray x, INDArray t, INDArray labels) {
    this(x, t, labels, null);
  }

  /**
   * The same for training.
   *
   * @param key which elements are dropped: a function of the key, each image's number, the layer
   *     and the element's place
   * @return the input
   */
  public UnetInput withDropout(BatchKey key) {
    return new UnetInput(x, t, labels, key);
  }

  /**
   * Input without classes.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @return the input
   */
  public static UnetInput of(INDArray x, INDArray t) {
    return new UnetInput(x, t, null);
  }

  /**
   * Input without classes.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t the timestep of each image, N of them, zero-based
   * @return the input
   */
  public static UnetInput of(INDArray x, int[] t) {
    return of(x, Nd4j.createFromArray(t));
  }
}

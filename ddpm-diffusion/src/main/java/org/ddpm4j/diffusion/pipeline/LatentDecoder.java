package org.ddpm4j.diffusion.pipeline;

import org.ddpm4j.diffusion.ImageShape;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes images of the latents that a sampler ends with. */
public interface LatentDecoder {

  /**
   * Makes images.
   *
   * @param latents {@code [N,c,h,w]}
   * @return images as a model sees pixels, {@code [N,C,H,W]}; a new array
   */
  INDArray decode(INDArray latents);

  /** {@return the size of the images: channels, height and width} */
  ImageShape shape();
}

package org.ddpm4j.unet.model;

import java.util.Optional;

/** A network that diffusers has a class for, so that pipelines of it can hold one. */
public sealed interface DiffusersNetwork extends UnetConfig permits Unet2D, DiffusionTransformer {

  /**
   * diffusers' class.
   *
   * @return the value of {@code _class_name} in config.json
   */
  String className();

  /**
   * The size of the images, or latents, that the network is meant for.
   *
   * @return {@code sample_size}, or empty if it is not known
   */
  Optional<Unet2D.ImageSize> sampleSize();

  /**
   * The same network, meant for another size.
   *
   * @param size of the images, or latents
   * @return the architecture
   * @throws IllegalArgumentException if its file cannot say such a size
   */
  DiffusersNetwork withSampleSize(Unet2D.ImageSize size);
}

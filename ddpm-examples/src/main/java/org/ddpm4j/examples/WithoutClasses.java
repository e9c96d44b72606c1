package org.ddpm4j.examples;

import java.util.Arrays;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.model.DiffusionModel;

/** A model, whether it knows classes or not, asked for images of no class in particular. */
final class WithoutClasses {

  private WithoutClasses() {}

  /** For any number of images at a time. */
  static Denoiser denoiser(DiffusionModel model) {
    return (xt, level) -> {
      int[] classes = new int[(int) xt.size(0)];
      model.nullClass().ifPresent(none -> Arrays.fill(classes, none));
      return model.denoiser().withClasses(classes).denoise(xt, level);
    };
  }
}

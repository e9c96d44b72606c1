package org.ddpm4j.diffusion.objective;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Estimates the clean images of noisy ones that are not equally noisy. Thread-safe. */
@FunctionalInterface
public interface Teacher {

  /**
   * Estimates x0.
   *
   * @param xt noisy images that keep the variance, {@code [N,C,H,W]}; not changed
   * @param levels how noisy each is, N of them; only ᾱ counts
   * @param labels the class of each image, {@code [N]}, where classes are told
   * @return the estimates, {@code [N,C,H,W]}, the caller's to close
   */
  INDArray x0(INDArray xt, List<NoiseLevel> levels, Optional<INDArray> labels);

  /**
   * A trained network.
   *
   * @param unet the network; told classes if it knows any
   * @param parameterization what it predicts; not the mean, which whole timesteps have alone
   * @param schedule the one that it was trained with
   * @return the teacher, whose answers a device computes by itself where it trains the student
   * @throws IllegalArgumentException if it conditions on its own estimates or predicts the mean
   */
  static NetworkTeacher of(Unet unet, Parameterization parameterization, NoiseSchedule schedule) {
    Objects.requireNonNull(unet, "unet");
    return new NetworkTeacher(unet, parameterization, schedule);
  }
}

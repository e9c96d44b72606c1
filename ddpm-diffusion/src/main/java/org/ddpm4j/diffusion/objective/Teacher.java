package org.ddpm4j.diffusion.objective;

import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
   * A trained network. It is asked at the time that its own schedule has for a noise-to-signal
   * ratio; a learned variance is left out of account.
   *
   * @param unet the network; told classes if it knows any
   * @param parameterization what it predicts; not the mean, which whole timesteps have alone
   * @param schedule the one that it was trained with
   * @return the teacher
   * @throws IllegalArgumentException if it conditions on its own estimates or predicts the mean
   */
  static Teacher of(Unet unet, Parameterization parameterization, NoiseSchedule schedule) {
    if (unet.config().selfConditions() || parameterization == Parameterization.MEAN) {
      throw new IllegalArgumentException(
          "A network that predicts the mean or conditions on its own estimates cannot be distilled;"
              + " take another teacher.");
    }
    boolean knowsClasses = unet.config().classEmbeddings() > 0;
    return (xt, levels, labels) -> {
      List<NoiseLevel> own =
          levels.stream().map(level -> NoiseLevel.ofRho(schedule, level.rho())).toList();
      int channels = Math.toIntExact(xt.size(1));
      try (Temporaries temporaries = new Temporaries()) {
        INDArray times = temporaries.add(Nd4j.create(xt.dataType(), own.size()));
        for (int i = 0; i < own.size(); i++) {
          times.putScalar(i, parameterization.time(schedule, own.get(i)));
        }
        double[] factors = own.stream().mapToDouble(parameterization::inputFactor).toArray();
        INDArray input = temporaries.add(Temporaries.sum(List.of(xt), List.of(factors)));
        INDArray answer =
            temporaries.add(
                unet.predict(new UnetInput(input, times, knowsClasses ? labels.get() : null)));
        INDArray prediction =
            answer.size(1) == channels ? answer : Temporaries.channels(answer, 0, channels);
        return parameterization.x0(schedule, xt, prediction, own);
      }
    };
  }
}

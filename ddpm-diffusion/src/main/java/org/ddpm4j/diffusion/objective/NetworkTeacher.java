package org.ddpm4j.diffusion.objective;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A trained network as a teacher. It is asked at the time that its own schedule has for a
 * noise-to-signal ratio; a learned variance is left out of account.
 *
 * @param unet the network; told classes if it knows any
 * @param parameterization what it predicts; not the mean, which whole timesteps have alone
 * @param schedule the one that it was trained with
 */
public record NetworkTeacher(Unet unet, Parameterization parameterization, NoiseSchedule schedule)
    implements Teacher {

  /**
   * Checks that noisy images are all that it is to be told.
   *
   * @throws IllegalArgumentException if it conditions on its own estimates, predicts the mean, or
   *     answers with fewer channels than images have
   */
  public NetworkTeacher {
    Objects.requireNonNull(unet, "unet");
    if (unet.config().selfConditions() || parameterization == Parameterization.MEAN) {
      throw new IllegalArgumentException(
          "A network that predicts the mean or conditions on its own estimates cannot be distilled;"
              + " take another teacher.");
    }
    UnetConfig config = unet.config();
    if (config.outChannels() < config.inChannels()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network takes %d channel(s) and answers with %d, which say nothing of all of an"
                  + " image; a teacher answers with as many or more.",
              config.inChannels(), config.outChannels()));
    }
  }

  @Override
  public INDArray x0(INDArray xt, List<NoiseLevel> levels, Optional<INDArray> labels) {
    boolean knowsClasses = unet.config().classEmbeddings() > 0;
    List<NoiseLevel> own = levels.stream().map(this::own).toList();
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
  }

  /** The level in the network's own schedule. */
  private NoiseLevel own(NoiseLevel level) {
    return NoiseLevel.ofRho(schedule, level.rho());
  }

  /** What the network is asked with at a level. */
  double time(NoiseLevel level) {
    return parameterization.time(schedule, own(level));
  }

  /** The factor of x_t in what the network is given. */
  double inputFactor(NoiseLevel level) {
    return parameterization.inputFactor(own(level));
  }

  /** The factors of x_t and of the network's answer in its estimate. */
  double[] x0Factors(NoiseLevel level) {
    return parameterization.x0Factors(schedule, own(level));
  }
}

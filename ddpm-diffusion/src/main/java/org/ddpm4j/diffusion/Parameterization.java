package org.ddpm4j.diffusion;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a network predicts, called the prediction type by diffusers. Every choice is a linear
 * combination {@code y = a_t x0 + b_t ε} of the image and the noise in {@code x_t = √ᾱ_t x0 +
 * √(1-ᾱ_t) ε}, so that each can be had from each other: two equations for two unknowns.
 */
public enum Parameterization {
  /** The noise ε (Ho et al. 2020, eq. 11 to 14). Says nothing about x0 where ᾱ_t is 0. */
  @JsonProperty("epsilon")
  EPSILON {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return 0;
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return 1;
    }
  },
  /** The image x0 (Ho et al. 2020, section 3.2), which diffusers calls the sample. */
  @JsonProperty("x0")
  X0 {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return 1;
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return 0;
    }
  },
  /** {@code v = √ᾱ_t ε - √(1-ᾱ_t) x0} (Salimans and Ho 2022, appendix D). */
  @JsonProperty("v")
  V {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return -level.sigma();
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return level.alpha();
    }
  },
  /**
   * The velocity {@code ε - x0} of rectified flow (Liu et al. 2023, eq. 1). A network of it is
   * given {@code (1-s) x0 + s ε}, which is {@code x_t/(α+σ)} with {@code s = σ/(α+σ)}, and asked
   * with {@code s T}, as those of diffusers' {@code FlowMatchEulerDiscreteScheduler} are.
   */
  @JsonProperty("flow")
  FLOW {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return -1;
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return 1;
    }

    @Override
    public double inputFactor(NoiseLevel level) {
      return 1 / (level.alpha() + level.sigma());
    }

    @Override
    public double time(NoiseSchedule schedule, NoiseLevel level) {
      return level.sigma() * inputFactor(level) * schedule.timesteps();
    }
  },
  /**
   * What is left of the image when a share of the noisy one is taken away, in units of variance 1
   * (Karras et al. 2022, eq. 7 and table 1, with σ_data = 0.5): {@code (x0 - c_skip z)/c_out} of
   * {@code z = x0 + ρ ε}. A network of it is given {@code c_in z} and asked with {@code log(ρ)/4}.
   */
  @JsonProperty("edm")
  EDM {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return level.sigma() * inputFactor(level) / DATA_DEVIATION;
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return -DATA_DEVIATION * level.alpha() * inputFactor(level);
    }

    @Override
    public double inputFactor(NoiseLevel level) {
      return 1 / Math.hypot(level.sigma(), level.alpha() * DATA_DEVIATION);
    }

    @Override
    public double time(NoiseSchedule schedule, NoiseLevel level) {
      return Math.log(level.rho()) / 4;
    }
  },
  /**
   * The same for a consistency model, which is the identity at the least noise (Song et al. 2023,
   * eq. 5 and appendix C, with σ_data = 0.5 and ε = 0.002). A network of it is asked with {@code
   * 250 log(ρ)}, and what it says is x0 at once; it is distilled.
   */
  @JsonProperty("consistency")
  CONSISTENCY {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      double above = above(level);
      double total = above * above + DATA_DEVIATION * DATA_DEVIATION;
      return above / total / (DATA_DEVIATION * level.alpha() * inputFactor(level));
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      double above = above(level);
      double total = above * above + DATA_DEVIATION * DATA_DEVIATION;
      return -DATA_DEVIATION * level.rho() / (total * above * level.alpha() * inputFactor(level));
    }

    @Override
    public double inputFactor(NoiseLevel level) {
      return EDM.inputFactor(level);
    }

    @Override
    public double time(NoiseSchedule schedule, NoiseLevel level) {
      return TIMES * EDM.time(schedule, level);
    }

    /** ρ - ε, but for rounding no less than nothing. */
    private double above(NoiseLevel level) {
      return Math.max(level.rho() - LEAST_RATIO, ROUNDING);
    }
  },
  /**
   * The score {@code -ε/ρ} of {@code z = x0 + ρ ε}, the gradient of its log density (Song et al.
   * 2021b, eq. 7). A network of it is given z and asked with ρ, as those of diffusers' {@code
   * ScoreSdeVePipeline} are; it is not trained here.
   */
  @JsonProperty("score")
  SCORE {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      return 0;
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return -1 / level.rho();
    }

    @Override
    public double inputFactor(NoiseLevel level) {
      return 1 / level.alpha();
    }

    @Override
    public double time(NoiseSchedule schedule, NoiseLevel level) {
      return level.rho();
    }
  },
  /**
   * The mean {@code μ̃_t} of the posterior {@code q(x_{t-1} | x_t, x0)} (Ho et al. 2020, eq. 7).
   */
  @JsonProperty("mean")
  MEAN {
    @Override
    double x0Factor(NoiseSchedule schedule, NoiseLevel level) {
      int t = wholeTimestep(level);
      return schedule.posteriorMeanCoef1(t) + schedule.posteriorMeanCoef2(t) * level.alpha();
    }

    @Override
    double epsFactor(NoiseSchedule schedule, NoiseLevel level) {
      return schedule.posteriorMeanCoef2(wholeTimestep(level)) * level.sigma();
    }
  };

  /** σ_data of Karras et al. 2022, table 1. */
  private static final double DATA_DEVIATION = 0.5;

  /** ε of Song et al. 2023, appendix C. */
  private static final double LEAST_RATIO = 0.002;

  private static final double ROUNDING = 1e-9;

  /** By which diffusers' consistency models multiply what EDM asks with. */
  private static final double TIMES = 1000;

  abstract double x0Factor(NoiseSchedule schedule, NoiseLevel level);

  abstract double epsFactor(NoiseSchedule schedule, NoiseLevel level);

  /**
   * Whether a network is given another scale of x_t, and asked with something else than timesteps.
   *
   * @return true for {@link #FLOW}, {@link #EDM}, {@link #CONSISTENCY} and {@link #SCORE}
   */
  public boolean scales() {
    return this == FLOW || this == EDM || this == CONSISTENCY || this == SCORE;
  }

  /**
   * The factor of x_t in what a network is given.
   *
   * @param level how noisy x_t is
   * @return 1, but for those that {@link #scales scale}
   */
  public double inputFactor(NoiseLevel level) {
    return 1;
  }

  /**
   * What a network is asked with.
   *
   * @param schedule of the chain
   * @param level how noisy x_t is
   * @return its time, but for those that {@link #scales scale}
   */
  public double time(NoiseSchedule schedule, NoiseLevel level) {
    return Objects.requireNonNull(level, "level").t();
  }

  /**
   * What a network is given in training.
   *
   * @param schedule of the chain
   * @param x0 images, {@code [N,C,H,W]}
   * @param eps the noise to add, same shape
   * @param t the timestep of each image, zero-based
   * @return x_t times {@link #inputFactor}, same shape and type as x0
   * @throws IllegalArgumentException if the shapes differ or the images are whole numbers
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray input(NoiseSchedule schedule, INDArray x0, INDArray eps, int... t) {
    return PerImage.combine(
        x0,
        eps,
        i -> {
          NoiseLevel level = NoiseLevel.of(schedule, i);
          double scale = inputFactor(level);
          return new double[] {level.alpha() * scale, level.sigma() * scale};
        },
        t);
  }

  /**
   * What a perfect network would say in training.
   *
   * @param schedule of the chain
   * @param x0 images, {@code [N,C,H,W]}
   * @param eps the noise that was added, same shape
   * @param t the timestep of each image, zero-based
   * @return the prediction, same shape and type as x0
   * @throws IllegalArgumentException if the shapes differ or the images are whole numbers
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray target(NoiseSchedule schedule, INDArray x0, INDArray eps, int... t) {
    return PerImage.combine(x0, eps, i -> targetFactors(schedule, i), t);
  }

  /**
   * The two factors of what a perfect network would say, {@code a_t x0 + b_t ε}.
   *
   * @param schedule of the chain
   * @param t the timestep, zero-based
   * @return a_t and b_t
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public double[] targetFactors(NoiseSchedule schedule, int t) {
    NoiseLevel level = NoiseLevel.of(schedule, t);
    return new double[] {x0Factor(schedule, level), epsFactor(schedule, level)};
  }

  /**
   * What a prediction says of both parts of the noisy images.
   *
   * @param schedule of the chain
   * @param xt noisy images, {@code [N,C,H,W]}
   * @param prediction the network's answer, same shape
   * @param t the timestep of each image, zero-based
   * @return x0 and ε, which put together again give x_t
   * @throws IllegalArgumentException if the prediction does not determine x0, see {@link
   *     #determinesX0}
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public Denoiser.Estimate estimate(
      NoiseSchedule schedule, INDArray xt, INDArray prediction, int... t) {
    return estimate(schedule, xt, prediction, i -> NoiseLevel.of(schedule, i), t);
  }

  /**
   * What a prediction says of both parts of noisy images that are all equally noisy.
   *
   * @param schedule of the chain
   * @param xt noisy images, {@code [N,C,H,W]}
   * @param prediction the network's answer, same shape
   * @param level of all of them, which may lie between two timesteps
   * @return x0 and ε, which put together again give x_t
   * @throws IllegalArgumentException if the prediction does not determine x0: of {@link #EPSILON}
   *     and {@link #SCORE} where ᾱ is 0, of {@link #MEAN} between two timesteps
   * @throws IndexOutOfBoundsException if the mean is predicted and the timestep is not in 0..T-1
   */
  public Denoiser.Estimate estimate(
      NoiseSchedule schedule, INDArray xt, INDArray prediction, NoiseLevel level) {
    Objects.requireNonNull(xt, "xt");
    Objects.requireNonNull(level, "level");
    return estimate(schedule, xt, prediction, i -> level, new int[Math.toIntExact(xt.size(0))]);
  }

  /**
   * What a prediction says of the clean images of noisy ones that are not equally noisy.
   *
   * @param schedule of the chain
   * @param xt noisy images, {@code [N,C,H,W]}
   * @param prediction the network's answer, same shape
   * @param levels of the images, N of them, which may lie between two timesteps
   * @return x0, same shape
   * @throws IllegalArgumentException as {@link #estimate(NoiseSchedule, INDArray, INDArray,
   *     NoiseLevel)}
   */
  public INDArray x0(
      NoiseSchedule schedule, INDArray xt, INDArray prediction, List<NoiseLevel> levels) {
    return x0(schedule, xt, prediction, levels::get, IntStream.range(0, levels.size()).toArray());
  }

  private INDArray x0(
      NoiseSchedule schedule,
      INDArray xt,
      INDArray prediction,
      IntFunction<NoiseLevel> levelOf,
      int[] t) {
    return PerImage.combine(xt, prediction, i -> x0Factors(schedule, levelOf.apply(i)), t);
  }

  private Denoiser.Estimate estimate(
      NoiseSchedule schedule,
      INDArray xt,
      INDArray prediction,
      IntFunction<NoiseLevel> levelOf,
      int[] t) {
    INDArray x0 = x0(schedule, xt, prediction, levelOf, t);
    INDArray eps = PerImage.combine(xt, prediction, i -> epsFactors(schedule, levelOf.apply(i)), t);
    return new Denoiser.Estimate(x0, eps);
  }

  /**
   * Whether x0 can be had from a prediction at a timestep: not from ε, nor from the score, where
   * nothing of the image is left (ᾱ_t = 0, as at the end of a schedule of zero terminal SNR).
   *
   * @param schedule of the chain
   * @param t the timestep, zero-based
   * @return true if it can
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public boolean determinesX0(NoiseSchedule schedule, int t) {
    return determinesX0(schedule, NoiseLevel.of(schedule, t));
  }

  /**
   * Whether x0 can be had from a prediction at a noise level.
   *
   * @param schedule of the chain
   * @param level which may lie between two timesteps
   * @return true if it can
   * @throws IllegalArgumentException if the mean is predicted and the level lies between two
   *     timesteps
   */
  public boolean determinesX0(NoiseSchedule schedule, NoiseLevel level) {
    return determinant(schedule, level) != 0;
  }

  /**
   * The two factors of the image that a prediction tells, {@code a x_t + b y}.
   *
   * @param schedule of the chain
   * @param level which may lie between two timesteps
   * @return a and b
   * @throws IllegalArgumentException as {@link #estimate(NoiseSchedule, INDArray, INDArray,
   *     NoiseLevel)}
   */
  public double[] x0Factors(NoiseSchedule schedule, NoiseLevel level) {
    requireX0(schedule, level);
    double determinant = determinant(schedule, level);
    return new double[] {epsFactor(schedule, level) / determinant, -level.sigma() / determinant};
  }

  /** The two factors of the noise that a prediction tells, where it tells the image. */
  private double[] epsFactors(NoiseSchedule schedule, NoiseLevel level) {
    double determinant = determinant(schedule, level);
    return new double[] {-x0Factor(schedule, level) / determinant, level.alpha() / determinant};
  }

  /**
   * How much the estimate of x0 changes with the prediction: {@code ∂x0/∂y}.
   *
   * @param schedule of the chain
   * @param t the timestep, zero-based
   * @return the slope, negative for ε, v and the velocity of a flow
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public double x0Slope(NoiseSchedule schedule, int t) {
    return x0Slope(schedule, NoiseLevel.of(schedule, t));
  }

  private double x0Slope(NoiseSchedule schedule, NoiseLevel level) {
    return -level.sigma() / determinant(schedule, level);
  }

  /** Of the equations for x_t and the prediction y in the unknowns x0 and ε. */
  private double determinant(NoiseSchedule schedule, NoiseLevel level) {
    Objects.requireNonNull(level, "level");
    return level.alpha() * epsFactor(schedule, level) - level.sigma() * x0Factor(schedule, level);
  }

  /**
   * Checks that x0 can be had from a prediction at a noise level.
   *
   * @param schedule of the chain
   * @param level of the noise
   * @throws IllegalArgumentException if it does not {@linkplain #determinesX0 determine} it
   */
  public void requireX0(NoiseSchedule schedule, NoiseLevel level) {
    if (determinant(schedule, level) == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "At timestep %s nothing of the image is left, so that a prediction of %s does not tell it; predict v or x0 on this schedule.",
              number(level.t()), this));
    }
  }

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code epsilon}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static int wholeTimestep(NoiseLevel level) {
    if (level.t() != Math.rint(level.t())) {
      throw new IllegalArgumentException(
          Text.format(
              "A network that predicts the mean knows whole timesteps only and was asked at %s; choose a sampler without fractional times.",
              level.t()));
    }
    return (int) level.t();
  }

  private static String number(double t) {
    return t == Math.rint(t) ? Integer.toString((int) t) : Double.toString(t);
  }
}

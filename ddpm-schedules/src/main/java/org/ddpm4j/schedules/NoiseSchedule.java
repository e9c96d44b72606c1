package org.ddpm4j.schedules;

import static org.ddpm4j.schedules.ScheduleConstant.BETAS;
import static org.ddpm4j.schedules.ScheduleConstant.POSTERIOR_LOG_VARIANCE_CLIPPED;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The constants of a diffusion of T timesteps, computed once in double precision from its betas.
 *
 * <p>A value at one timestep is read by its name, {@code schedule.alphasCumprod(t)}; a whole table
 * by its constant, {@code schedule.vector(ALPHAS_CUMPROD)}; the values of a batch's timesteps with
 * {@link #extract}. The formulas stand in {@link ScheduleConstant}. t is zero-based, 0..T-1, and
 * every method that takes it throws {@link IndexOutOfBoundsException} when it lies outside.
 *
 * <p>The last β, and no other, may be 1: then nothing of x_0 is left in x_T (zero terminal SNR, Lin
 * et al. 2024). At that timestep ᾱ and the SNR are 0, and log SNR is minus infinity; the
 * posterior's constants are finite, with mean √ᾱ_prev x_0 and variance 1 - ᾱ_prev, since x_t tells
 * nothing more. What would recover x_0 from ε is infinite there: {@code sqrtRecipAlphas}, {@code
 * sqrtRecipAlphasCumprod} and {@code sqrtRecipm1AlphasCumprod}. Predict x_0 or v with it.
 *
 * <p>Instances are immutable: arrays are copied on the way in and out. Two are equal when their
 * betas are.
 */
public final class NoiseSchedule {

  private final Map<ScheduleConstant, double[]> constants = new EnumMap<>(ScheduleConstant.class);

  private NoiseSchedule(double[] betas) {
    Requirements.requireTimesteps(betas.length);
    for (ScheduleConstant constant : ScheduleConstant.values()) {
      constants.put(constant, new double[betas.length]);
    }
    double prev = 1;
    for (int t = 0; t < betas.length; t++) {
      double beta = requireNoise(betas[t], t, betas.length - 1);
      double cumprod = beta == 1 ? 0 : requireSignal(prev * (1 - beta), t);
      for (ScheduleConstant constant : ScheduleConstant.values()) {
        constants.get(constant)[t] = constant.at(beta, cumprod, prev);
      }
      prev = cumprod;
    }
    double[] logVariance = constants.get(POSTERIOR_LOG_VARIANCE_CLIPPED);
    logVariance[0] = logVariance.length > 1 ? logVariance[1] : Math.log(betas[0]);
  }

  /**
   * The schedule with the given betas.
   *
   * @param betas β of each timestep {@code [T]}, T at least 1, every value in (0, 1), the last in
   *     (0, 1]; copied
   * @return the schedule
   * @throws IllegalArgumentException if there are no betas, if one is outside its range or so small
   *     that 1 - β rounds to 1, or if ᾱ becomes too small for double precision without being 0
   */
  public static NoiseSchedule of(double... betas) {
    return new NoiseSchedule(Objects.requireNonNull(betas, "betas"));
  }

  /**
   * The schedule of a formula.
   *
   * @param schedule the formula of β
   * @param timesteps T, at least 1
   * @return the schedule
   * @throws IllegalArgumentException if {@code timesteps} is less than 1 or the formula gives
   *     another number of betas, or such that {@link #of(double...)} refuses
   */
  public static NoiseSchedule of(BetaSchedule schedule, int timesteps) {
    double[] betas = Objects.requireNonNull(schedule, "schedule").betas(timesteps);
    Objects.requireNonNull(betas, "betas");
    Requirements.require(
        betas.length == timesteps,
        "The formula gives %d betas for %d timesteps; it must give one for each.",
        betas.length,
        timesteps);
    return new NoiseSchedule(betas);
  }

  /** {@return the length of the chain, T} */
  public int timesteps() {
    return constants.get(BETAS).length;
  }

  /**
   * A constant at one timestep.
   *
   * @param constant which constant
   * @param t the timestep, 0..T-1
   * @return its value
   */
  public double get(ScheduleConstant constant, int t) {
    return constants.get(constant)[requireTimestep(t)];
  }

  /**
   * A constant at all timesteps, as a vector that the caller may change.
   *
   * @param constant which constant
   * @return a new vector {@code [T]} of type DOUBLE
   */
  public INDArray vector(ScheduleConstant constant) {
    return Nd4j.createFromArray(constants.get(constant));
  }

  /**
   * A constant at all timesteps, as an array that the caller may change.
   *
   * @param constant which constant
   * @return a new array {@code [T]}
   */
  public double[] values(ScheduleConstant constant) {
    return constants.get(constant).clone();
  }

  /**
   * The values of a constant at the timesteps of a batch, shaped to be broadcast over the images x
   * of that batch.
   *
   * @param constant which constant
   * @param t the timestep of each image {@code [N]}, of an integer type, each 0..T-1
   * @param dataType type of the result: the one of x
   * @param xShape shape of x, {@code [N,C,H,W]} or any other that begins with N
   * @return a new array {@code [N,1,1,1]}, of the rank of x
   * @throws IllegalArgumentException if t is no vector of integers, if x is of another batch size,
   *     or if {@code dataType} is no floating-point type
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray extract(
      ScheduleConstant constant, INDArray t, DataType dataType, long... xShape) {
    Requirements.require(
        t.rank() == 1 && t.dataType().isIntType(),
        "t has the shape %s and the type %s; it must be a vector [N] of integers, one timestep for each image.",
        Arrays.toString(t.shape()),
        t.dataType());
    Requirements.require(
        xShape.length > 0 && xShape[0] == t.length(),
        "x has the shape %s, but t holds %d timesteps; the first dimension of x must be as long as t.",
        Arrays.toString(xShape),
        t.length());
    Requirements.require(
        dataType.isFPType(),
        "The constants cannot be cast to %s; take a floating-point type.",
        dataType);
    double[] values = new double[(int) xShape[0]];
    for (int i = 0; i < values.length; i++) {
      values[i] = constants.get(constant)[requireTimestep(t.getLong(i))];
    }
    long[] shape = new long[xShape.length];
    Arrays.fill(shape, 1);
    shape[0] = values.length;
    return Nd4j.createFromArray(values).reshape(shape).castTo(dataType);
  }

  /**
   * The values of a constant at the timesteps of a batch, shaped to be broadcast over the images x
   * of that batch.
   *
   * @param constant which constant
   * @param t the timestep of each image, N of them, zero-based
   * @param dataType type of the result: the one of x
   * @param xShape shape of x, {@code [N,C,H,W]} or any other that begins with N
   * @return a new array {@code [N,1,1,1]}, of the rank of x
   * @throws IllegalArgumentException if x is of another batch size, or if {@code dataType} is no
   *     floating-point type
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray extract(ScheduleConstant constant, int[] t, DataType dataType, long... xShape) {
    return extract(constant, Nd4j.createFromArray(t), dataType, xShape);
  }

  /**
   * The schedule of a shorter chain: {@code steps} timesteps of this one, evenly spaced from 0 to
   * T-1 and rounded to whole timesteps (Nichol &amp; Dhariwal 2021, section 4).
   *
   * <p>With one step, it is T-1, since the reverse process starts from pure noise. A zero terminal
   * SNR stays one.
   *
   * @param steps how many timesteps to keep, 1..T; T of them give this very schedule
   * @return the schedule of the kept timesteps
   * @throws IllegalArgumentException if {@code steps} is not in 1..T, or if the kept timesteps lie
   *     so far apart that a β between them rounds to 1 though signal is left
   */
  public RespacedSchedule respace(int steps) {
    Requirements.require(
        steps >= 1 && steps <= timesteps(),
        "Cannot keep %d timesteps of a schedule that has %d; the number of steps must lie between 1 and %d.",
        steps,
        timesteps(),
        timesteps());
    int last = timesteps() - 1;
    int[] kept = new int[steps];
    kept[steps - 1] = last;
    for (int i = 0; i < steps - 1; i++) {
      kept[i] = (int) Math.rint((double) i * last / (steps - 1));
    }
    return respace(kept);
  }

  /**
   * The schedule of a shorter chain over the given timesteps of this one, with β' = 1 - ᾱ_t /
   * ᾱ_prev where prev is the kept timestep before t (Nichol &amp; Dhariwal 2021, section 4). Its ᾱ
   * is this schedule's ᾱ at those timesteps.
   *
   * @param kept the timesteps to keep, ascending without repetition, each 0..T-1, at least one
   * @return the schedule of the kept timesteps
   * @throws IllegalArgumentException if {@code kept} is empty, begins below 0 or does not ascend,
   *     or if its timesteps lie so far apart that a β between them rounds to 1 though signal is
   *     left
   * @throws IndexOutOfBoundsException if a timestep is greater than T-1
   */
  public RespacedSchedule respace(int[] kept) {
    Requirements.requireAscending(Objects.requireNonNull(kept, "kept"));
    double[] betas = new double[kept.length];
    int t = 0;
    for (int i = 0; i < kept.length; i++) {
      requireTimestep(kept[i]);
      // 1 - (1 - β')(1 - β) without its cancellation: exact where no timestep is left out.
      for (; t <= kept[i]; t++) {
        betas[i] += betas(t) * (1 - betas[i]);
      }
      requireSignalKept(betas[i], kept[i]);
    }
    return new RespacedSchedule(new NoiseSchedule(betas), kept);
  }

  /**
   * {@link ScheduleConstant#BETAS} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return β_t
   */
  public double betas(int t) {
    return get(ScheduleConstant.BETAS, t);
  }

  /**
   * {@link ScheduleConstant#ALPHAS} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return α_t
   */
  public double alphas(int t) {
    return get(ScheduleConstant.ALPHAS, t);
  }

  /**
   * {@link ScheduleConstant#ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return ᾱ_t
   */
  public double alphasCumprod(int t) {
    return get(ScheduleConstant.ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#ALPHAS_CUMPROD_PREV} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return ᾱ of the timestep before t, 1 at t = 0
   */
  public double alphasCumprodPrev(int t) {
    return get(ScheduleConstant.ALPHAS_CUMPROD_PREV, t);
  }

  /**
   * {@link ScheduleConstant#SQRT_RECIP_ALPHAS} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return 1/√α_t
   */
  public double sqrtRecipAlphas(int t) {
    return get(ScheduleConstant.SQRT_RECIP_ALPHAS, t);
  }

  /**
   * {@link ScheduleConstant#SQRT_ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return √ᾱ_t
   */
  public double sqrtAlphasCumprod(int t) {
    return get(ScheduleConstant.SQRT_ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#SQRT_ONE_MINUS_ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return √(1 - ᾱ_t)
   */
  public double sqrtOneMinusAlphasCumprod(int t) {
    return get(ScheduleConstant.SQRT_ONE_MINUS_ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#LOG_ONE_MINUS_ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return log(1 - ᾱ_t)
   */
  public double logOneMinusAlphasCumprod(int t) {
    return get(ScheduleConstant.LOG_ONE_MINUS_ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#SQRT_RECIP_ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return 1/√ᾱ_t
   */
  public double sqrtRecipAlphasCumprod(int t) {
    return get(ScheduleConstant.SQRT_RECIP_ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#SQRT_RECIPM1_ALPHAS_CUMPROD} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return √(1/ᾱ_t - 1)
   */
  public double sqrtRecipm1AlphasCumprod(int t) {
    return get(ScheduleConstant.SQRT_RECIPM1_ALPHAS_CUMPROD, t);
  }

  /**
   * {@link ScheduleConstant#POSTERIOR_VARIANCE} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return β̃_t, a variance
   */
  public double posteriorVariance(int t) {
    return get(ScheduleConstant.POSTERIOR_VARIANCE, t);
  }

  /**
   * {@link ScheduleConstant#POSTERIOR_STANDARD_DEVIATION} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return σ_t = √β̃_t
   */
  public double posteriorStandardDeviation(int t) {
    return get(ScheduleConstant.POSTERIOR_STANDARD_DEVIATION, t);
  }

  /**
   * {@link ScheduleConstant#POSTERIOR_LOG_VARIANCE_CLIPPED} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return log β̃_t, finite at t = 0
   */
  public double posteriorLogVarianceClipped(int t) {
    return get(ScheduleConstant.POSTERIOR_LOG_VARIANCE_CLIPPED, t);
  }

  /**
   * {@link ScheduleConstant#POSTERIOR_MEAN_COEF1} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return the factor of x_0 in μ̃_t
   */
  public double posteriorMeanCoef1(int t) {
    return get(ScheduleConstant.POSTERIOR_MEAN_COEF1, t);
  }

  /**
   * {@link ScheduleConstant#POSTERIOR_MEAN_COEF2} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return the factor of x_t in μ̃_t
   */
  public double posteriorMeanCoef2(int t) {
    return get(ScheduleConstant.POSTERIOR_MEAN_COEF2, t);
  }

  /**
   * {@link ScheduleConstant#SNR} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return ᾱ_t / (1 - ᾱ_t)
   */
  public double snr(int t) {
    return get(ScheduleConstant.SNR, t);
  }

  /**
   * {@link ScheduleConstant#LOG_SNR} at a timestep.
   *
   * @param t the timestep, 0..T-1
   * @return log(ᾱ_t / (1 - ᾱ_t)), in nats
   */
  public double logSnr(int t) {
    return get(ScheduleConstant.LOG_SNR, t);
  }

  /**
   * Whether the chain ends without any signal, ᾱ_T = 0.
   *
   * @return true if the last β is 1
   */
  public boolean hasZeroTerminalSnr() {
    return alphasCumprod(timesteps() - 1) == 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NoiseSchedule that
        && Arrays.equals(constants.get(BETAS), that.constants.get(BETAS));
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(constants.get(BETAS));
  }

  @Override
  public String toString() {
    int last = timesteps() - 1;
    return "NoiseSchedule[timesteps="
        + timesteps()
        + ", betas="
        + betas(0)
        + ".."
        + betas(last)
        + ", terminal alphasCumprod="
        + alphasCumprod(last)
        + "]";
  }

  private int requireTimestep(long t) {
    if (t < 0 || t >= timesteps()) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "The timestep is %d, but this schedule has the timesteps 0 to %d.",
              t,
              timesteps() - 1));
    }
    return (int) t;
  }

  /** Also refuses a β below the precision of 1 - β, with which the posterior would be 0/0. */
  private static double requireNoise(double beta, int t, int last) {
    Requirements.require(
        beta != 1 || t == last,
        "betas[%d] is 1.0, which leaves no signal for the timesteps after it; only the last β, betas[%d], may be 1.",
        t,
        last);
    if (beta != 1) {
      Requirements.requireBeta("betas[" + t + "]", beta);
    }
    Requirements.require(
        1 - beta != 1,
        "betas[%d] is %s; that is too little noise for double precision, in which 1 - β must differ from 1.",
        t,
        beta);
    return beta;
  }

  private void requireSignalKept(double beta, int t) {
    Requirements.require(
        beta != 1 || alphasCumprod(t) == 0,
        "The timesteps kept up to %d lie so far apart that the β between them rounds to 1; keep more of them.",
        t);
  }

  private static double requireSignal(double cumprod, int t) {
    Requirements.require(
        cumprod >= Double.MIN_NORMAL,
        "At timestep %d the product of the alphas is %s, too small for double precision; take fewer timesteps or smaller betas.",
        t,
        cumprod);
    return cumprod;
  }
}

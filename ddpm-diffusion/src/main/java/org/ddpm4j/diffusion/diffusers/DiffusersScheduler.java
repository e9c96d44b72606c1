package org.ddpm4j.diffusion.diffusers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.config.EulerConfig;
import org.ddpm4j.diffusion.config.LmsConfig;
import org.ddpm4j.diffusion.config.SaSolverConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.CrashSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.ExponentialSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.LaplaceSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;

/**
 * What a {@code scheduler_config.json} of diffusers says: the noise schedule that a network was
 * trained with, what it predicts, and how images are drawn.
 *
 * <p>Values are kept as such a file can say them: formulas that diffusers has no name for become
 * {@link TrainedBetas}, what was left to a default is written out, and the sampler follows {@link
 * Convention#DIFFUSERS}. So what is written and read again is the same.
 *
 * @param betas formula of β
 * @param timesteps T of the chain
 * @param parameterization what the network predicts: ε, x0 or v
 * @param sampler how images are drawn
 * @param clipping what is done to estimates of x0
 */
public record DiffusersScheduler(
    BetaSchedule betas,
    int timesteps,
    Parameterization parameterization,
    SamplerConfig sampler,
    X0Clipping clipping) {

  private static final int MAX_SOLVER_ORDER = 3;
  private static final int MAX_SA_ORDER = 4;

  /** Above any value that an estimate takes; JSON has no infinity. */
  private static final double MAX_THRESHOLD = 1e6;

  /** What diffusers' solvers put in the place of ᾱ = 0, whose ρ would be infinite. */
  private static final double LAST_ALPHA_CUMPROD = Math.scalb(1.0, -24);

  /** By how much of that ᾱ grows from timestep to timestep where it would have been less. */
  private static final double SLOPE = 1e-3;

  /**
   * Checks that a scheduler of diffusers can be this.
   *
   * @throws IllegalArgumentException if none can; the sentence says what to choose instead
   */
  public DiffusersScheduler {
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(parameterization, "parameterization");
    ScheduleConfig.requireTimesteps(timesteps);
    SchedulerClass scheduler = SchedulerClass.of(sampler.type(), parameterization);
    betas = named(betas, timesteps, scheduler);
    sampler = supported(sampler, scheduler);
    clipping = supported(clipping, scheduler);
    checkParameterization(parameterization, scheduler);
    schedule(betas, timesteps, sampler.type());
  }

  private static BetaSchedule named(BetaSchedule betas, int timesteps, SchedulerClass scheduler) {
    if (scheduler.own() != null) {
      Class<? extends BetaSchedule> itsOwn =
          scheduler.isFlow()
              ? FlowSchedule.class
              : scheduler.isScore()
                  ? VarianceExplodingSchedule.class
                  : scheduler == SchedulerClass.IPNDM ? CrashSchedule.class : EdmSchedule.class;
      require(
          itsOwn.isInstance(betas),
          "diffusers' %s knows the schedule %s alone; choose another sampler.",
          scheduler.className(),
          scheduler.isFlow()
              ? "flow"
              : scheduler.isScore()
                  ? "that explodes"
                  : scheduler == SchedulerClass.IPNDM ? "of its own" : "edm");
      return betas;
    }
    boolean hasName =
        betas instanceof LinearSchedule
            || betas instanceof QuadraticSchedule
            || betas.equals(CosineSchedule.paper())
            || (betas instanceof SigmoidSchedule && scheduler.furtherBetas().contains("sigmoid"))
            || (betas.equals(LaplaceSchedule.diffusers())
                && scheduler.furtherBetas().contains("laplace"))
            || (betas.equals(ExponentialSchedule.diffusers())
                && scheduler.furtherBetas().contains("exp"))
            || betas instanceof TrainedBetas;
    if (hasName) {
      return betas;
    }
    if (betas instanceof ZeroTerminalSnrSchedule rescaled
        && scheduler.has("rescale_betas_zero_snr")) {
      return new ZeroTerminalSnrSchedule(named(rescaled.base(), timesteps, scheduler));
    }
    return TrainedBetas.of(betas, timesteps);
  }

  private static SamplerConfig supported(SamplerConfig sampler, SchedulerClass scheduler) {
    if (sampler instanceof SamplerConfig.Ordered ordered) {
      checkOrder(ordered, scheduler);
    }
    if (sampler instanceof DdimConfig ddim) {
      require(
          ddim.eta() == 0,
          "diffusers' %s is told η when it is called, and no file of it can say %s; choose 0.",
          scheduler.className(),
          ddim.eta());
    }
    if (sampler instanceof EulerConfig euler) {
      require(
          euler.churn() == 0,
          "No file of diffusers' %s can say a churn of %s; leave it out.",
          scheduler.className(),
          euler.churn());
    }
    if (sampler instanceof SamplerConfig.SpacedLevels spaced) {
      require(
          SchedulerJson.takes(scheduler, spaced.levels()),
          "diffusers' %s does not take levels that are %s; leave them out or choose another sampler.",
          scheduler.className(),
          spaced.levels());
    }
    TimestepSpacing itsOwn = SamplerConfig.of(sampler.type()).spacing();
    // The schedulers of EDM have levels alone; the spacing says how their runs begin.
    require(
        scheduler.has("timestep_spacing")
            || scheduler.isEdm()
            || (sampler.spacing() == itsOwn && sampler.stepsOffset() == 0),
        "diffusers' %s has no timestep_spacing, and its timesteps lie as those of %s; leave the spacing out or choose another sampler.",
        scheduler.className(),
        itsOwn);
    if (sampler instanceof SamplerConfig.Ending ending) {
      End usual = ((SamplerConfig.Ending) SamplerConfig.of(sampler.type())).end();
      require(
          ending.end() == usual
              || scheduler.has("set_alpha_to_one")
              || scheduler.has("final_sigmas_type"),
          "diffusers' %s ends at %s and nowhere else; choose that end.",
          scheduler.className(),
          usual);
    }
    return sampler.withConvention(Convention.DIFFUSERS);
  }

  private static void checkOrder(SamplerConfig.Ordered sampler, SchedulerClass scheduler) {
    int order = sampler.order();
    boolean isLms = sampler instanceof LmsConfig;
    int highest = sampler instanceof SaSolverConfig ? MAX_SA_ORDER : MAX_SOLVER_ORDER;
    int lmsOrder = LmsConfig.usual().order();
    require(
        isLms || (order >= 1 && order <= highest),
        "The solver order of %s is %d; it must be from 1 to %d.",
        scheduler.className(),
        order,
        highest);
    require(
        !isLms || order == lmsOrder,
        "diffusers' %s has the order %d unless its caller asks for another; choose that.",
        scheduler.className(),
        lmsOrder);
  }

  private static X0Clipping supported(X0Clipping clipping, SchedulerClass scheduler) {
    if (clipping instanceof X0Clipping.None) {
      return clipping;
    }
    boolean thresholds = scheduler.has("thresholding");
    if (clipping instanceof X0Clipping.DynamicThreshold threshold
        && threshold.maxThreshold() != 1) {
      require(
          thresholds,
          "diffusers' %s has no dynamic thresholding; choose another clipping or another sampler.",
          scheduler.className());
      return new X0Clipping.DynamicThreshold(
          threshold.ratio(), Math.min(threshold.maxThreshold(), MAX_THRESHOLD));
    }
    X0Clipping range = clipping instanceof X0Clipping.Range ? clipping : X0Clipping.UNIT;
    // Thresholding with thresholds up to 1 is clipping to [-1,1].
    require(
        scheduler.has("clip_sample")
            || ((thresholds || scheduler.has("clip_denoised")) && range.equals(X0Clipping.UNIT)),
        "diffusers' %s does not clip estimates of x0%s; choose no clipping or another sampler.",
        scheduler.className(),
        thresholds ? " to other ranges than [-1,1]" : "");
    return range;
  }

  private static void checkParameterization(
      Parameterization parameterization, SchedulerClass scheduler) {
    require(
        parameterization != Parameterization.MEAN,
        "diffusers has no scheduler for networks that predict the mean; train one that predicts epsilon, x0 or v.");
    require(
        scheduler.own() == null || scheduler.own() == parameterization,
        "diffusers' %s is only for networks that predict %s; choose another sampler.",
        scheduler.className(),
        scheduler.own());
    require(
        !parameterization.scales() || scheduler.own() == parameterization,
        "diffusers' %s is not for networks that predict %s; choose another sampler.",
        scheduler.className(),
        parameterization);
    boolean takesX0 =
        switch (scheduler) {
          case PNDM, EULER_ANCESTRAL, DPM2, DPM2_ANCESTRAL -> false;
          default -> true;
        };
    require(
        parameterization != Parameterization.X0 || takesX0,
        "diffusers' %s is not for networks that predict x0 (prediction_type \"sample\"); choose another sampler.",
        scheduler.className());
  }

  private static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(Text.format(sentence, values));
    }
  }

  /**
   * Reads a file.
   *
   * @param file {@code scheduler_config.json}
   * @return what it says
   * @throws IOException if it is missing, damaged, or asks for what is not supported
   */
  public static DiffusersScheduler read(Path file) throws IOException {
    return fromJson(PipelineJson.readText(file), file.toString());
  }

  /**
   * From JSON.
   *
   * @param text the object, whose {@code _class_name} says which scheduler it is of
   * @param source where it comes from, for messages
   * @return what it says
   * @throws IOException if it is damaged or asks for what is not supported
   */
  public static DiffusersScheduler fromJson(String text, String source) throws IOException {
    return SchedulerJson.read(text, source, null);
  }

  /**
   * As JSON, with nothing left to defaults, which differ between releases of diffusers.
   *
   * @return an object, indented
   */
  public String toJson() {
    return PipelineJson.toJson(SchedulerJson.write(this));
  }

  /** {@return the class that diffusers has for it, for instance {@code DDPMScheduler}} */
  public String className() {
    return SchedulerClass.of(sampler.type(), parameterization).className();
  }

  /**
   * The constants of the noise schedule. Where it is rescaled to zero terminal SNR, ᾱ ends at 2^-24
   * for DPM-Solver, UniPC and Euler's samplers, as in diffusers, since these reckon with the
   * noise-to-signal ratio; before the end it is greater, if only by a little.
   *
   * @return T timesteps
   */
  public NoiseSchedule schedule() {
    return schedule(betas, timesteps, sampler.type());
  }

  private static NoiseSchedule schedule(BetaSchedule betas, int timesteps, SamplerType type) {
    boolean needsRatio =
        switch (SchedulerClass.of(type)) {
          case DPM_SOLVER, UNIPC, EULER, EULER_ANCESTRAL -> true;
          default -> false;
        };
    NoiseSchedule schedule = NoiseSchedule.of(betas, timesteps);
    if (!needsRatio || !(betas instanceof ZeroTerminalSnrSchedule)) {
      return schedule;
    }
    double[] finite = betas.betas(timesteps);
    double before = 1;
    for (int t = 0; t < timesteps; t++) {
      double least = LAST_ALPHA_CUMPROD * (1 + (timesteps - 1 - t) * SLOPE);
      double alphaCumprod = schedule.alphasCumprod(t);
      if (alphaCumprod < least) {
        alphaCumprod = least;
        finite[t] = 1 - alphaCumprod / before;
      }
      before = alphaCumprod;
    }
    return NoiseSchedule.of(finite);
  }

  /**
   * Makes the sampler.
   *
   * @param steps S, how many
   * @return the sampler
   * @throws IllegalArgumentException if it cannot take so many steps
   */
  public Sampler create(int steps) {
    return sampler.create(schedule(), steps, clipping.constraint());
  }

  /**
   * The same network with another sampler.
   *
   * @param newSampler how images are drawn
   * @param newClipping what is done to estimates of x0
   * @return the scheduler
   * @throws IllegalArgumentException if diffusers has none like it
   */
  public DiffusersScheduler withSampler(SamplerConfig newSampler, X0Clipping newClipping) {
    return new DiffusersScheduler(betas, timesteps, parameterization, newSampler, newClipping);
  }

  /**
   * The noise schedule by the name that a run's configuration has for it.
   *
   * @return the configuration, or empty for {@link TrainedBetas} that are none of those schedules
   */
  public Optional<ScheduleConfig> scheduleConfig() {
    boolean rescaled = betas instanceof ZeroTerminalSnrSchedule;
    BetaSchedule formula = betas instanceof ZeroTerminalSnrSchedule zero ? zero.base() : betas;
    return named(formula).map(config -> rescaled ? config.withZeroTerminalSnr() : config);
  }

  private Optional<ScheduleConfig> named(BetaSchedule formula) {
    if (formula instanceof LinearSchedule linear) {
      return named(ScheduleType.LINEAR, linear.betaStart(), linear.betaEnd());
    }
    if (formula instanceof QuadraticSchedule quadratic) {
      return named(ScheduleType.SCALED_LINEAR, quadratic.betaStart(), quadratic.betaEnd());
    }
    if (formula instanceof SigmoidSchedule sigmoid) {
      return named(ScheduleType.SIGMOID, sigmoid.betaStart(), sigmoid.betaEnd());
    }
    if (formula instanceof EdmSchedule edm) {
      return between(
          ScheduleType.EDM, edm.equals(EdmSchedule.paper()), edm.least(), edm.greatest());
    }
    if (formula instanceof FlowSchedule flow) {
      return named(ScheduleType.FLOW, null, null).map(config -> config.withShift(flow.shift()));
    }
    if (formula instanceof CrashSchedule) {
      return Optional.empty();
    }
    if (formula instanceof VarianceExplodingSchedule exploding) {
      return between(
          ScheduleType.VARIANCE_EXPLODING,
          exploding.equals(VarianceExplodingSchedule.diffusers()),
          exploding.least(),
          exploding.greatest());
    }
    if (formula instanceof LaplaceSchedule) {
      return named(ScheduleType.LAPLACE_DIFFUSERS, null, null);
    }
    if (formula instanceof ExponentialSchedule) {
      return named(ScheduleType.EXPONENTIAL, null, null);
    }
    if (formula instanceof TrainedBetas) {
      return ScheduleConfig.ofBetas(formula.betas(timesteps));
    }
    return named(ScheduleType.COSINE, null, null);
  }

  private Optional<ScheduleConfig> between(
      ScheduleType type, boolean own, double least, double greatest) {
    ScheduleConfig config = ScheduleConfig.of(type, timesteps);
    return Optional.of(own ? config : config.withRatios(least, greatest));
  }

  private Optional<ScheduleConfig> named(ScheduleType type, Double betaStart, Double betaEnd) {
    return Optional.of(new ScheduleConfig(type, timesteps, betaStart, betaEnd));
  }
}

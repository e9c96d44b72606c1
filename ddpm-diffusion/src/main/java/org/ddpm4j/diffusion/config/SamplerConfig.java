package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DdimSampler;
import org.ddpm4j.diffusion.sampling.DeisSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.EulerAncestralSampler;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.HeunSampler;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.LmsSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.NoiseStep;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.PndmSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.UniPcSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;

/**
 * Which sampler, with what of its options can be said in a file or on a command line.
 *
 * @param type its name
 * @param spacing which timesteps are visited, or null for the type's own
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param karras whether the noise levels are those of Karras et al. 2022
 * @param order of the solver, or null for the type's own; only for types that have one
 * @param eta η of DDIM, or null for 0; only for DDIM
 * @param variance σ² of DDPM, or null for the posterior's; only for DDPM
 * @param end where the run ends, or null for the type's own; not for DDPM
 * @param convention whom to follow where diffusers is not the papers
 */
public record SamplerConfig(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    boolean karras,
    Integer order,
    Double eta,
    ReverseVariance variance,
    End end,
    Convention convention) {

  /** Where a run ends. */
  public enum End {
    /** At clean images: ᾱ = 1, σ = 0. */
    CLEAN,
    /**
     * At the noise of timestep 0, which is left in the images (diffusers' {@code set_alpha_to_one}
     * of false, and {@code final_sigmas_type} of {@code sigma_min}).
     */
    FIRST_TIMESTEP
  }

  /**
   * The end of a run, or all of it.
   *
   * @param steps S, of the whole run
   * @param last how many of them are made, counted from the clean end, 1 to S
   */
  public record Part(int steps, int last) {

    /** So that 0.58 of 50 steps is 29, although the product is a little less in binary. */
    private static final double ROUNDING = 1e-9;

    /**
     * Checks the ranges.
     *
     * @param steps S, of the whole run
     * @param last how many of them are made
     * @throws IllegalArgumentException if one is out of its range
     */
    public Part {
      if (last < 1 || last > steps) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "The last %d of %d steps are no part of a run; it takes at least one, and no more than there are.",
                last,
                steps));
      }
    }

    /**
     * All of a run.
     *
     * @param steps S
     * @return all steps
     * @throws IllegalArgumentException if there is none
     */
    public static Part whole(int steps) {
      return new Part(steps, steps);
    }

    /**
     * A share of a run, as diffusers' {@code strength}.
     *
     * @param steps S, of the whole run
     * @param strength s, how much of it, in (0,1]
     * @return the last {@code ⌊s S⌋} steps
     * @throws IllegalArgumentException if the strength is out of its range, or no step is left
     */
    public static Part ofStrength(int steps, double strength) {
      if (!(strength > 0 && strength <= 1)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "The strength is %s; it must be above 0 (the image itself) and at most 1 (an image as of noise).",
                strength));
      }
      int last = (int) Math.floor(steps * strength + ROUNDING);
      if (last < 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "A strength of %s leaves none of %d steps; take a strength of at least 1/%d, or more steps.",
                strength,
                steps,
                steps));
      }
      return new Part(steps, last);
    }
  }

  /**
   * Checks what goes with what.
   *
   * @param type its name
   * @param spacing which timesteps are visited
   * @param stepsOffset added to the timesteps
   * @param karras whether the noise levels are Karras'
   * @param order of the solver
   * @param eta of DDIM
   * @param variance of DDPM
   * @param end where the run ends
   * @param convention whom to follow
   * @throws IllegalArgumentException if an option does not go with the type or with another
   */
  public SamplerConfig {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(convention, "convention");
    require(
        order == null || type.hasOrder(),
        type,
        "an order",
        "dpm++, dpm++-sde, unipc, deis and lms do");
    require(eta == null || type == SamplerType.DDIM, type, "an η", "ddim does");
    require(variance == null || type == SamplerType.DDPM, type, "a variance", "ddpm does");
    require(end == null || type != SamplerType.DDPM, type, "a choice of its end", "all others do");
    require(
        !karras || type.takesKarrasLevels(),
        type,
        "Karras' levels",
        "all others but ddpm, pndm and plms do");
    boolean leading =
        Objects.requireNonNullElse(spacing, type.defaultSpacing()) == TimestepSpacing.LEADING;
    if (stepsOffset < 0 || (stepsOffset > 0 && !leading)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The offset of the timesteps is %d; it must be 0, or more with the spacing leading.",
              stepsOffset));
    }
  }

  private static void require(boolean valid, SamplerType type, String option, String types) {
    if (!valid) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The sampler %s does not take %s; %s.", type, option, types));
    }
  }

  /**
   * A sampler with its own options.
   *
   * @param type its name
   * @return the configuration
   */
  public static SamplerConfig of(SamplerType type) {
    return new SamplerConfig(type, null, 0, false, null, null, null, null, Convention.PAPER);
  }

  /**
   * The same DDPM with another variance.
   *
   * @param newVariance σ²
   * @return the configuration
   * @throws IllegalArgumentException if it is no DDPM
   */
  public SamplerConfig withVariance(ReverseVariance newVariance) {
    return new SamplerConfig(
        type, spacing, stepsOffset, karras, order, eta, newVariance, end, convention);
  }

  /**
   * Makes the sampler.
   *
   * @param schedule of the chain
   * @param steps S, how many
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler
   * @throws IllegalArgumentException if the steps or the order are out of range, or the schedule is
   *     not one for it
   */
  public PathSampler create(NoiseSchedule schedule, int steps, X0Constraint x0Constraint) {
    return create(schedule, Part.whole(steps), x0Constraint);
  }

  /**
   * Makes a sampler of the end of a run, for states that are no more than noisy images.
   *
   * @param schedule of the chain
   * @param part which steps of which run
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler of the part's last steps; a multistep solver begins as at any run's
   *     beginning, and what it does in short runs it does by the number of these steps
   * @throws IllegalArgumentException if the steps or the order are out of range, or the schedule is
   *     not one for it
   */
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    return switch (type) {
      case DDPM -> ddpm(schedule, part, x0Constraint);
      case DDIM -> ddim(schedule, part, x0Constraint);
      case DPM_SOLVER -> dpmSolver(Equation.ODE, schedule, part, x0Constraint);
      case DPM_SOLVER_SDE -> dpmSolver(Equation.SDE, schedule, part, x0Constraint);
      case UNIPC -> new UniPcSampler(levels(schedule, part), solverOrder(), x0Constraint);
      case PNDM -> pndm(schedule, part, x0Constraint);
      case PLMS -> PndmSampler.plms(levels(schedule, part), x0Constraint);
      case DEIS -> new DeisSampler(levels(schedule, part), solverOrder(), x0Constraint);
      case LMS -> new LmsSampler(levels(schedule, part), solverOrder(), x0Constraint);
      case HEUN -> new HeunSampler(levels(schedule, part), x0Constraint);
      case EULER -> new EulerSampler(levels(schedule, part), x0Constraint);
      case EULER_ANCESTRAL -> new EulerAncestralSampler(levels(schedule, part), x0Constraint);
    };
  }

  private PathSampler ddpm(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    RespacedSchedule times =
        spacing == null
            ? schedule.respace(part.steps())
            : schedule.respace(kept(schedule, part.steps()));
    if (part.last() < part.steps()) {
      times = schedule.respace(Arrays.copyOf(times.timesteps(), part.last()));
    }
    return new AncestralSampler(
        times, Objects.requireNonNullElse(variance, ReverseVariance.POSTERIOR), x0Constraint);
  }

  private PathSampler dpmSolver(
      Equation equation, NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    return new DpmSolverSampler(
        levels(schedule, part),
        solverOrder(),
        equation,
        FinalOrder.LOWERED_IN_SHORT_RUNS,
        convention,
        x0Constraint);
  }

  /** diffusers' steps are all ⌊T/S⌋ timesteps long, wherever the next one begins. */
  private PathSampler ddim(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = levels(schedule, part);
    double chosenEta = Objects.requireNonNullElse(eta, 0.0);
    if (convention == Convention.PAPER || karras) {
      return new DdimSampler(levels, chosenEta, x0Constraint);
    }
    int stride = schedule.timesteps() / part.steps();
    List<NoiseStep> path = new ArrayList<>();
    for (NoiseStep step : levels.path()) {
      int target = (int) step.from().t() - stride;
      path.add(
          new NoiseStep(
              step.from(), target < 0 ? endOf(schedule) : NoiseLevel.of(schedule, target)));
    }
    return new DdimSampler(path, chosenEta, levels.initialNoise(), x0Constraint);
  }

  /**
   * diffusers rounds half a step down, and for odd steps puts the state one timestep above where it
   * asks the network.
   */
  private PathSampler pndm(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = levels(schedule, part);
    PndmSampler sampler = PndmSampler.rungeKutta(schedule, levels, x0Constraint);
    if (convention == Convention.PAPER) {
      return sampler;
    }
    int half = schedule.timesteps() / part.steps() / 2;
    List<PndmSampler.Midpoint> midpoints = new ArrayList<>();
    for (int i = 0; i < sampler.midpoints().size(); i++) {
      NoiseLevel reached = NoiseLevel.of(schedule, (int) levels.step(i).from().t() - half);
      NoiseLevel asked = NoiseLevel.of(schedule, (int) levels.step(i).to().t() + half);
      midpoints.add(new PndmSampler.Midpoint(reached.withT(asked.t()), asked));
    }
    return new PndmSampler(levels, midpoints, x0Constraint);
  }

  private NoiseLevels levels(NoiseSchedule schedule, Part part) {
    NoiseLevels levels = NoiseLevels.of(schedule, times(schedule, part.steps()));
    if (karras) {
      levels = karrasLevels(schedule, levels, part.steps());
    }
    if (type.family() == SamplerType.Family.FRACTIONAL && visited() != TimestepSpacing.LEADING) {
      levels = levels.startingFrom(InitialNoise.OF_LEVEL);
    }
    return levels.endingAt(endOf(schedule)).last(part.last());
  }

  /** diffusers' solvers that think in timesteps round Karras' and take the whole range of noise. */
  private NoiseLevels karrasLevels(NoiseSchedule schedule, NoiseLevels spaced, int steps) {
    if (type.family() == SamplerType.Family.FRACTIONAL) {
      return NoiseLevels.karras(
          schedule,
          spaced.levels().get(0).rho(),
          spaced.levels().get(spaced.steps() - 1).rho(),
          steps);
    }
    NoiseLevels whole = NoiseLevels.karras(schedule, steps);
    return convention == Convention.DIFFUSERS ? whole.atWholeTimesteps() : whole;
  }

  private double[] times(NoiseSchedule schedule, int steps) {
    double[] times =
        type.family() == SamplerType.Family.ABOVE_ZERO
            ? visited().timesAboveZero(schedule.timesteps(), steps)
            : visited().times(schedule.timesteps(), steps);
    for (int i = 0; i < times.length; i++) {
      times[i] += stepsOffset;
      if (type.family() != SamplerType.Family.FRACTIONAL) {
        times[i] = Math.rint(times[i]);
      }
    }
    if (times[0] > schedule.timesteps() - 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "With an offset of %d, %d steps begin at timestep %.0f of %d; take a smaller offset or another number of steps.",
              stepsOffset,
              steps,
              times[0],
              schedule.timesteps()));
    }
    return times;
  }

  private int[] kept(NoiseSchedule schedule, int steps) {
    double[] descending = times(schedule, steps);
    int[] ascending = new int[steps];
    Arrays.setAll(ascending, i -> (int) descending[steps - 1 - i]);
    return ascending;
  }

  private NoiseLevel endOf(NoiseSchedule schedule) {
    // DEIS' paper ends where a little noise is left, since its polynomials in log ρ reach no end.
    End usual = type == SamplerType.DEIS ? End.FIRST_TIMESTEP : End.CLEAN;
    return Objects.requireNonNullElse(end, usual) == End.CLEAN
        ? NoiseLevel.CLEAN
        : NoiseLevel.of(schedule, 0);
  }

  private int solverOrder() {
    return Objects.requireNonNullElse(order, type.defaultOrder());
  }

  private TimestepSpacing visited() {
    return Objects.requireNonNullElse(spacing, type.defaultSpacing());
  }
}

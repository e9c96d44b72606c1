package org.ddpm4j.diffusion.config;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Which sampler, with what of its options can be said in a file or on a command line: a record for
 * each family of samplers that have the same options, whose {@code of} has their defaults.
 *
 * <p>The methods {@code with…} change an option wherever a sampler has it, and refuse it where it
 * would have no effect.
 */
public sealed interface SamplerConfig
    permits AncestralConfig,
        SamplerConfig.OwnTimes,
        SamplerConfig.Ending,
        SamplerConfig.SpacedLevels,
        SamplerConfig.Ordered {

  /** Configurations of samplers whose runs can end at one place or another. */
  sealed interface Ending extends SamplerConfig
      permits DdimConfig,
          PndmConfig,
          DpmSolverConfig,
          UniPcConfig,
          DeisConfig,
          LmsConfig,
          EulerConfig,
          Dpm2Config,
          SaSolverConfig {

    /** {@return where a run ends} */
    End end();

    @Override
    SamplerConfig withEnd(End newEnd);
  }

  /** Configurations of samplers whose noise levels need not be those of timesteps. */
  sealed interface SpacedLevels extends SamplerConfig
      permits DdimConfig,
          DpmSolverConfig,
          UniPcConfig,
          DeisConfig,
          LmsConfig,
          EulerConfig,
          Dpm2Config,
          SaSolverConfig,
          FlowConfig {

    /** {@return how the noise levels lie} */
    LevelSpacing levels();

    @Override
    SamplerConfig withLevels(LevelSpacing newLevels);

    @Override
    default boolean usesSpacing() {
      return levels() == LevelSpacing.TIMESTEPS || levels() == LevelSpacing.LOG_LINEAR;
    }
  }

  /** Configurations of samplers whose times are a matter of their own. */
  sealed interface OwnTimes extends SamplerConfig
      permits LcmConfig, ConsistencyConfig, ScoreSdeConfig, KarrasVeConfig, FlowConfig {

    @Override
    default TimestepSpacing spacing() {
      return TimestepSpacing.LEADING;
    }

    @Override
    default int stepsOffset() {
      return 0;
    }

    @Override
    default boolean usesSpacing() {
      return false;
    }

    @Override
    default SamplerConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
      if (newSpacing != spacing() || newStepsOffset != stepsOffset()) {
        throw new IllegalArgumentException(
            Text.format("The sampler %s has times of its own; leave the spacing out.", type()));
      }
      return this;
    }
  }

  /** Configurations of solvers whose order can be chosen. */
  sealed interface Ordered extends SamplerConfig
      permits DpmSolverConfig, UniPcConfig, DeisConfig, LmsConfig, SaSolverConfig {

    /** {@return the order of the solver, at least 1} */
    int order();

    @Override
    SamplerConfig withOrder(int newOrder);
  }

  /** Where a run ends. */
  enum End {
    /** At clean images: ᾱ = 1, σ = 0. */
    CLEAN("clean images"),
    /**
     * At the noise of timestep 0, which is left in the images (diffusers' {@code set_alpha_to_one}
     * of false, and {@code final_sigmas_type} of {@code sigma_min}).
     */
    FIRST_TIMESTEP("the noise of timestep 0");

    private final String words;

    End(String words) {
      this.words = words;
    }

    /** {@return where that is, in the words of messages, for instance {@code clean images}} */
    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * The end of a run, or all of it.
   *
   * @param steps S, of the whole run
   * @param last how many of them are made, counted from the clean end, 1 to S
   */
  record Part(int steps, int last) {

    /** So that 0.58 of 50 steps is 29, although the product is a little less in binary. */
    private static final double ROUNDING = 1e-9;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public Part {
      if (steps < 1) {
        throw new IllegalArgumentException(
            Text.format("The number of steps is %d; it must be at least 1.", steps));
      }
      if (last < 1 || last > steps) {
        throw new IllegalArgumentException(
            Text.format(
                "The last %d of %d steps are no part of a run; it takes at least one, and no more than there are.",
                last, steps));
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
            Text.format(
                "The strength is %s; it must be above 0 (the image itself) and at most 1 (an image as of noise).",
                strength));
      }
      int last = (int) Math.floor(steps * strength + ROUNDING);
      if (last < 1 && steps >= 1) {
        throw new IllegalArgumentException(
            Text.format(
                "A strength of %s leaves none of %d step(s); take a strength of at least 1/%d, or more steps.",
                strength, steps, steps));
      }
      return new Part(steps, last);
    }
  }

  /** {@return the sampler's name} */
  SamplerType type();

  /** {@return which timesteps are visited} */
  TimestepSpacing spacing();

  /** {@return what is added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0} */
  int stepsOffset();

  /**
   * A sampler with its own options.
   *
   * @param type its name
   * @return the configuration
   */
  static SamplerConfig of(SamplerType type) {
    Objects.requireNonNull(type, "type");
    return switch (type) {
      case DDPM -> AncestralConfig.usual();
      case DDIM -> DdimConfig.usual();
      case PNDM, PLMS, IPNDM -> PndmConfig.of(type);
      case DPM_SOLVER,
          DPM_SOLVER_SDE,
          DPM_SOLVER_EPS,
          DPM_SOLVER_EPS_SDE,
          DPM_SINGLESTEP,
          DPM_SINGLESTEP_SDE,
          DPM_SINGLESTEP_EPS ->
          DpmSolverConfig.of(type);
      case UNIPC -> UniPcConfig.usual();
      case DEIS -> DeisConfig.usual();
      case LMS -> LmsConfig.usual();
      case HEUN, EULER, EULER_ANCESTRAL -> EulerConfig.of(type);
      case DPM2, DPM2_ANCESTRAL -> Dpm2Config.of(type);
      case SA_SOLVER -> SaSolverConfig.usual();
      case LCM -> LcmConfig.usual();
      case CONSISTENCY -> new ConsistencyConfig();
      case SCORE_SDE -> ScoreSdeConfig.usual();
      case KARRAS_VE -> KarrasVeConfig.usual();
      case FLOW_EULER, FLOW_HEUN -> FlowConfig.of(type);
    };
  }

  /**
   * The same sampler at other timesteps.
   *
   * @param newSpacing which are visited
   * @param newStepsOffset what is added to them, 0 but for {@link TimestepSpacing#LEADING}
   * @return the configuration
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  SamplerConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset);

  /**
   * Whether it matters which timesteps are visited. Of most solvers it does not if the noise levels
   * are others than those of timesteps.
   *
   * @return false if {@link #withSpacing} changes no image
   */
  default boolean usesSpacing() {
    return true;
  }

  /**
   * The same sampler with other noise levels.
   *
   * @param newLevels how they lie
   * @return the configuration
   * @throws IllegalArgumentException if it cannot take them: DDPM is a chain over timesteps, PNDM
   *     needs them evenly spaced
   */
  default SamplerConfig withLevels(LevelSpacing newLevels) {
    if (newLevels != LevelSpacing.TIMESTEPS) {
      throw notTaken("other levels than those of timesteps", SpacedLevels.class);
    }
    return this;
  }

  /**
   * The same solver of another order.
   *
   * @param newOrder how many evaluations a step takes into account
   * @return the configuration
   * @throws IllegalArgumentException if its order cannot be chosen
   */
  default SamplerConfig withOrder(int newOrder) {
    throw notTaken("an order", Ordered.class);
  }

  /**
   * The same DDIM with another η.
   *
   * @param newEta from 0, no noise, to 1, as much as DDPM
   * @return the configuration
   * @throws IllegalArgumentException if it is no DDIM
   */
  default SamplerConfig withEta(double newEta) {
    throw notTaken("an η", DdimConfig.class);
  }

  /**
   * The same Heun's method with noise that is added before each step (Karras et al. 2022, algorithm
   * 2): ρ grows by the share {@code min(S_churn/S, √2 − 1)} first.
   *
   * @param newChurn S_churn, at least 0, which is none
   * @return the configuration
   * @throws IllegalArgumentException if it is another sampler, or the number is out of its range
   */
  default SamplerConfig withChurn(double newChurn) {
    throw EulerConfig.noChurn(type());
  }

  /**
   * The same DDPM with another variance.
   *
   * @param newVariance σ²
   * @return the configuration
   * @throws IllegalArgumentException if it is no DDPM
   */
  default SamplerConfig withVariance(ReverseVariance newVariance) {
    throw notTaken("a variance", AncestralConfig.class);
  }

  /**
   * The same sampler with another end.
   *
   * @param newEnd where a run ends
   * @return the configuration
   * @throws IllegalArgumentException if it has no choice
   */
  default SamplerConfig withEnd(End newEnd) {
    throw notTaken("a choice of its end", Ending.class);
  }

  /**
   * The same sampler as the papers or diffusers have it.
   *
   * @param newConvention whom to follow where they differ
   * @return the configuration; the same for a sampler of which they do not
   */
  default SamplerConfig withConvention(Convention newConvention) {
    return this;
  }

  private IllegalArgumentException notTaken(String option, Class<? extends SamplerConfig> those) {
    List<String> types =
        Arrays.stream(SamplerType.values())
            .filter(type -> those.isInstance(of(type)))
            .map(SamplerType::toString)
            .toList();
    int last = types.size() - 1;
    return new IllegalArgumentException(
        Text.format(
            "The sampler %s does not take %s; %s.",
            type(),
            option,
            last == 0
                ? types.get(0) + " does"
                : String.join(", ", types.subList(0, last)) + " and " + types.get(last) + " do"));
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
  default PathSampler create(NoiseSchedule schedule, int steps, X0Constraint x0Constraint) {
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
  PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint);
}

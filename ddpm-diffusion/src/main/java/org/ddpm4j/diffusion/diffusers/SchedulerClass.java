package org.ddpm4j.diffusion.diffusers;

import com.fasterxml.jackson.databind.node.NullNode;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerType;

/**
 * The schedulers of diffusers that are known here, with the keys of their files and the values that
 * a key has where a file does not say it. Defaults are those of diffusers 0.42.1, class by class.
 */
enum SchedulerClass {
  DDPM("DDPMScheduler", SamplerType.DDPM) {
    @Override
    void declare(Keys keys) {
      keys.chain("leading").clipping(true).thresholding().rescaling();
      keys.read("variance_type", "fixed_small");
    }
  },
  DDIM("DDIMScheduler", SamplerType.DDIM) {
    @Override
    void declare(Keys keys) {
      keys.chain("leading").clipping(true).thresholding().rescaling();
      keys.read("set_alpha_to_one", true);
    }
  },
  DPM_SOLVER(
      "DPMSolverMultistepScheduler",
      SamplerType.DPM_SOLVER,
      SamplerType.DPM_SOLVER_SDE,
      SamplerType.DPM_SOLVER_EPS,
      SamplerType.DPM_SOLVER_EPS_SDE) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").thresholding().rescaling().solver().sigmas().flow();
      keys.read("algorithm_type", "dpmsolver++");
      keys.read("solver_type", "midpoint");
      keys.read("euler_at_final", false);
      keys.read("use_lu_lambdas", false);
      keys.read("final_sigmas_type", "zero");
      keys.read("lambda_min_clipped", Double.NEGATIVE_INFINITY);
      // Whichever it is, this sampler does without a learned variance.
      keys.only("variance_type", Keys.VARIANCES);
    }
  },
  DPM_SINGLESTEP(
      "DPMSolverSinglestepScheduler",
      SamplerType.DPM_SINGLESTEP,
      SamplerType.DPM_SINGLESTEP_SDE,
      SamplerType.DPM_SINGLESTEP_EPS) {
    @Override
    void declare(Keys keys) {
      keys.schedule().thresholding().solver().sigmas().flow();
      keys.read("algorithm_type", "dpmsolver++");
      keys.read("solver_type", "midpoint");
      keys.read("lower_order_final", false);
      keys.read("final_sigmas_type", "zero");
      keys.read("lambda_min_clipped", Double.NEGATIVE_INFINITY);
      keys.only("variance_type", Keys.VARIANCES);
    }
  },
  UNIPC("UniPCMultistepScheduler", SamplerType.UNIPC) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").thresholding().rescaling().solver().sigmas().flow();
      keys.only("predict_x0", true);
      keys.read("solver_type", "bh2");
      keys.only("disable_corrector", List.of());
      keys.only("solver_p", Keys.NULL);
      keys.read("final_sigmas_type", "zero");
      keys.read("sigma_min", Keys.NULL);
      keys.read("sigma_max", Keys.NULL);
      keys.only("shift_terminal", Keys.NULL);
    }
  },
  PNDM("PNDMScheduler", SamplerType.PNDM, SamplerType.PLMS) {
    @Override
    void declare(Keys keys) {
      keys.chain("leading");
      keys.read("skip_prk_steps", false);
      keys.read("set_alpha_to_one", false);
    }
  },
  /** For networks that predict v on a schedule of its own, and are asked with an angle. */
  IPNDM("IPNDMScheduler", SamplerType.IPNDM) {
    @Override
    void declare(Keys keys) {
      keys.read("num_train_timesteps", 1000);
      keys.only("trained_betas", Keys.NULL);
    }
  },
  DEIS("DEISMultistepScheduler", SamplerType.DEIS) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").thresholding().solver().sigmas().flow();
      keys.only("algorithm_type", "deis", "dpmsolver", "dpmsolver++", "sde-dpmsolver++");
      keys.only("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
    }
  },
  LMS("LMSDiscreteScheduler", SamplerType.LMS) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").sigmas();
    }
  },
  HEUN("HeunDiscreteScheduler", SamplerType.HEUN) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").clipping(false).sigmas();
      keys.read("beta_start", 0.00085);
      keys.read("beta_end", 0.012);
    }
  },
  EULER("EulerDiscreteScheduler", SamplerType.EULER) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").rescaling().sigmas();
      keys.read("interpolation_type", "linear");
      keys.read("sigma_min", Keys.NULL);
      keys.read("sigma_max", Keys.NULL);
      keys.read("timestep_type", "discrete");
      keys.read("final_sigmas_type", "zero");
    }
  },
  EULER_ANCESTRAL("EulerAncestralDiscreteScheduler", SamplerType.EULER_ANCESTRAL) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").rescaling();
    }
  },
  DPM2("KDPM2DiscreteScheduler", SamplerType.DPM2) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").sigmas();
      keys.read("beta_start", 0.00085);
      keys.read("beta_end", 0.012);
    }
  },
  DPM2_ANCESTRAL("KDPM2AncestralDiscreteScheduler", SamplerType.DPM2_ANCESTRAL) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").sigmas();
      keys.read("beta_start", 0.00085);
      keys.read("beta_end", 0.012);
    }
  },
  SA_SOLVER("SASolverScheduler", SamplerType.SA_SOLVER) {
    @Override
    void declare(Keys keys) {
      keys.chain("linspace").thresholding().sigmas();
      keys.read("predictor_order", 2);
      keys.read("corrector_order", 2);
      keys.read("lower_order_final", true);
      keys.read("lambda_min_clipped", Double.NEGATIVE_INFINITY);
      keys.only("tau_func", Keys.NULL);
      keys.only("algorithm_type", "data_prediction");
      keys.only("use_flow_sigmas", false);
      keys.only("flow_shift", 1.0);
      keys.only("variance_type", Keys.VARIANCES);
    }
  },
  LCM("LCMScheduler", SamplerType.LCM) {
    @Override
    void declare(Keys keys) {
      keys.schedule().clipping(false).thresholding().rescaling();
      keys.read("beta_start", 0.00085);
      keys.read("beta_end", 0.012);
      keys.read("beta_schedule", "scaled_linear");
      keys.read("original_inference_steps", 50);
      keys.read("timestep_scaling", 10.0);
      // It visits the timesteps of its distillation whatever these say, and its last step is clean.
      keys.unused("set_alpha_to_one", true);
      keys.unused("timestep_spacing", "leading");
      keys.unused("steps_offset", 0);
    }
  },
  /** The samplers of {@link #EULER} for networks that predict {@link Parameterization#EDM}. */
  EDM_EULER("EDMEulerScheduler") {
    @Override
    void declare(Keys keys) {
      keys.edm();
    }
  },
  /** Those of {@link #DPM_SOLVER} for such networks. */
  EDM_DPM_SOLVER("EDMDPMSolverMultistepScheduler") {
    @Override
    void declare(Keys keys) {
      keys.edm().thresholding().solver();
      keys.read("algorithm_type", "dpmsolver++");
      keys.read("solver_type", "midpoint");
      keys.read("euler_at_final", false);
    }
  },
  CONSISTENCY("CMStochasticIterativeScheduler", SamplerType.CONSISTENCY) {
    @Override
    void declare(Keys keys) {
      keys.read("num_train_timesteps", 40);
      // The model is the identity at ρ = 0.002, which is what this library knows of it.
      keys.only("sigma_min", 0.002);
      keys.read("sigma_max", 80.0);
      keys.only("sigma_data", 0.5);
      keys.only("s_noise", 1.0);
      keys.only("rho", 7.0);
      keys.read("clip_denoised", true);
    }
  },
  SCORE_SDE("ScoreSdeVeScheduler", SamplerType.SCORE_SDE) {
    @Override
    void declare(Keys keys) {
      keys.read("num_train_timesteps", 2000);
      keys.read("snr", 0.15);
      keys.read("sigma_min", 0.01);
      keys.read("sigma_max", 1348.0);
      keys.read("sampling_eps", 1e-5);
      keys.read("correct_steps", 1);
    }
  },
  KARRAS_VE("KarrasVeScheduler", SamplerType.KARRAS_VE) {
    @Override
    void declare(Keys keys) {
      keys.read("sigma_min", 0.02);
      keys.read("sigma_max", 100.0);
      keys.read("s_noise", 1.007);
      keys.read("s_churn", 80.0);
      keys.read("s_min", 0.05);
      keys.read("s_max", 50.0);
    }
  },
  FLOW_EULER("FlowMatchEulerDiscreteScheduler", SamplerType.FLOW_EULER) {
    @Override
    void declare(Keys keys) {
      keys.read("num_train_timesteps", 1000).read("shift", 1.0);
      keys.read("use_dynamic_shifting", false);
      keys.read("base_shift", 0.5).read("max_shift", 1.15);
      keys.read("base_image_seq_len", 256).read("max_image_seq_len", 4096);
      keys.only("invert_sigmas", false);
      keys.only("shift_terminal", Keys.NULL);
      keys.sigmas();
      keys.read("time_shift_type", "exponential");
      keys.only("stochastic_sampling", false);
    }
  },
  FLOW_HEUN("FlowMatchHeunDiscreteScheduler", SamplerType.FLOW_HEUN) {
    @Override
    void declare(Keys keys) {
      keys.read("num_train_timesteps", 1000).read("shift", 1.0);
    }
  };

  private final String className;
  private final List<SamplerType> types;
  private final Keys keys = new Keys();

  SchedulerClass(String className, SamplerType... types) {
    this.className = className;
    this.types = List.of(types);
    declare(keys);
  }

  abstract void declare(Keys declared);

  /** The keys of a class, in the order in which they are written. */
  static final class Keys {

    /** JSON's, since the collections take no null of Java's. */
    private static final Object NULL = NullNode.getInstance();

    private static final Object[] VARIANCES = {
      NULL,
      "learned",
      "learned_range",
      "fixed_small",
      "fixed_small_log",
      "fixed_large",
      "fixed_large_log"
    };

    private final Map<String, Object> read = new LinkedHashMap<>();
    private final Map<String, List<Object>> only = new LinkedHashMap<>();
    private final Map<String, Object> unused = new LinkedHashMap<>();

    /** A key of which every value is understood, or refused where it is read. */
    private Keys read(String key, Object defaultValue) {
      read.put(key, defaultValue);
      return this;
    }

    /** A key of which only the default is supported, or others that diffusers takes for it. */
    private Keys only(String key, Object... values) {
      only.put(key, List.of(values));
      return this;
    }

    /** A key that diffusers takes no notice of, whatever its value. */
    private Keys unused(String key, Object defaultValue) {
      unused.put(key, defaultValue);
      return this;
    }

    private Keys chain(String spacing) {
      return schedule().read("timestep_spacing", spacing).read("steps_offset", 0);
    }

    private Keys schedule() {
      return read("num_train_timesteps", 1000)
          .read("beta_start", 0.0001)
          .read("beta_end", 0.02)
          .read("beta_schedule", "linear")
          .read("trained_betas", Keys.NULL)
          .read("prediction_type", "epsilon");
    }

    private Keys edm() {
      return read("num_train_timesteps", 1000)
          .read("sigma_min", 0.002)
          .read("sigma_max", 80.0)
          .read("sigma_schedule", "karras")
          .read("final_sigmas_type", "zero")
          .only("sigma_data", 0.5)
          .only("prediction_type", "epsilon")
          .only("rho", 7.0);
    }

    private Keys clipping(boolean clips) {
      return read("clip_sample", clips).read("clip_sample_range", 1.0);
    }

    private Keys thresholding() {
      return read("thresholding", false)
          .read("dynamic_thresholding_ratio", 0.995)
          .read("sample_max_value", 1.0);
    }

    private Keys rescaling() {
      return read("rescale_betas_zero_snr", false);
    }

    private Keys solver() {
      return read("solver_order", 2).read("lower_order_final", true);
    }

    private Keys sigmas() {
      return read("use_karras_sigmas", false)
          .read("use_exponential_sigmas", false)
          .read("use_beta_sigmas", false);
    }

    private Keys flow() {
      return only("use_flow_sigmas", false)
          .only("flow_shift", 1.0)
          .only("use_dynamic_shifting", false)
          .only("time_shift_type", "exponential");
    }
  }

  /** The formulas of β that not every scheduler has, by diffusers' names. */
  Set<String> furtherBetas() {
    return switch (this) {
      case DDPM -> new TreeSet<>(Set.of("laplace", "sigmoid"));
      case HEUN -> Set.of("exp");
      default -> Set.of();
    };
  }

  /** Whether it is for networks that predict a flow, and for these alone. */
  boolean isFlow() {
    return this == FLOW_EULER || this == FLOW_HEUN;
  }

  /** Whether it is for networks that predict {@link Parameterization#EDM}, and for these alone. */
  boolean isEdm() {
    return this == EDM_EULER || this == EDM_DPM_SOLVER;
  }

  /** Whether it is for networks that predict the score, and for these alone. */
  boolean isScore() {
    return this == SCORE_SDE || this == KARRAS_VE;
  }

  /** What the networks predict that it alone is for; null where there is a choice. */
  Parameterization own() {
    return switch (this) {
      case FLOW_EULER, FLOW_HEUN -> Parameterization.FLOW;
      case EDM_EULER, EDM_DPM_SOLVER -> Parameterization.EDM;
      case CONSISTENCY -> Parameterization.CONSISTENCY;
      case SCORE_SDE, KARRAS_VE -> Parameterization.SCORE;
      case IPNDM -> Parameterization.V;
      default -> null;
    };
  }

  /** The sampler of a scheduler that has but one. */
  SamplerType onlyType() {
    return types.get(0);
  }

  /** As files name it. */
  String className() {
    return className;
  }

  /** The keys that are read, with their defaults. */
  Map<String, Object> readKeys() {
    return Collections.unmodifiableMap(keys.read);
  }

  /** The keys that are checked, with the values that are supported, the default first. */
  Map<String, List<Object>> checkedKeys() {
    return Collections.unmodifiableMap(keys.only);
  }

  /** The keys that have no effect, with what is written for them. */
  Map<String, Object> unusedKeys() {
    return Collections.unmodifiableMap(keys.unused);
  }

  /** Whether a key is one of its own. */
  boolean has(String key) {
    return keys.read.containsKey(key) || keys.only.containsKey(key) || keys.unused.containsKey(key);
  }

  /** Whether some scheduler has a key, which the others then carry along without using it. */
  static boolean isKnown(String key) {
    return Arrays.stream(values()).anyMatch(scheduler -> scheduler.has(key));
  }

  static SchedulerClass of(SamplerType type) {
    return Arrays.stream(values())
        .filter(scheduler -> scheduler.types.contains(type))
        .findFirst()
        .orElseThrow();
  }

  static SchedulerClass of(SamplerType type, Parameterization parameterization) {
    SchedulerClass usual = of(type);
    if (parameterization != Parameterization.EDM) {
      return usual;
    }
    return switch (usual) {
      case EULER -> EDM_EULER;
      case DPM_SOLVER -> EDM_DPM_SOLVER;
      default -> usual;
    };
  }

  static Optional<SchedulerClass> named(String className) {
    return Arrays.stream(values())
        .filter(scheduler -> scheduler.className.equals(className))
        .findFirst();
  }

  static String names() {
    return Arrays.stream(values()).map(SchedulerClass::className).collect(Collectors.joining(", "));
  }
}

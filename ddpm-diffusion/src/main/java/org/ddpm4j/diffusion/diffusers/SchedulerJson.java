package org.ddpm4j.diffusion.diffusers;

import static java.util.Map.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.AncestralConfig;
import org.ddpm4j.diffusion.config.DeisConfig;
import org.ddpm4j.diffusion.config.DpmSolverConfig;
import org.ddpm4j.diffusion.config.DynamicShift;
import org.ddpm4j.diffusion.config.EulerConfig;
import org.ddpm4j.diffusion.config.EulerConfig.Asked;
import org.ddpm4j.diffusion.config.FlowConfig;
import org.ddpm4j.diffusion.config.KarrasVeConfig;
import org.ddpm4j.diffusion.config.LcmConfig;
import org.ddpm4j.diffusion.config.LevelRange;
import org.ddpm4j.diffusion.config.SaSolverConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScoreSdeConfig;
import org.ddpm4j.diffusion.config.UniPcConfig;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.SecondOrder;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.UniPcSampler.Scale;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.CrashSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.ExponentialSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.LaplaceSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;

/**
 * {@link DiffusersScheduler} as {@code scheduler_config.json}.
 *
 * <p>Reading does as diffusers does: a missing key, or one that {@code _use_default_values} names,
 * has the default of its scheduler; keys of other schedulers, which files carry along when a
 * pipeline's scheduler is exchanged, have no effect; others that start with an underscore do not
 * matter. Unlike there, a key that is not known at all is refused if it asks for anything.
 */
final class SchedulerJson {

  private static final Map<String, Parameterization> PREDICTION_TYPES =
      DiffusersFields.names(
          entry("epsilon", Parameterization.EPSILON),
          entry("sample", Parameterization.X0),
          entry("v_prediction", Parameterization.V));

  private static final Map<String, TimestepSpacing> SPACINGS =
      DiffusersFields.names(
          entry("leading", TimestepSpacing.LEADING),
          entry("trailing", TimestepSpacing.TRAILING),
          entry("linspace", TimestepSpacing.LINSPACE));

  /** The last is the same as the first; diffusers' {@code fixed_large_log} takes a wrong root. */
  private static final Map<String, ReverseVariance> VARIANCES =
      DiffusersFields.names(
          entry("fixed_small", ReverseVariance.POSTERIOR),
          entry("fixed_large", ReverseVariance.BETA),
          entry("learned_range", ReverseVariance.LEARNED),
          entry("fixed_small_log", ReverseVariance.POSTERIOR));

  private static final Map<String, SamplerType> DPM_SOLVERS =
      DiffusersFields.names(
          entry("dpmsolver++", SamplerType.DPM_SOLVER),
          entry("sde-dpmsolver++", SamplerType.DPM_SOLVER_SDE),
          entry("dpmsolver", SamplerType.DPM_SOLVER_EPS),
          entry("sde-dpmsolver", SamplerType.DPM_SOLVER_EPS_SDE),
          entry("deis", SamplerType.DPM_SOLVER));

  private static final Map<String, SamplerType> EDM_SOLVERS =
      DiffusersFields.names(
          entry("dpmsolver++", SamplerType.DPM_SOLVER),
          entry("sde-dpmsolver++", SamplerType.DPM_SOLVER_SDE),
          entry("deis", SamplerType.DPM_SOLVER));

  private static final Map<String, LevelSpacing> SIGMA_SCHEDULES =
      DiffusersFields.names(
          entry("karras", LevelSpacing.KARRAS), entry("exponential", LevelSpacing.EXPONENTIAL));

  private static final Map<String, SamplerType> DPM_SINGLESTEPS =
      DiffusersFields.names(
          entry("dpmsolver++", SamplerType.DPM_SINGLESTEP),
          entry("sde-dpmsolver++", SamplerType.DPM_SINGLESTEP_SDE),
          entry("dpmsolver", SamplerType.DPM_SINGLESTEP_EPS),
          entry("deis", SamplerType.DPM_SINGLESTEP));

  /** The last three are other schedulers'; diffusers takes the first for them. */
  private static final Map<String, SecondOrder> SECOND_ORDERS =
      DiffusersFields.names(
          entry("midpoint", SecondOrder.MIDPOINT),
          entry("heun", SecondOrder.HEUN),
          entry("logrho", SecondOrder.MIDPOINT),
          entry("bh1", SecondOrder.MIDPOINT),
          entry("bh2", SecondOrder.MIDPOINT));

  /** The last three are other schedulers'; diffusers takes the first for them. */
  private static final Map<String, Scale> SCALES =
      DiffusersFields.names(
          entry("bh2", Scale.BH2),
          entry("bh1", Scale.BH1),
          entry("midpoint", Scale.BH2),
          entry("heun", Scale.BH2),
          entry("logrho", Scale.BH2));

  /** The keys of levels that are not those of timesteps. */
  private static final Map<String, LevelSpacing> LEVELS =
      DiffusersFields.names(
          entry("use_karras_sigmas", LevelSpacing.KARRAS),
          entry("use_lu_lambdas", LevelSpacing.LAMBDA),
          entry("use_exponential_sigmas", LevelSpacing.EXPONENTIAL),
          entry("use_beta_sigmas", LevelSpacing.BETA));

  private static final Map<String, Boolean> INTERPOLATIONS =
      DiffusersFields.names(entry("linear", false), entry("log_linear", true));

  private static final Map<String, Asked> ASKED =
      DiffusersFields.names(entry("discrete", Asked.TIMES), entry("continuous", Asked.LOG_RATIOS));

  private static final Map<String, Boolean> SHIFT_TYPES =
      DiffusersFields.names(entry("exponential", true), entry("linear", false));

  private static final Map<String, End> FINAL_SIGMAS =
      DiffusersFields.names(entry("zero", End.CLEAN), entry("sigma_min", End.FIRST_TIMESTEP));

  /** Of releases before 0.15, with what today's do. */
  private static final Map<String, Object> FORMER_KEYS =
      Map.of("predict_epsilon", true, "tensor_format", "pt");

  /** Timesteps of a scheduler whose file has no number of them. */
  private static final int MARKS = 1000;

  private final SchedulerClass scheduler;
  private final DiffusersFields fields;

  private SchedulerJson(SchedulerClass scheduler, Map<String, JsonNode> fields) {
    this.scheduler = scheduler;
    this.fields = new DiffusersFields("", fields);
  }

  /**
   * What a file says.
   *
   * @param text the JSON object
   * @param source where it comes from, for messages
   * @param chosen the scheduler that is to be made of it, or null for the one that it names
   */
  static DiffusersScheduler read(String text, String source, SchedulerClass chosen)
      throws IOException {
    JsonNode json = PipelineJson.parse(text, source);
    try {
      require(
          json instanceof ObjectNode, "it is %s and must be an object", StrictJson.quoted(json));
      return of(chosen != null ? chosen : named(json.path(DiffusersFields.CLASS_NAME)), json)
          .scheduler();
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("%s: %s", source, e.getMessage()), e);
    }
  }

  /**
   * How images are drawn if another sampler is made of a file, whatever scheduler it is of.
   *
   * @param text the JSON object
   * @param source where it comes from, for messages
   * @param type which sampler
   */
  static DiffusersSampler readSampler(String text, String source, SamplerType type)
      throws IOException {
    JsonNode json = PipelineJson.parse(text, source);
    try {
      SchedulerJson read = of(SchedulerClass.of(type), json);
      boolean isOfTimesteps =
          read.scheduler == SchedulerClass.IPNDM
              && !json.path(DiffusersFields.CLASS_NAME).asText().equals(read.scheduler.className());
      // diffusers would ask a network of timesteps with angles.
      return new DiffusersSampler(
          isOfTimesteps ? SamplerConfig.of(type) : read.sampler(type), read.clipping());
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("%s: %s", source, e.getMessage()), e);
    }
  }

  private static SchedulerClass named(JsonNode className) {
    return SchedulerClass.named(className.asText())
        .orElseThrow(
            () ->
                refusal(
                    "%s is %s; supported are %s",
                    DiffusersFields.CLASS_NAME,
                    className.isMissingNode() ? "missing" : StrictJson.quoted(className),
                    SchedulerClass.names()));
  }

  private static SchedulerJson of(SchedulerClass scheduler, JsonNode json) {
    Set<String> unset = DiffusersFields.unset(json);
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    scheduler.readKeys().forEach((key, value) -> fields.put(key, PipelineJson.tree(value)));
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = field.getKey();
      if (unset.contains(key)) {
        continue;
      }
      if (fields.containsKey(key)) {
        fields.put(key, field.getValue());
      } else if (scheduler.checkedKeys().containsKey(key)) {
        checkOnly(key, field.getValue(), scheduler.checkedKeys().get(key));
      } else {
        checkUnknown(scheduler, key, field.getValue());
      }
    }
    return new SchedulerJson(scheduler, fields);
  }

  private static void checkOnly(String key, JsonNode value, List<Object> supported) {
    require(
        supported.stream().anyMatch(one -> same(value, PipelineJson.tree(one))),
        "%s is %s; supported is %s",
        key,
        StrictJson.quoted(value),
        PipelineJson.tree(supported.get(0)));
  }

  /** Python takes null for false. */
  private static boolean same(JsonNode value, JsonNode supported) {
    if (value.isNumber() && supported.isNumber()) {
      return value.doubleValue() == supported.doubleValue();
    }
    return value.equals(supported)
        || (value.isNull() && supported.isBoolean() && !supported.booleanValue());
  }

  private static void checkUnknown(SchedulerClass scheduler, String key, JsonNode value) {
    if (FORMER_KEYS.containsKey(key)) {
      checkOnly(key, value, List.of(FORMER_KEYS.get(key)));
    } else if (!SchedulerClass.isKnown(key)) {
      DiffusersFields.checkUnknown("", key, value, "the images do", keys(scheduler));
    }
  }

  private static String keys(SchedulerClass scheduler) {
    List<String> keys = new ArrayList<>(scheduler.readKeys().keySet());
    keys.addAll(scheduler.checkedKeys().keySet());
    keys.addAll(scheduler.unusedKeys().keySet());
    return Text.format("The keys of %s are %s", scheduler.className(), String.join(", ", keys));
  }

  private DiffusersScheduler scheduler() {
    // Where a file knows no timesteps, none is asked for: they are marks along the noise.
    int timesteps =
        scheduler.has("num_train_timesteps") ? fields.integer("num_train_timesteps") : MARKS;
    require(
        timesteps >= 1 && timesteps <= ScheduleConfig.MAX_TIMESTEPS,
        "num_train_timesteps is %d; it must be from 1 to %d",
        timesteps,
        ScheduleConfig.MAX_TIMESTEPS);
    return new DiffusersScheduler(
        betas(timesteps),
        timesteps,
        scheduler.own() != null
            ? scheduler.own()
            : fields.choice("prediction_type", PREDICTION_TYPES),
        sampler(type()),
        clipping());
  }

  private SamplerConfig sampler(SamplerType type) {
    SamplerConfig sampler = spaced(SamplerConfig.of(type)).withConvention(Convention.DIFFUSERS);
    if (sampler instanceof SamplerConfig.SpacedLevels) {
      sampler = sampler.withLevels(levels());
    }
    if (scheduler.has("solver_order")) {
      sampler = sampler.withOrder(fields.integer("solver_order"));
    }
    if (sampler instanceof AncestralConfig ancestral) {
      sampler = ancestral.withVariance(variance());
    }
    if (scheduler.readKeys().containsKey("set_alpha_to_one")) {
      sampler =
          sampler.withEnd(fields.flagOrNull("set_alpha_to_one") ? End.CLEAN : End.FIRST_TIMESTEP);
    }
    if (scheduler.has("final_sigmas_type")) {
      sampler = sampler.withEnd(fields.choice("final_sigmas_type", FINAL_SIGMAS));
    }
    return withOptions(sampler);
  }

  private SamplerConfig spaced(SamplerConfig sampler) {
    if (!scheduler.readKeys().containsKey("timestep_spacing")) {
      return sampler;
    }
    TimestepSpacing spacing = fields.choice("timestep_spacing", SPACINGS);
    int offset = fields.integer("steps_offset");
    require(offset >= 0, "steps_offset is %d; it must be at least 0", offset);
    // diffusers leaves it out of account with the other spacings.
    return sampler.withSpacing(spacing, spacing == TimestepSpacing.LEADING ? offset : 0);
  }

  /** What only one family of samplers has. */
  private SamplerConfig withOptions(SamplerConfig sampler) {
    if (scheduler == SchedulerClass.EDM_EULER) {
      // With the spacing leading, a run begins with noise of variance 1, as diffusers' does here.
      LevelRange range = range(((EulerConfig) sampler).levels());
      return ((EulerConfig) sampler).withRange(range).withSpacing(TimestepSpacing.LEADING, 0);
    }
    if (sampler instanceof DpmSolverConfig dpm && scheduler.isEdm()) {
      return dpm.withSecondOrder(fields.choice("solver_type", SECOND_ORDERS))
          .withFinalOrder(finalOrder());
    }
    if (sampler instanceof DpmSolverConfig dpm) {
      return dpm.withSecondOrder(fields.choice("solver_type", SECOND_ORDERS))
          .withFinalOrder(finalOrder())
          .withLeastLambda(fields.number("lambda_min_clipped"));
    }
    if (sampler instanceof FlowConfig flow) {
      return scheduler == SchedulerClass.FLOW_EULER && fields.flagOrNull("use_dynamic_shifting")
          ? flow.withDynamicShift(dynamicShift())
          : flow.withShift(fields.finiteNumber("shift"));
    }
    if (sampler instanceof SaSolverConfig solver) {
      return solver
          .withOrders(fields.integer("predictor_order"), fields.integer("corrector_order"))
          .withFinalOrder(
              fields.flagOrNull("lower_order_final") ? FinalOrder.LOWERED : FinalOrder.FULL)
          .withLeastLambda(fields.number("lambda_min_clipped"));
    }
    if (sampler instanceof LcmConfig) {
      return new LcmConfig(originalSteps(), fields.finiteNumber("timestep_scaling"));
    }
    if (sampler instanceof ScoreSdeConfig) {
      return new ScoreSdeConfig(
          fields.finiteNumber("snr"),
          fields.integer("correct_steps"),
          fields.finiteNumber("sampling_eps"));
    }
    if (sampler instanceof KarrasVeConfig) {
      return new KarrasVeConfig(
          fields.finiteNumber("sigma_min"),
          fields.finiteNumber("sigma_max"),
          fields.finiteNumber("s_noise"),
          fields.finiteNumber("s_churn"),
          fields.finiteNumber("s_min"),
          fields.finiteNumber("s_max"));
    }
    if (sampler instanceof UniPcConfig unipc) {
      return unipc
          .withRange(range(unipc.levels()))
          .withScale(fields.choice("solver_type", SCALES))
          .withFinalOrder(
              fields.flagOrNull("lower_order_final") ? FinalOrder.LOWERED : FinalOrder.FULL);
    }
    if (sampler instanceof DeisConfig deis) {
      return deis.withFinalOrder(finalOrder());
    }
    if (sampler instanceof EulerConfig euler && scheduler == SchedulerClass.EULER) {
      // diffusers asks with log ρ only where v is predicted, and takes no notice otherwise.
      boolean isV = fields.choice("prediction_type", PREDICTION_TYPES) == Parameterization.V;
      Asked asked = fields.choice("timestep_type", ASKED);
      return euler.withRange(range(euler.levels())).withAsked(isV ? asked : Asked.TIMES);
    }
    return sampler;
  }

  private LevelSpacing levels() {
    if (scheduler.isEdm()) {
      return fields.choice("sigma_schedule", SIGMA_SCHEDULES);
    }
    List<String> chosen = LEVELS.keySet().stream().filter(this::isOn).toList();
    require(
        chosen.size() <= 1, "%s are true; only one of them can be", String.join(" and ", chosen));
    boolean isLogLinear =
        scheduler.has("interpolation_type") && fields.choice("interpolation_type", INTERPOLATIONS);
    if (chosen.isEmpty()) {
      return isLogLinear ? LevelSpacing.LOG_LINEAR : LevelSpacing.TIMESTEPS;
    }
    require(
        !isLogLinear || fields.choice("timestep_spacing", SPACINGS) == TimestepSpacing.LINSPACE,
        "interpolation_type is \"log_linear\" and %s is true; together they are supported with timestep_spacing \"linspace\" alone",
        chosen.get(0));
    return LEVELS.get(chosen.get(0));
  }

  private boolean isOn(String key) {
    return scheduler.has(key) && fields.flagOrNull(key);
  }

  private LevelRange range(LevelSpacing spacing) {
    return new LevelRange(spacing, numberOrNull("sigma_min"), numberOrNull("sigma_max"));
  }

  private Double numberOrNull(String key) {
    return fields.isNull(key) ? null : (Double) fields.finiteNumber(key);
  }

  private FinalOrder finalOrder() {
    boolean isLowered = fields.flagOrNull("lower_order_final");
    if (scheduler == SchedulerClass.DPM_SINGLESTEP) {
      return isLowered ? FinalOrder.LOWERED : FinalOrder.FULL;
    }
    if (isOn("euler_at_final")) {
      return isLowered ? FinalOrder.EULER_AND_LOWERED_IN_SHORT_RUNS : FinalOrder.EULER;
    }
    return isLowered ? FinalOrder.LOWERED_IN_SHORT_RUNS : FinalOrder.FULL;
  }

  private SamplerType type() {
    return switch (scheduler) {
      case DPM_SOLVER -> fields.choice("algorithm_type", DPM_SOLVERS);
      case DPM_SINGLESTEP -> fields.choice("algorithm_type", DPM_SINGLESTEPS);
      case EDM_DPM_SOLVER -> fields.choice("algorithm_type", EDM_SOLVERS);
      case EDM_EULER -> SamplerType.EULER;
      case PNDM -> fields.flagOrNull("skip_prk_steps") ? SamplerType.PLMS : SamplerType.PNDM;
      default -> scheduler.onlyType();
    };
  }

  /** With null, which other schedulers have, diffusers takes the smaller. */
  private ReverseVariance variance() {
    return fields.isNull("variance_type")
        ? ReverseVariance.POSTERIOR
        : fields.choice("variance_type", VARIANCES);
  }

  private DynamicShift dynamicShift() {
    return new DynamicShift(
        fields.finiteNumber("base_shift"),
        fields.finiteNumber("max_shift"),
        fields.integer("base_image_seq_len"),
        fields.integer("max_image_seq_len"),
        fields.choice("time_shift_type", SHIFT_TYPES));
  }

  private BetaSchedule betas(int timesteps) {
    if (scheduler == SchedulerClass.FLOW_EULER && fields.flagOrNull("use_dynamic_shifting")) {
      // The timesteps themselves are not shifted then, and what the file says of it counts for
      // nothing.
      return FlowSchedule.straight();
    }
    if (scheduler.isFlow()) {
      return new FlowSchedule(fields.finiteNumber("shift"));
    }
    if (scheduler == SchedulerClass.IPNDM) {
      return new CrashSchedule();
    }
    if (scheduler == SchedulerClass.SCORE_SDE) {
      return new VarianceExplodingSchedule(
          fields.finiteNumber("sigma_min"), fields.finiteNumber("sigma_max"));
    }
    if (scheduler == SchedulerClass.KARRAS_VE) {
      KarrasVeConfig karras = (KarrasVeConfig) sampler(SamplerType.KARRAS_VE);
      return new VarianceExplodingSchedule(karras.least(), karras.greatest());
    }
    if (scheduler == SchedulerClass.CONSISTENCY) {
      return new EdmSchedule(EdmSchedule.paper().least(), fields.finiteNumber("sigma_max"));
    }
    if (scheduler.isEdm()) {
      return new EdmSchedule(fields.finiteNumber("sigma_min"), fields.finiteNumber("sigma_max"));
    }
    BetaSchedule betas = fields.isNull("trained_betas") ? formula() : trainedBetas(timesteps);
    return scheduler.has("rescale_betas_zero_snr") && fields.flagOrNull("rescale_betas_zero_snr")
        ? new ZeroTerminalSnrSchedule(betas)
        : betas;
  }

  private BetaSchedule formula() {
    JsonNode name = fields.get("beta_schedule");
    return switch (name.asText()) {
      case "linear" ->
          new LinearSchedule(fields.finiteNumber("beta_start"), fields.finiteNumber("beta_end"));
      case "scaled_linear" ->
          new QuadraticSchedule(fields.finiteNumber("beta_start"), fields.finiteNumber("beta_end"));
      case "squaredcos_cap_v2" -> CosineSchedule.paper();
      default -> {
        require(
            name.isTextual() && scheduler.furtherBetas().contains(name.asText()),
            "beta_schedule is %s; supported are \"linear\", \"scaled_linear\", \"squaredcos_cap_v2\"%s",
            StrictJson.quoted(name),
            scheduler.furtherBetas().stream()
                .map(further -> Text.format(", \"%s\"", further))
                .collect(Collectors.joining()));
        yield furtherFormula(name.asText());
      }
    };
  }

  private BetaSchedule furtherFormula(String name) {
    return switch (name) {
      case "sigmoid" ->
          new SigmoidSchedule(fields.finiteNumber("beta_start"), fields.finiteNumber("beta_end"));
      case "laplace" -> LaplaceSchedule.diffusers();
      default -> ExponentialSchedule.diffusers();
    };
  }

  private BetaSchedule trainedBetas(int timesteps) {
    JsonNode json = fields.get("trained_betas");
    require(
        json.isArray() && json.size() == timesteps,
        "trained_betas is %s; it must be null or a list of num_train_timesteps = %d numbers",
        json.isArray() ? "a list of " + json.size() : StrictJson.quoted(json),
        timesteps);
    List<Double> values = new ArrayList<>();
    json.forEach(
        value -> values.add(fields.finiteNumber("trained_betas has an entry that", value)));
    return new TrainedBetas(values);
  }

  private X0Clipping clipping() {
    if (scheduler.has("thresholding") && fields.flagOrNull("thresholding")) {
      return new X0Clipping.DynamicThreshold(
          fields.finiteNumber("dynamic_thresholding_ratio"),
          fields.finiteNumber("sample_max_value"));
    }
    if (isOn("clip_denoised")) {
      return X0Clipping.UNIT;
    }
    return scheduler.has("clip_sample") && fields.flagOrNull("clip_sample")
        ? new X0Clipping.Range(fields.finiteNumber("clip_sample_range"))
        : X0Clipping.NONE;
  }

  /** Whether a scheduler's file can say how the levels lie. */
  static boolean takes(SchedulerClass scheduler, LevelSpacing levels) {
    if (scheduler.isEdm()) {
      return SIGMA_SCHEDULES.containsValue(levels);
    }
    return switch (levels) {
      case TIMESTEPS -> true;
      case LOG_LINEAR -> scheduler.has("interpolation_type");
      default -> scheduler.has(DiffusersFields.nameOf(levels, LEVELS));
    };
  }

  /** The default of LCM is no statement about the network, and its chain may be shorter. */
  private int originalSteps() {
    int original = fields.integer("original_inference_steps");
    int timesteps = fields.integer("num_train_timesteps");
    require(
        original <= timesteps || original == LcmConfig.usual().originalSteps(),
        "original_inference_steps is %d, but num_train_timesteps is %d; there must be as many timesteps at least",
        original,
        timesteps);
    return Math.min(original, timesteps);
  }

  private static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw refusal(sentence, values);
    }
  }

  private static IllegalArgumentException refusal(String sentence, Object... values) {
    return new IllegalArgumentException(Text.format(sentence, values) + ".");
  }

  /** The object of a file. */
  static Map<String, Object> write(DiffusersScheduler config) {
    SamplerConfig sampler = config.sampler();
    SchedulerClass scheduler = SchedulerClass.of(sampler.type(), config.parameterization());
    Map<String, Object> values = new LinkedHashMap<>(scheduler.readKeys());
    values.replace("num_train_timesteps", config.timesteps());
    if (scheduler != SchedulerClass.KARRAS_VE && scheduler != SchedulerClass.IPNDM) {
      putBetas(values, config.betas());
    }
    if (scheduler.own() == null) {
      values.put(
          "prediction_type", DiffusersFields.nameOf(config.parameterization(), PREDICTION_TYPES));
    }
    values.replace("timestep_spacing", DiffusersFields.nameOf(sampler.spacing(), SPACINGS));
    values.replace("steps_offset", sampler.stepsOffset());
    putClipping(values, config.clipping());
    if (sampler instanceof SamplerConfig.SpacedLevels spaced) {
      LEVELS.forEach((key, levels) -> values.replace(key, spaced.levels() == levels));
    }
    if (sampler instanceof SamplerConfig.Ordered ordered) {
      values.replace("solver_order", ordered.order());
    }
    if (sampler instanceof SamplerConfig.Ending ending) {
      values.replace("set_alpha_to_one", ending.end() == End.CLEAN);
      values.replace("final_sigmas_type", DiffusersFields.nameOf(ending.end(), FINAL_SIGMAS));
    }
    if (sampler instanceof AncestralConfig ancestral) {
      values.replace("variance_type", DiffusersFields.nameOf(ancestral.variance(), VARIANCES));
    }
    values.computeIfPresent("skip_prk_steps", (key, value) -> sampler.type() == SamplerType.PLMS);

    if (scheduler.isEdm()) {
      putEdm(values, sampler);
    } else {
      putOptions(values, sampler, config.timesteps());
    }

    Map<String, Object> json = new LinkedHashMap<>();
    json.put(DiffusersFields.CLASS_NAME, scheduler.className());
    json.put("_diffusers_version", DiffusersFields.VERSION);
    json.putAll(values);
    scheduler.checkedKeys().forEach((key, supported) -> json.put(key, supported.get(0)));
    json.putAll(scheduler.unusedKeys());
    // JSON has no infinities, and it is the default of every release that knows the key.
    json.values().removeIf(value -> value instanceof Double number && number.isInfinite());
    return json;
  }

  private static void putEdm(Map<String, Object> values, SamplerConfig sampler) {
    LevelSpacing levels = ((SamplerConfig.SpacedLevels) sampler).levels();
    values.put("sigma_schedule", DiffusersFields.nameOf(levels, SIGMA_SCHEDULES));
    if (sampler instanceof DpmSolverConfig dpm) {
      values.put("solver_type", DiffusersFields.nameOf(dpm.secondOrder(), SECOND_ORDERS));
      putFinalOrder(values, dpm.finalOrder());
      values.put("algorithm_type", DiffusersFields.nameOf(dpm.type(), EDM_SOLVERS));
    }
  }

  private static void putOptions(Map<String, Object> values, SamplerConfig sampler, int timesteps) {
    if (sampler instanceof DpmSolverConfig dpm) {
      values.put("solver_type", DiffusersFields.nameOf(dpm.secondOrder(), SECOND_ORDERS));
      putFinalOrder(values, dpm.finalOrder());
      values.put("algorithm_type", algorithm(dpm.type()));
      values.put("lambda_min_clipped", dpm.leastLambda());
    } else if (sampler instanceof SaSolverConfig solver) {
      values.put("predictor_order", solver.order());
      values.put("corrector_order", solver.correctorOrder());
      putFinalOrder(values, solver.finalOrder());
      values.put("lambda_min_clipped", solver.leastLambda());
    } else if (sampler instanceof FlowConfig flow) {
      flow.dynamicShift().ifPresent(shift -> putDynamicShift(values, shift));
    } else if (sampler instanceof LcmConfig lcm) {
      values.put("original_inference_steps", lcm.originalStepsOf(timesteps));
      values.put("timestep_scaling", lcm.timestepScaling());
    } else if (sampler instanceof ScoreSdeConfig score) {
      values.put("snr", score.snr());
      values.put("correct_steps", score.correctSteps());
      values.put("sampling_eps", score.leastTime());
    } else if (sampler instanceof KarrasVeConfig karras) {
      values.put("sigma_min", karras.sigmaMin());
      values.put("sigma_max", karras.sigmaMax());
      values.put("s_noise", karras.noise());
      values.put("s_churn", karras.churn());
      values.put("s_min", karras.churnFrom());
      values.put("s_max", karras.churnTo());
    } else if (sampler instanceof UniPcConfig unipc) {
      values.put("solver_type", DiffusersFields.nameOf(unipc.scale(), SCALES));
      putFinalOrder(values, unipc.finalOrder());
      putRange(values, unipc.range());
    } else if (sampler instanceof DeisConfig deis) {
      putFinalOrder(values, deis.finalOrder());
    } else if (sampler instanceof EulerConfig euler && euler.type() == SamplerType.EULER) {
      putRange(values, euler.range());
      values.put("timestep_type", DiffusersFields.nameOf(euler.asked(), ASKED));
      values.put(
          "interpolation_type",
          DiffusersFields.nameOf(euler.levels() == LevelSpacing.LOG_LINEAR, INTERPOLATIONS));
    }
  }

  private static void putDynamicShift(Map<String, Object> values, DynamicShift shift) {
    values.put("use_dynamic_shifting", true);
    values.put("base_shift", shift.baseShift());
    values.put("max_shift", shift.maxShift());
    values.put("base_image_seq_len", shift.baseLength());
    values.put("max_image_seq_len", shift.maxLength());
    values.put("time_shift_type", DiffusersFields.nameOf(shift.isLogarithm(), SHIFT_TYPES));
  }

  private static String algorithm(SamplerType type) {
    return DiffusersFields.nameOf(
        type, DPM_SOLVERS.containsValue(type) ? DPM_SOLVERS : DPM_SINGLESTEPS);
  }

  private static void putFinalOrder(Map<String, Object> values, FinalOrder finalOrder) {
    boolean isEuler =
        finalOrder == FinalOrder.EULER || finalOrder == FinalOrder.EULER_AND_LOWERED_IN_SHORT_RUNS;
    values.put(
        "lower_order_final", finalOrder != FinalOrder.FULL && finalOrder != FinalOrder.EULER);
    values.replace("euler_at_final", isEuler);
  }

  private static void putRange(Map<String, Object> values, LevelRange range) {
    if (range.least() != null) {
      values.put("sigma_min", range.least());
    }
    if (range.greatest() != null) {
      values.put("sigma_max", range.greatest());
    }
  }

  private static void putBetas(Map<String, Object> values, BetaSchedule betas) {
    if (betas instanceof ZeroTerminalSnrSchedule rescaled) {
      values.put("rescale_betas_zero_snr", true);
      putBetas(values, rescaled.base());
    } else if (betas instanceof LinearSchedule linear) {
      putFormula(values, "linear", linear.betaStart(), linear.betaEnd());
    } else if (betas instanceof QuadraticSchedule quadratic) {
      putFormula(values, "scaled_linear", quadratic.betaStart(), quadratic.betaEnd());
    } else if (betas instanceof SigmoidSchedule sigmoid) {
      putFormula(values, "sigmoid", sigmoid.betaStart(), sigmoid.betaEnd());
    } else if (betas instanceof LaplaceSchedule) {
      values.put("beta_schedule", "laplace");
    } else if (betas instanceof ExponentialSchedule) {
      values.put("beta_schedule", "exp");
    } else if (betas instanceof EdmSchedule edm) {
      values.replace("sigma_min", edm.least());
      values.put("sigma_max", edm.greatest());
    } else if (betas instanceof VarianceExplodingSchedule exploding) {
      values.put("sigma_min", exploding.least());
      values.put("sigma_max", exploding.greatest());
    } else if (betas instanceof FlowSchedule flow) {
      values.put("shift", flow.shift());
    } else if (betas instanceof TrainedBetas trained) {
      values.put("trained_betas", trained.values());
    } else {
      values.put("beta_schedule", "squaredcos_cap_v2");
    }
  }

  private static void putFormula(
      Map<String, Object> values, String name, double start, double end) {
    values.put("beta_schedule", name);
    values.put("beta_start", start);
    values.put("beta_end", end);
  }

  private static void putClipping(Map<String, Object> values, X0Clipping clipping) {
    values.computeIfPresent("clip_denoised", (key, value) -> clipping instanceof X0Clipping.Range);
    values.computeIfPresent("clip_sample", (key, value) -> clipping instanceof X0Clipping.Range);
    if (clipping instanceof X0Clipping.DynamicThreshold threshold) {
      values.put("thresholding", true);
      values.put("dynamic_thresholding_ratio", threshold.ratio());
      values.put("sample_max_value", threshold.maxThreshold());
    } else if (clipping instanceof X0Clipping.Range range) {
      if (values.containsKey("clip_denoised")) {
        return;
      }
      if (values.containsKey("clip_sample")) {
        values.put("clip_sample_range", range.max());
      } else {
        // With thresholds up to 1, which is clipping to [-1,1].
        values.put("thresholding", true);
      }
    }
  }
}

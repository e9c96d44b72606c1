package org.ddpm4j.diffusion.diffusers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.AncestralConfig;
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.config.FlowConfig;
import org.ddpm4j.diffusion.config.LmsConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiffusersSchedulerTest {

  /**
   * Against diffusers 0.42: set_timesteps(5, mu) with mu of 32x32 positions, as its pipelines do.
   */
  @ParameterizedTest
  @CsvSource({
    "exponential, 0.8494055271148682, 0.6529428362846375, 0.38589128851890564, 0.0018759643426164985",
    "linear, 0.6542810201644897, 0.3869774043560028, 0.17412762343883514, 0.0006302332039922476"
  })
  void aFlowsShiftFollowsTheSizeOfTheImages(
      String type, double second, double third, double fourth, double last) throws IOException {
    DiffusersScheduler scheduler =
        DiffusersScheduler.fromJson(
            "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0,"
                + " \"use_dynamic_shifting\": true, \"time_shift_type\": \""
                + type
                + "\"}",
            "s");
    FlowConfig flow = (FlowConfig) scheduler.sampler();
    PathSampler sampler = flow.ofSize(32 * 32).create(scheduler.schedule(), 5, X0Constraint.NONE);
    double[] shares =
        ((EulerSampler) sampler)
            .levels().levels().stream()
                .mapToDouble(level -> level.sigma() / (level.alpha() + level.sigma()))
                .toArray();
    assertThat(shares)
        .containsExactly(new double[] {1, second, third, fourth, last, 0}, within(1e-6));
    assertThat(DiffusersScheduler.fromJson(scheduler.toJson(), "s")).isEqualTo(scheduler);
    assertThatThrownBy(() -> scheduler.create(5)).hasMessageContaining("tell it by ofSize");
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A scheduler as diffusers makes it without arguments. */
  record Default(String name, ObjectNode config, JsonNode betas) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Default> defaults() throws IOException {
    try (InputStream json =
        DiffusersSchedulerTest.class.getResourceAsStream("scheduler_defaults.json")) {
      return StreamSupport.stream(JSON.readTree(json).spliterator(), false)
          .map(
              node ->
                  new Default(
                      node.get("name").asText(),
                      (ObjectNode) node.get("config"),
                      node.get("betas")));
    }
  }

  private static DiffusersScheduler read(ObjectNode json) throws IOException {
    return DiffusersScheduler.fromJson(json.toString(), "the file");
  }

  private static ObjectNode named(String className) {
    return JSON.createObjectNode().put("_class_name", className);
  }

  /** The keys of a text such as {@code clip_sample=true solver_order=3}, in JSON's spelling. */
  private static ObjectNode with(String className, String keys) throws IOException {
    ObjectNode json = named(className);
    for (String pair : keys.split(" ")) {
      int equals = pair.indexOf('=');
      json.set(pair.substring(0, equals), JSON.readTree(pair.substring(equals + 1)));
    }
    return json;
  }

  @ParameterizedTest
  @MethodSource("defaults")
  void aMissingKeyHasTheDefaultOfItsOwnScheduler(Default golden) throws IOException {
    DiffusersScheduler silent = read(named(golden.name()));
    ObjectNode explicit = golden.config().deepCopy().put("_class_name", golden.name());
    assertThat(silent).isEqualTo(read(explicit));
    assertThat(silent.className()).isEqualTo(golden.name());
    for (int i = 0; i < golden.betas().size(); i++) {
      double beta = golden.betas().get(i).asDouble();
      int t = new int[] {0, 500, 999}[i];
      assertThat(silent.schedule().betas(t)).isCloseTo(beta, within(1e-6 * beta));
    }
  }

  @ParameterizedTest
  @MethodSource("defaults")
  void whatIsWrittenLeavesNothingToDefaults(Default golden) throws IOException {
    JsonNode written = JSON.readTree(read(named(golden.name())).toJson());
    for (var field : golden.config().properties()) {
      JsonNode value = written.get(field.getKey());
      assertThat(value).as(field.getKey()).isNotNull();
      if (field.getValue().isNumber()) {
        assertThat(value.doubleValue()).isEqualTo(field.getValue().doubleValue());
      } else {
        assertThat(value).as(field.getKey()).isEqualTo(field.getValue());
      }
    }
    assertThat(written.size()).isEqualTo(golden.config().size() + 2);
  }

  static Stream<ObjectNode> everyKey() throws IOException {
    List<ObjectNode> configs = new ArrayList<>();
    String chain = "num_train_timesteps=100 beta_start=0.001 beta_end=0.03";
    for (SchedulerClass scheduler : SchedulerClass.values()) {
      String name = scheduler.className();
      configs.add(with(name, chain));
      configs.add(with(name, chain + " beta_schedule=\"scaled_linear\""));
      configs.add(
          with(name, "beta_schedule=\"squaredcos_cap_v2\" prediction_type=\"v_prediction\""));
      configs.add(with(name, "num_train_timesteps=3 trained_betas=[0.1,0.2,0.4]"));
      configs.add(with(name, "timestep_spacing=\"trailing\""));
      configs.add(with(name, "timestep_spacing=\"leading\" steps_offset=1"));
      configs.add(with(name, "rescale_betas_zero_snr=true prediction_type=\"v_prediction\""));
      configs.add(with(name, "clip_sample=true clip_sample_range=2.5"));
      configs.add(with(name, "clip_sample=false thresholding=true sample_max_value=1.5"));
      configs.add(with(name, "thresholding=true dynamic_thresholding_ratio=0.9"));
      configs.add(with(name, "use_karras_sigmas=true"));
      configs.add(with(name, "solver_order=3"));
      configs.add(with(name, "final_sigmas_type=\"sigma_min\""));
      configs.add(with(name, "set_alpha_to_one=true"));
      configs.add(with(name, "set_alpha_to_one=false skip_prk_steps=true"));
    }
    configs.add(with("DDPMScheduler", "variance_type=\"fixed_large\""));
    configs.add(with("DDPMScheduler", "variance_type=\"learned_range\""));
    configs.add(with("DDPMScheduler", "beta_schedule=\"sigmoid\" prediction_type=\"sample\""));
    String dpm = "DPMSolverMultistepScheduler";
    configs.add(with(dpm, "algorithm_type=\"sde-dpmsolver++\""));
    for (String algorithm : List.of("dpmsolver", "sde-dpmsolver")) {
      configs.add(
          with(
              dpm,
              "final_sigmas_type=\"sigma_min\" solver_type=\"heun\" algorithm_type=\"%s\""
                  .formatted(algorithm)));
    }
    configs.add(with(dpm, "use_lu_lambdas=true lambda_min_clipped=-5.1"));
    configs.add(with(dpm, "euler_at_final=true"));
    configs.add(with(dpm, "euler_at_final=true lower_order_final=false"));
    for (String solver : List.of(dpm, "UniPCMultistepScheduler", "DEISMultistepScheduler")) {
      configs.add(with(solver, "lower_order_final=false use_exponential_sigmas=true"));
    }
    configs.add(with("UniPCMultistepScheduler", "solver_type=\"bh1\" sigma_min=0.1 sigma_max=9"));
    configs.add(with("LMSDiscreteScheduler", "use_beta_sigmas=true"));
    configs.add(with("HeunDiscreteScheduler", "beta_schedule=\"exp\""));
    configs.add(with("DDPMScheduler", "beta_schedule=\"laplace\""));
    configs.add(with("DDPMScheduler", "thresholding=true sample_max_value=0.5"));
    configs.add(
        with(
            "EulerDiscreteScheduler",
            "timestep_type=\"continuous\" prediction_type=\"v_prediction\" sigma_max=700"));
    configs.add(with("EulerDiscreteScheduler", "interpolation_type=\"log_linear\""));
    String single = "DPMSolverSinglestepScheduler";
    configs.add(with(single, "algorithm_type=\"sde-dpmsolver++\" lower_order_final=true"));
    configs.add(with(single, "algorithm_type=\"dpmsolver\" final_sigmas_type=\"sigma_min\""));
    // Preconditioned networks predict nothing else.
    configs.removeIf(
        config ->
            config.get("_class_name").asText().startsWith("EDM") && config.has("prediction_type"));
    // What it calls betas are deviations, which come from its own formula.
    configs.removeIf(
        config ->
            config.get("_class_name").asText().equals("IPNDMScheduler")
                && config.has("trained_betas"));
    configs.add(with("CMStochasticIterativeScheduler", "clip_denoised=false sigma_max=50"));
    configs.add(with("EDMEulerScheduler", "sigma_schedule=\"exponential\" sigma_max=50"));
    String edm = "EDMDPMSolverMultistepScheduler";
    configs.add(with(edm, "algorithm_type=\"sde-dpmsolver++\" solver_type=\"heun\""));
    configs.add(with(edm, "euler_at_final=true sigma_min=0.01"));
    configs.add(with("FlowMatchEulerDiscreteScheduler", "shift=3 use_beta_sigmas=true"));
    configs.add(with("FlowMatchHeunDiscreteScheduler", "shift=0.5 num_train_timesteps=40"));
    configs.add(
        with("SASolverScheduler", "predictor_order=3 corrector_order=4 lower_order_final=false"));
    configs.add(with("LCMScheduler", "original_inference_steps=40 timestep_scaling=2.5"));
    return configs.stream();
  }

  @ParameterizedTest
  @MethodSource("everyKey")
  void readsWhatItWrites(ObjectNode json) throws IOException {
    DiffusersScheduler scheduler = read(json);
    assertThat(DiffusersScheduler.fromJson(scheduler.toJson(), "again")).isEqualTo(scheduler);
    JsonNode written = JSON.readTree(scheduler.toJson());
    for (var field : json.properties()) {
      boolean counts =
          SchedulerClass.of(scheduler.sampler().type(), scheduler.parameterization())
                  .readKeys()
                  .containsKey(field.getKey())
              && !field.getKey().equals("dynamic_thresholding_ratio")
              && !field.getKey().equals("thresholding");
      if (counts && field.getValue().isNumber()) {
        assertThat(written.get(field.getKey()).doubleValue())
            .isEqualTo(field.getValue().doubleValue());
      } else if (counts) {
        assertThat(written.get(field.getKey())).isEqualTo(field.getValue());
      }
    }
  }

  @Test
  void everythingIsSaidInTheTermsOfTheLibrary() throws IOException {
    DiffusersScheduler scheduler =
        read(
            with(
                "DDPMScheduler",
                "num_train_timesteps=50 beta_start=0.01 beta_end=0.1"
                    + " prediction_type=\"v_prediction\" variance_type=\"fixed_large\""
                    + " timestep_spacing=\"leading\" steps_offset=2 clip_sample_range=3"
                    + " rescale_betas_zero_snr=true"));
    assertThat(scheduler)
        .isEqualTo(
            new DiffusersScheduler(
                new ZeroTerminalSnrSchedule(new LinearSchedule(0.01, 0.1)),
                50,
                Parameterization.V,
                new AncestralConfig(
                    TimestepSpacing.LEADING, 2, ReverseVariance.BETA, Convention.DIFFUSERS),
                new X0Clipping.Range(3)));
    assertThat(scheduler.create(10).steps()).isEqualTo(10);
  }

  /** The value that diffusers puts in the place of 0 there, and 0 itself for DDIM. */
  @Test
  void solversThatNeedARatioKeepALittleSignal() throws IOException {
    String keys = "rescale_betas_zero_snr=true prediction_type=\"v_prediction\"";
    assertThat(read(with("EulerDiscreteScheduler", keys)).schedule().alphasCumprod(999))
        .isCloseTo(Math.pow(2, -24), within(1e-15));
    assertThat(read(with("DDIMScheduler", keys)).schedule().alphasCumprod(999)).isZero();
  }

  @Test
  void aFileOfPipelinesWhoseSchedulerWasExchangedIsRead() throws IOException {
    // diffusers carries along what the scheduler before knew, and names what nobody chose.
    ObjectNode json =
        with(
            "DEISMultistepScheduler",
            "clip_sample=true set_alpha_to_one=false skip_prk_steps=true steps_offset=1"
                + " algorithm_type=\"dpmsolver++\" solver_type=\"midpoint\" solver_order=3"
                + " _use_default_values=[\"solver_order\"] _name_or_path=\"x\"");
    assertThat(read(json)).isEqualTo(read(named("DEISMultistepScheduler")));
  }

  @Test
  void filesOfFormerReleasesAreRead() throws IOException {
    ObjectNode json =
        with(
            "DDPMScheduler",
            "_diffusers_version=\"0.1.1\" timestep_values=null tensor_format=\"pt\""
                + " predict_epsilon=true variance_type=\"fixed_small\" lower_order_final=true");
    assertThat(read(json)).isEqualTo(read(named("DDPMScheduler")));
  }

  /** diffusers 0.42.1 declares these keys and never looks at them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "steps_offset=1",
        "steps_offset=2",
        "steps_offset=3 timestep_spacing=\"trailing\" set_alpha_to_one=false",
        "steps_offset=1000"
      })
  void lcmTakesNoNoticeOfWhereOthersBegin(String keys) throws IOException {
    DiffusersScheduler usual = read(named("LCMScheduler"));
    DiffusersScheduler scheduler = read(with("LCMScheduler", keys));
    assertThat(scheduler).isEqualTo(usual);
    assertThat(JSON.readTree(scheduler.toJson()).get("steps_offset").intValue()).isZero();
  }

  /** diffusers' run ends with more noise than the network was last asked at. */
  @Test
  void eulerCannotEndAboveItsLastLevel() throws IOException {
    String keys = "use_karras_sigmas=true final_sigmas_type=\"sigma_min\" sigma_min=";
    double ofTimestepZero = Math.sqrt(0.0001 / 0.9999);
    DiffusersScheduler below = read(with("EulerDiscreteScheduler", keys + "0.001"));
    for (int steps : new int[] {2, 4, 50}) {
      assertThatThrownBy(() -> below.create(steps))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("(sigma_min) is 0.001, below the 0.0100005000")
          .hasMessageContaining("raise it to that at least, or end at clean images (zero)")
          .hasMessageNotContaining("ewer steps");
    }
    read(with("EulerDiscreteScheduler", keys + ofTimestepZero * 1.001)).create(4);
    read(with("EulerDiscreteScheduler", "use_karras_sigmas=true sigma_min=0.001")).create(4);
  }

  @Test
  void pythonsInfinityIsRead() throws IOException {
    String text =
        "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity}";
    assertThat(DiffusersScheduler.fromJson(text, "the file"))
        .isEqualTo(read(named("DPMSolverMultistepScheduler")));
    assertThatThrownBy(
            () -> DiffusersScheduler.fromJson(text.replace("-Infinity", "Infinity"), "the file"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The least λ is Infinity")
        .hasMessageEndingWith(".");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DDPMScheduler | beta_schedule=\"exp\" | beta_schedule is \"exp\"; supported",
        "DDPMScheduler | thresholding=true sample_max_value=0 | greatest threshold is 0",
        "DDIMScheduler | beta_schedule=\"sigmoid\" | beta_schedule is \"sigmoid\"; supported",
        "DDPMScheduler | variance_type=\"fixed_large_log\" | variance_type",
        "DDPMScheduler | prediction_type=\"flow_prediction\" | prediction_type",
        "DDPMScheduler | timestep_spacing=7 | timestep_spacing is 7",
        "DDPMScheduler | num_train_timesteps=1000000000 | num_train_timesteps is 1000000000",
        "DDPMScheduler | num_train_timesteps=0 | num_train_timesteps is 0",
        "DDPMScheduler | num_train_timesteps=1e400 | num_train_timesteps",
        "DDPMScheduler | num_train_timesteps=2.5 | whole number",
        "DDPMScheduler | beta_end=1.5 | Beta end is 1.5",
        "DDPMScheduler | beta_start=\"a\" | beta_start is \"a\"; it must be a finite number",
        "DDPMScheduler | trained_betas=[0.1,0.2] | trained_betas is a list of 2",
        "DDPMScheduler | trained_betas=[0.1,null] num_train_timesteps=2 | trained_betas has",
        "DDPMScheduler | trained_betas=[0.1,-1] num_train_timesteps=2 | betas[1] is -1",
        "DDPMScheduler | clip_sample=1 | clip_sample is 1; it must be true or false",
        "DDPMScheduler | clip_sample_range=0 | range of clipping is 0",
        "DDPMScheduler | thresholding=true dynamic_thresholding_ratio=2 | quantile",
        "DDPMScheduler | steps_offset=-1 | steps_offset is -1",
        "DDPMScheduler | predict_epsilon=false | predict_epsilon is false; supported is true",
        "DDPMScheduler | noise_offset=0.1 | noise_offset is 0.1, a key that is not known",
        "DPMSolverMultistepScheduler | algorithm_type=\"dpmsolver\" | integrates ε",
        "DPMSolverMultistepScheduler | algorithm_type=\"x\" | algorithm_type is \"x\"; supported",
        "DPMSolverMultistepScheduler | solver_type=\"rk\" | solver_type is \"rk\"; supported are",
        "DPMSolverMultistepScheduler | solver_order=4 | it must be from 1 to 3",
        "DPMSolverMultistepScheduler | euler_at_final=2 | euler_at_final is 2",
        "DPMSolverMultistepScheduler | use_flow_sigmas=true | use_flow_sigmas is true",
        "UniPCMultistepScheduler | use_beta_sigmas=true use_karras_sigmas=true | only one of them",
        "UniPCMultistepScheduler | predict_x0=false | predict_x0 is false; supported is true",
        "UniPCMultistepScheduler | sigma_min=3 sigma_max=2 | from 2.0 down to 3.0",
        "UniPCMultistepScheduler | disable_corrector=[0] | disable_corrector is [0]",
        "EulerDiscreteScheduler | timestep_type=\"log\" | timestep_type is \"log\"; supported are",
        "EulerDiscreteScheduler | interpolation_type=\"cubic\" | interpolation_type is",
        "EulerDiscreteScheduler | interpolation_type=\"log_linear\" use_karras_sigmas=true timestep_spacing=\"leading\" | linspace",
        "EulerDiscreteScheduler | sigma_max=-1 | greatest noise-to-signal ratio is -1",
        "PNDMScheduler | prediction_type=\"sample\" | PNDMScheduler is not for networks",
        "EDMEulerScheduler | prediction_type=\"v_prediction\" | supported is \"epsilon\"",
        "EDMEulerScheduler | sigma_data=1 | sigma_data is 1; supported is 0.5",
        "CMStochasticIterativeScheduler | sigma_min=0.01 | sigma_min is 0.01; supported is 0.002",
        "EDMEulerScheduler | sigma_min=90 | cannot go from 90.0 to 80.0",
        "FlowMatchEulerDiscreteScheduler | shift=0 | shift of the flow is 0",
        "FlowMatchEulerDiscreteScheduler | invert_sigmas=true | supported is false",
        "ScoreSdeVeScheduler | snr=0 | snr is 0.0",
        "ScoreSdeVeScheduler | correct_steps=-1 | correct_steps -1",
        "ScoreSdeVeScheduler | sigma_max=0.001 | cannot go from 0.01 to 0.001",
        "KarrasVeScheduler | sigma_min=200 | sigma_min is 200",
        "KarrasVeScheduler | s_churn=-1 | -1",
        "LCMScheduler | original_inference_steps=1001 | original_inference_steps is 1001, but num_train_timesteps is 1000",
        "LCMScheduler | num_train_timesteps=40 original_inference_steps=41 | original_inference_steps is 41",
        "VQDiffusionScheduler | sigma_max=80 | _class_name is \"VQDiffusionScheduler\"; supported"
      })
  void whatIsNotSupportedIsRefusedByName(String name, String keys, String part) throws IOException {
    ObjectNode json = with(name, keys);
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("the file: ")
        .hasMessageContaining(part)
        .hasMessageEndingWith(".");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[1] | must be an object",
        "{} | _class_name is missing",
        "{\"_class_name\": \"DDPMScheduler\", | not JSON",
        "{\"_class_name\": \"DDPMScheduler\", \"_class_name\": 1} | Duplicate",
        "{\"_class_name\": \"DDPMScheduler\"} {} | not JSON",
        "{\"_class_name\": \"DDPMScheduler\", \"beta_end\": NaN} | beta_end is"
      })
  void whatIsNoSchedulersFileIsRefused(String text, String part) {
    assertThatThrownBy(() -> DiffusersScheduler.fromJson(text, "the file"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("the file")
        .hasMessageContaining(part)
        .hasMessageEndingWith(".");
  }

  /** diffusers refuses more original steps than timesteps, its default of 50 included. */
  @Test
  void lcmOfFewTimestepsIsWrittenAsDiffusersReadsIt() {
    DiffusersScheduler few =
        new DiffusersScheduler(
            LinearSchedule.paper(),
            20,
            Parameterization.EPSILON,
            SamplerConfig.of(SamplerType.LCM),
            X0Clipping.NONE);
    assertThat(SchedulerJson.write(few)).containsEntry("original_inference_steps", 20);
  }

  @Test
  void hostileFilesAreRefused(@TempDir Path folder) throws IOException {
    Path deep = folder.resolve("deep.json");
    Files.writeString(deep, "[".repeat(1_000_000));
    assertThatThrownBy(() -> DiffusersScheduler.read(deep))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("deep.json is not JSON");
    Path large = folder.resolve("large.json");
    Files.writeString(large, " ".repeat(5_000_000));
    assertThatThrownBy(() -> DiffusersScheduler.read(large))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("large.json has more than");
    assertThatThrownBy(() -> DiffusersScheduler.read(folder.resolve("none.json")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("none.json is missing");
  }

  private static DiffusersScheduler linear(
      Parameterization parameterization, SamplerConfig sampler, X0Clipping clipping) {
    return new DiffusersScheduler(
        LinearSchedule.paper(), 1000, parameterization, sampler, clipping);
  }

  @Test
  void whatDiffusersCannotSayIsRefused() {
    Parameterization eps = Parameterization.EPSILON;
    SamplerConfig ddpm = SamplerConfig.of(SamplerType.DDPM);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(Parameterization.MEAN, ddpm, X0Clipping.NONE))
        .withMessageContaining("predict the mean");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(Parameterization.FLOW, ddpm, X0Clipping.NONE))
        .withMessageContaining("DDPMScheduler is not for networks that predict flow");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(eps, FlowConfig.of(SamplerType.FLOW_EULER), X0Clipping.NONE))
        .withMessageContaining("knows the schedule flow alone");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(eps, SamplerConfig.of(SamplerType.LMS), X0Clipping.UNIT))
        .withMessageContaining("LMSDiscreteScheduler does not clip");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(eps, LmsConfig.usual().withOrder(3), X0Clipping.NONE))
        .withMessageContaining("order 4");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> linear(eps, DdimConfig.usual().withEta(0.5), X0Clipping.NONE))
        .withMessageContaining("0.5");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> linear(eps, DdimConfig.usual().withLevels(LevelSpacing.KARRAS), X0Clipping.NONE))
        .withMessageContaining("levels that are karras");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                linear(eps, SamplerConfig.of(SamplerType.DEIS).withEnd(End.CLEAN), X0Clipping.NONE))
        .withMessageContaining("ends at the noise of timestep 0 and nowhere else");
    SamplerConfig singlestep = SamplerConfig.of(SamplerType.DPM_SINGLESTEP);
    linear(eps, singlestep.withSpacing(TimestepSpacing.LINSPACE, 0), X0Clipping.NONE);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> linear(eps, singlestep.withSpacing(TimestepSpacing.TRAILING, 0), X0Clipping.NONE))
        .withMessageContaining(
            "DPMSolverSinglestepScheduler has no timestep_spacing, and its timesteps lie as those of linspace");
  }

  @Test
  void clippingByASolverIsThresholdingUpToOne() throws IOException {
    DiffusersScheduler scheduler =
        linear(Parameterization.EPSILON, SamplerConfig.of(SamplerType.DPM_SOLVER), X0Clipping.UNIT);
    JsonNode json = JSON.readTree(scheduler.toJson());
    assertThat(json.get("thresholding").booleanValue()).isTrue();
    assertThat(json.get("sample_max_value").doubleValue()).isOne();
    assertThat(read((ObjectNode) json)).isEqualTo(scheduler);
  }

  @Test
  void schedulesWithoutANameAreWrittenBetaByBeta() throws IOException {
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            new JsdSchedule(),
            40,
            Parameterization.V,
            SamplerConfig.of(SamplerType.DDPM),
            X0Clipping.UNIT);
    DiffusersScheduler again = DiffusersScheduler.fromJson(scheduler.toJson(), "again");
    assertThat(again.schedule()).isEqualTo(NoiseSchedule.of(new JsdSchedule(), 40));
    assertThat(again.scheduleConfig()).contains(ScheduleConfig.of(ScheduleType.JSD, 40));
    SamplerConfig ddim = SamplerConfig.of(SamplerType.DDIM);
    assertThat(
            new DiffusersScheduler(
                    SigmoidSchedule.paperEnds(), 9, Parameterization.V, ddim, X0Clipping.UNIT)
                .betas())
        .isInstanceOf(TrainedBetas.class);
  }

  @ParameterizedTest
  @EnumSource(ScheduleType.class)
  void aRunsScheduleComesBackByItsName(ScheduleType type) throws IOException {
    for (ScheduleConfig config :
        List.of(ScheduleConfig.of(type, 30), ScheduleConfig.of(type, 30).withZeroTerminalSnr())) {
      DiffusersScheduler written =
          new DiffusersScheduler(
              config.betas(),
              30,
              Parameterization.V,
              SamplerConfig.of(SamplerType.DDIM),
              X0Clipping.NONE);
      DiffusersScheduler read = DiffusersScheduler.fromJson(written.toJson(), "again");
      assertThat(read.scheduleConfig().orElseThrow().create()).isEqualTo(config.create());
    }
  }

  @Test
  void otherBetasHaveNoName() {
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            new TrainedBetas(List.of(0.1, 0.3, 0.2)),
            3,
            Parameterization.EPSILON,
            SamplerConfig.of(SamplerType.DDPM),
            X0Clipping.NONE);
    assertThat(scheduler.scheduleConfig()).isEmpty();
    assertThat(scheduler.withSampler(SamplerConfig.of(SamplerType.EULER), X0Clipping.NONE).betas())
        .isEqualTo(scheduler.betas());
  }
}

package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.run.SamplerConfig;
import org.ddpm4j.diffusion.run.SamplerConfig.End;
import org.ddpm4j.diffusion.run.SamplerType;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Every state of diffusers' schedulers, Heun's and Runge and Kutta's trial states included, from
 * the same noise and the same function for a network. The states are those at which the denoiser is
 * asked; where diffusers keeps x/α, they are divided by α.
 *
 * <p>With the system property {@code ddpm.trajectories}, runs of another file of that format are
 * repeated.
 */
class DiffusersTrajectoryTest {

  /** diffusers computes its tables, and the states of some schedulers, in float32. */
  private static final double RELATIVE_TOLERANCE = 1e-4;

  private static final String OTHER_FILE = "ddpm.trajectories";

  private static final Set<String> KNOWN_KEYS =
      Set.of(
          "beta_start",
          "beta_end",
          "beta_schedule",
          "prediction_type",
          "variance_type",
          "clip_sample",
          "thresholding",
          "timestep_spacing",
          "rescale_betas_zero_snr",
          "solver_order",
          "algorithm_type",
          "use_karras_sigmas",
          "skip_prk_steps",
          "steps_offset",
          "set_alpha_to_one",
          "sample_max_value",
          "final_sigmas_type");

  /** A run, and the noise of its file. */
  record Run(int index, JsonNode json, JsonNode file) {

    @Override
    public String toString() {
      return "%d: %s %s".formatted(index, json.get("scheduler").asText(), json.get("config"));
    }
  }

  static Stream<Run> runs() throws IOException {
    String other = System.getProperty(OTHER_FILE);
    if (other != null) {
      try (InputStream json = Files.newInputStream(Path.of(other))) {
        return runs(json);
      }
    }
    return Stream.concat(resource("sampler_trajectories.json"), resource("more_trajectories.json"));
  }

  private static Stream<Run> resource(String name) throws IOException {
    try (InputStream json = DiffusersTrajectoryTest.class.getResourceAsStream(name)) {
      return runs(json);
    }
  }

  private static Stream<Run> runs(InputStream json) throws IOException {
    JsonNode file = new ObjectMapper().readTree(json);
    JsonNode runs = file.get("runs");
    return IntStream.range(0, runs.size()).mapToObj(i -> new Run(i, runs.get(i), file));
  }

  @Test
  void goldenHoldsEveryKindOfRun() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    for (Run run : resource("sampler_trajectories.json").toList()) {
      counts.merge(run.json().get("scheduler").asText(), 1, Integer::sum);
    }
    assertThat(counts)
        .containsEntry("DDPMScheduler", 36)
        .containsEntry("DDIMScheduler", 36)
        .containsEntry("DPMSolverMultistepScheduler", 18)
        .containsEntry("UniPCMultistepScheduler", 12)
        .containsEntry("PNDMScheduler", 8)
        .containsEntry("HeunDiscreteScheduler", 4)
        .containsEntry("EulerDiscreteScheduler", 8)
        .containsEntry("EulerAncestralDiscreteScheduler", 4)
        .containsEntry("LMSDiscreteScheduler", 4)
        .containsEntry("DEISMultistepScheduler", 4)
        .hasSize(10);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void repeatsTheRun(Run golden) {
    JsonNode run = golden.json();
    String scheduler = run.get("scheduler").asText();
    JsonNode config = run.get("config");
    config.fieldNames().forEachRemaining(key -> assertThat(KNOWN_KEYS).contains(key));
    NoiseSchedule schedule = NoiseSchedule.of(betas(config), 1000);
    Sampler sampler =
        samplerConfig(scheduler, config, run.get("step_args"))
            .create(schedule, run.get("steps").asInt(), constraint(scheduler, config));
    boolean scaled = scheduler.matches("(Euler|EulerAncestral|Heun|LMS)DiscreteScheduler");

    List<double[]> states = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    Denoiser network = new NetworkDenoiser(network(config), parameterization(config), schedule);
    Denoiser recorder =
        (xt, level) -> {
          times.add(level.t());
          states.add(array(scaled ? xt.div(level.alpha()) : xt));
          return network.denoise(xt, level);
        };
    INDArray last =
        sampler.sample(recorder, noise(golden.file()), SamplingObserver.NONE, 1, 1, 2, 4);
    states.add(array(last));

    assertThat(sampler.evaluations()).isEqualTo(times.size());
    double[] expectedTimes = doubles(run.get("timesteps"));
    JsonNode expected = run.get("states");
    assertThat(states).hasSize(expected.size() + 1);
    double worst = 0;
    for (int step = 0; step < expected.size(); step++) {
      worst = Math.max(worst, relativeError(states.get(step + 1), doubles(expected.get(step))));
    }
    double worstTime = 0;
    for (int step = 0; step < expectedTimes.length; step++) {
      worstTime = Math.max(worstTime, Math.abs(times.get(step) - expectedTimes[step]));
    }
    assertThat(worst).isLessThan(RELATIVE_TOLERANCE);
    assertThat(worstTime).isLessThan(0.05);
  }

  /**
   * Relative to the largest element of a state, which is also the scale of its rounding errors, or
   * to a hundredth of an image's range where all are smaller than that.
   */
  private static double relativeError(double[] actual, double[] wanted) {
    double largest = Arrays.stream(wanted).map(Math::abs).max().orElseThrow();
    double difference = 0;
    for (int i = 0; i < wanted.length; i++) {
      difference = Math.max(difference, Math.abs(actual[i] - wanted[i]));
    }
    return difference / Math.max(largest, 0.01);
  }

  private static BetaSchedule betas(JsonNode config) {
    double start = config.path("beta_start").asDouble(1e-4);
    double end = config.path("beta_end").asDouble(0.02);
    BetaSchedule betas =
        switch (config.get("beta_schedule").asText()) {
          case "linear" -> new LinearSchedule(start, end);
          case "scaled_linear" -> new QuadraticSchedule(start, end);
          case "squaredcos_cap_v2" -> CosineSchedule.paper();
          default -> throw new IllegalArgumentException(config.toString());
        };
    return config.path("rescale_betas_zero_snr").asBoolean()
        ? new ZeroTerminalSnrSchedule(betas)
        : betas;
  }

  private static SamplerConfig samplerConfig(String scheduler, JsonNode config, JsonNode step) {
    boolean sde = config.path("algorithm_type").asText().startsWith("sde-");
    SamplerType type =
        switch (scheduler) {
          case "DDPMScheduler" -> SamplerType.DDPM;
          case "DDIMScheduler" -> SamplerType.DDIM;
          case "DPMSolverMultistepScheduler" ->
              sde ? SamplerType.DPM_SOLVER_SDE : SamplerType.DPM_SOLVER;
          case "UniPCMultistepScheduler" -> SamplerType.UNIPC;
          case "PNDMScheduler" ->
              config.path("skip_prk_steps").asBoolean() ? SamplerType.PLMS : SamplerType.PNDM;
          case "HeunDiscreteScheduler" -> SamplerType.HEUN;
          case "EulerDiscreteScheduler" -> SamplerType.EULER;
          case "EulerAncestralDiscreteScheduler" -> SamplerType.EULER_ANCESTRAL;
          case "LMSDiscreteScheduler" -> SamplerType.LMS;
          case "DEISMultistepScheduler" -> SamplerType.DEIS;
          default -> throw new IllegalArgumentException(scheduler);
        };
    TimestepSpacing spacing =
        switch (config.path("timestep_spacing").asText()) {
          case "leading" -> TimestepSpacing.LEADING;
          case "trailing" -> TimestepSpacing.TRAILING;
          case "linspace" -> TimestepSpacing.LINSPACE;
          default -> type == SamplerType.DDPM ? TimestepSpacing.LEADING : null;
        };
    ReverseVariance variance =
        switch (config.path("variance_type").asText()) {
          case "fixed_large" -> ReverseVariance.BETA;
          case "learned_range" -> ReverseVariance.LEARNED;
          default -> ReverseVariance.POSTERIOR;
        };
    Integer order = type == SamplerType.LMS && step.has("order") ? step.get("order").asInt() : null;
    return new SamplerConfig(
        type,
        spacing,
        config.path("steps_offset").asInt(),
        config.path("use_karras_sigmas").asBoolean(),
        config.has("solver_order") ? Integer.valueOf(config.get("solver_order").asInt()) : order,
        step.has("eta") ? Double.valueOf(step.get("eta").asDouble()) : null,
        type == SamplerType.DDPM ? variance : null,
        end(scheduler, config),
        Convention.DIFFUSERS);
  }

  private static End end(String scheduler, JsonNode config) {
    boolean endsClean =
        switch (scheduler) {
          case "DDPMScheduler" -> true;
          case "DDIMScheduler" -> config.path("set_alpha_to_one").asBoolean(true);
          case "PNDMScheduler" -> config.path("set_alpha_to_one").asBoolean(false);
          case "DEISMultistepScheduler" -> false;
          default -> !config.path("final_sigmas_type").asText("zero").equals("sigma_min");
        };
    return endsClean ? null : End.FIRST_TIMESTEP;
  }

  private static X0Constraint constraint(String scheduler, JsonNode config) {
    if (config.path("thresholding").asBoolean()) {
      return X0Constraint.dynamicThreshold(0.995, config.path("sample_max_value").asDouble(1));
    }
    boolean clipsUnlessTold = scheduler.matches("DD[PI]MScheduler");
    return config.path("clip_sample").asBoolean(clipsUnlessTold)
        ? X0Constraint.clip(-1, 1)
        : X0Constraint.NONE;
  }

  private static Parameterization parameterization(JsonNode config) {
    return switch (config.path("prediction_type").asText("epsilon")) {
      case "epsilon" -> Parameterization.EPSILON;
      case "sample" -> Parameterization.X0;
      case "v_prediction" -> Parameterization.V;
      default -> throw new IllegalArgumentException(config.toString());
    };
  }

  private static Network network(JsonNode config) {
    boolean learned = config.path("variance_type").asText().equals("learned_range");
    return (x, t) -> {
      INDArray tanh = Transforms.tanh(x);
      INDArray answer = tanh.mul(0.5).addi(0.1 * Math.sin(t.getDouble(0) / 50));
      return learned ? Nd4j.concat(1, answer, tanh) : answer;
    };
  }

  /** x_T first, then the file's noise in its order. */
  private static NoiseSource noise(JsonNode file) {
    int[] draws = {0};
    return (step, shape) -> {
      JsonNode draw = draws[0] == 0 ? file.get("x_T") : file.get("noise").get(draws[0] - 1);
      draws[0]++;
      return Nd4j.createFromArray(doubles(draw)).reshape('c', shape);
    };
  }

  private static double[] array(INDArray x) {
    return x.dup('c').data().asDouble();
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }
}

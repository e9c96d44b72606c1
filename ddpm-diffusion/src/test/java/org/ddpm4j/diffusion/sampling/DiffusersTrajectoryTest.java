package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.NoiseSchedule;
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
    return Stream.of(
            "sampler_trajectories.json",
            "more_trajectories.json",
            "option_trajectories.json",
            "scheduler_trajectories.json",
            "flow_trajectories.json",
            "edm_trajectories.json",
            "consistency_trajectories.json",
            "ipndm_trajectories.json",
            "short_trajectories.json")
        .flatMap(DiffusersTrajectoryTest::resource);
  }

  private static Stream<Run> resource(String name) {
    try (InputStream json = DiffusersTrajectoryTest.class.getResourceAsStream(name)) {
      return runs(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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

  @Test
  void goldenHoldsEveryOption() {
    List<String> configs =
        resource("option_trajectories.json")
            .map(run -> run.json().get("config").toString())
            .toList();
    assertThat(configs).hasSize(117);
    for (String option :
        List.of(
            "\"lower_order_final\":false",
            "\"euler_at_final\":true",
            "\"algorithm_type\":\"dpmsolver\"",
            "\"algorithm_type\":\"sde-dpmsolver\"",
            "\"solver_type\":\"heun\"",
            "\"solver_type\":\"bh1\"",
            "\"use_exponential_sigmas\":true",
            "\"use_beta_sigmas\":true",
            "\"use_lu_lambdas\":true",
            "\"sigma_max\":700",
            "\"timestep_type\":\"continuous\"",
            "\"interpolation_type\":\"log_linear\"",
            "\"lambda_min_clipped\":-5.1",
            "\"beta_schedule\":\"laplace\"",
            "\"beta_schedule\":\"exp\"",
            "\"sample_max_value\":0.5")) {
      assertThat(configs).as(option).anyMatch(config -> config.contains(option));
    }
  }

  @Test
  void goldenHoldsFurtherSchedulers() {
    Map<String, Integer> counts = new TreeMap<>();
    resource("scheduler_trajectories.json")
        .forEach(run -> counts.merge(run.json().get("scheduler").asText(), 1, Integer::sum));
    assertThat(counts)
        .containsEntry("DPMSolverSinglestepScheduler", 57)
        .containsEntry("KDPM2DiscreteScheduler", 14)
        .containsEntry("KDPM2AncestralDiscreteScheduler", 14)
        .containsEntry("LCMScheduler", 11)
        .containsEntry("SASolverScheduler", 19)
        .hasSize(5);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void repeatsTheRun(Run golden) throws IOException {
    JsonNode run = golden.json();
    String className = run.get("scheduler").asText();
    ObjectNode config = ((ObjectNode) run.get("config")).deepCopy().put("_class_name", className);
    DiffusersScheduler scheduler = DiffusersScheduler.fromJson(config.toString(), "the run");
    NoiseSchedule schedule = scheduler.schedule();
    Sampler sampler =
        samplerConfig(scheduler, run.get("step_args"))
            .create(schedule, run.get("steps").asInt(), scheduler.clipping().constraint());
    boolean scaled =
        className.matches(
            "EDM.*|CMStochasticIterativeScheduler|(Euler|EulerAncestral|Heun|LMS|KDPM2|KDPM2Ancestral)DiscreteScheduler");

    List<double[]> states = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    Denoiser network = new NetworkDenoiser(network(config), scheduler.parameterization(), schedule);
    Denoiser recorder =
        (xt, level) -> {
          times.add(scheduler.parameterization().time(schedule, level));
          double factor =
              scaled ? 1 / level.alpha() : scheduler.parameterization().inputFactor(level);
          states.add(array(xt.mul(factor)));
          return network.denoise(xt, level);
        };
    INDArray last =
        sampler.sample(recorder, noise(golden.file()), SamplingObserver.NONE, 1, 1, 2, 4);
    // diffusers leaves x/α where some noise is left at the end, too.
    states.add(array(scaled ? last.div(endOf(sampler).alpha()) : last));

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
    // Those of IPNDM are parts of a quarter turn.
    assertThat(worstTime).isLessThan(className.equals("IPNDMScheduler") ? 1e-6 : 0.05);
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

  private static NoiseLevel endOf(Sampler sampler) {
    NoiseLevels levels = ((NoiseLevelsSampler) sampler).levels();
    return levels.levels().get(levels.steps());
  }

  /** With what is not in a file, but told to {@code step}. */
  private static SamplerConfig samplerConfig(DiffusersScheduler scheduler, JsonNode step) {
    SamplerConfig config = scheduler.sampler();
    if (step.has("order")) {
      config = config.withOrder(step.get("order").asInt());
    }
    return step.has("eta") ? config.withEta(step.get("eta").asDouble()) : config;
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

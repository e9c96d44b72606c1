package org.ddpm4j.diffusion.editing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Every state of diffusers' runs, which {@code bench/make_editing_fixtures.py} wrote. */
class DiffusersEditingTest {

  private static final JsonNode FILE = read();

  private static JsonNode read() {
    try (InputStream json = DiffusersEditingTest.class.getResourceAsStream("editing.json")) {
      return new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static Stream<JsonNode> runs(String name) {
    return StreamSupport.stream(FILE.get(name).spliterator(), false);
  }

  static Stream<JsonNode> resampling() {
    return runs("resampling");
  }

  static Stream<JsonNode> repaint() {
    return runs("repaint");
  }

  static Stream<JsonNode> repaintOfPaper() {
    return runs("repaint_of_paper");
  }

  static Stream<JsonNode> inversion() {
    return runs("inversion");
  }

  static Stream<JsonNode> imageToImage() {
    return runs("image_to_image");
  }

  @Test
  void goldenHoldsRunsOfEveryKind() {
    assertThat(resampling()).hasSize(6);
    assertThat(repaint()).hasSize(4);
    assertThat(repaintOfPaper()).hasSize(4);
    assertThat(inversion()).hasSize(4);
    assertThat(imageToImage()).hasSize(32);
  }

  @ParameterizedTest
  @MethodSource("resampling")
  void visitsTheSameTimesteps(JsonNode run) {
    int[] visited = resampling(run).timesteps(run.get("steps").asInt());
    assertThat(Arrays.copyOf(visited, visited.length - 1))
        .containsExactly(
            Arrays.stream(doubles(run.get("timesteps"))).mapToInt(t -> (int) t).toArray());
    assertThat(visited[visited.length - 1]).isEqualTo(-1);
  }

  private static Resampling resampling(JsonNode run) {
    return new Resampling(run.get("jump_length").asInt(), run.get("resamplings").asInt());
  }

  @ParameterizedTest
  @MethodSource("repaint")
  void repaintsAlike(JsonNode run) {
    int chain = run.get("chain").asInt();
    int steps = run.get("steps").asInt();
    NoiseSchedule schedule = NoiseSchedule.of(new LinearSchedule(1e-4, 0.02), chain);
    int[] kept = new int[steps];
    Arrays.setAll(kept, i -> i * (chain / steps));
    RepaintSampler sampler =
        new RepaintSampler(
            new AncestralSampler(
                schedule.respace(kept), ReverseVariance.POSTERIOR, X0Constraint.NONE),
            resampling(run),
            array(FILE.get("image")),
            array(FILE.get("mask")));
    assertStatesOnTheWayDown(sampler, network(schedule), run, 1e-4);
  }

  /** What diffusers has not, by the formulas: learned variances, clipping, uneven timesteps. */
  @ParameterizedTest
  @MethodSource("repaintOfPaper")
  void repaintsAsThePaper(JsonNode run) {
    NoiseSchedule schedule =
        NoiseSchedule.of(new LinearSchedule(1e-4, 0.02), run.get("chain").asInt());
    int[] kept = Arrays.stream(doubles(run.get("kept"))).mapToInt(t -> (int) t).toArray();
    ReverseVariance variance =
        ReverseVariance.valueOf(run.get("variance").asText().toUpperCase(Locale.ROOT));
    X0Constraint constraint =
        run.get("clip").asBoolean() ? X0Constraint.clip(-1, 1) : X0Constraint.NONE;
    RepaintSampler sampler =
        new RepaintSampler(
            new AncestralSampler(schedule.respace(kept), variance, constraint),
            resampling(run),
            array(FILE.get("image")),
            array(FILE.get("mask")));
    Denoiser network = network(schedule);
    Denoiser learned =
        (xt, level) -> {
          Denoiser.Estimate estimate = network.denoise(xt, level);
          return new Denoiser.Estimate(
              estimate.x0(), estimate.eps(), Optional.of(Transforms.sin(xt.mul(3))));
        };
    assertStatesOnTheWayDown(sampler, learned, run, 1e-8);
  }

  private static void assertStatesOnTheWayDown(
      RepaintSampler sampler, Denoiser denoiser, JsonNode run, double error) {
    JsonNode noise = run.get("noise");
    JsonNode expected = run.get("states");
    int moves = expected.size();
    NoiseSource source = (step, shape) -> array(noise.get(moves - (int) step));
    int[] timesteps = sampler.resampling().timesteps(sampler.chain().steps());
    assertThat(timesteps).hasSize(moves + 1);
    List<INDArray> states = new ArrayList<>();
    sampler.sample(denoiser, source, (done, x, x0) -> states.add(x.dup()), 1, 1, 2, 4);

    assertThat(states).hasSize(sampler.steps());
    int told = 0;
    for (int k = 1; k < timesteps.length; k++) {
      if (timesteps[k] < timesteps[k - 1]) {
        assertClose(states.get(told++), expected.get(k - 1), error);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("inversion")
  void invertsAlike(JsonNode run) {
    NoiseSchedule schedule = schedule(run.get("config"));
    DdimInversion inversion =
        new DdimInversion(
            NoiseLevels.of(schedule, TimestepSpacing.LEADING, run.get("steps").asInt()));
    List<INDArray> states = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    Denoiser network = network(schedule);
    inversion.invert(
        (xt, level) -> {
          times.add(level.t());
          return network.denoise(xt, level);
        },
        array(FILE.get("image")),
        (done, x, x0) -> states.add(x));
    assertThat(times.stream().mapToDouble(t -> t)).containsExactly(wrap(run.get("timesteps")));
    assertStates(states, run.get("states"));
  }

  @ParameterizedTest
  @MethodSource("imageToImage")
  void drawsFromAnImageAlike(JsonNode run) {
    JsonNode config = run.get("config");
    NoiseSchedule schedule = schedule(config);
    boolean ddim = run.get("scheduler").asText().equals("DDIMScheduler");
    SamplerConfig sampler =
        (ddim
                ? DdimConfig.usual()
                : SamplerConfig.of(SamplerType.DPM_SOLVER)
                    .withOrder(config.get("solver_order").asInt()))
            .withConvention(Convention.DIFFUSERS);
    Part part = Part.ofStrength(run.get("steps").asInt(), run.get("strength").asDouble());
    ImageToImageSampler edited =
        new ImageToImageSampler(
            sampler.create(schedule, part, X0Constraint.NONE), array(FILE.get("image")));
    List<INDArray> states = new ArrayList<>();
    List<Double> times = new ArrayList<>();
    Denoiser network = network(schedule);
    edited.sample(
        (xt, level) -> {
          if (times.isEmpty()) {
            states.add(xt.dup());
          }
          times.add(level.t());
          return network.denoise(xt, level);
        },
        (step, shape) -> array(run.get("noise")),
        (done, x, x0) -> states.add(x),
        1,
        1,
        2,
        4);
    assertThat(edited.steps()).isEqualTo(times.size());
    assertThat(times.stream().mapToDouble(t -> t)).containsExactly(wrap(run.get("timesteps")));
    assertStates(states, run.get("states"));
  }

  private static Double[] wrap(JsonNode array) {
    return Arrays.stream(doubles(array)).boxed().toArray(Double[]::new);
  }

  private static NoiseSchedule schedule(JsonNode config) {
    double start = config.get("beta_start").asDouble();
    double end = config.get("beta_end").asDouble();
    return NoiseSchedule.of(
        config.get("beta_schedule").asText().equals("linear")
            ? new LinearSchedule(start, end)
            : new QuadraticSchedule(start, end),
        1000);
  }

  private static Denoiser network(NoiseSchedule schedule) {
    return new NetworkDenoiser(
        (x, t) -> Transforms.tanh(x).mul(0.5).addi(0.1 * Math.sin(t.getDouble(0) / 50)),
        Parameterization.EPSILON,
        schedule);
  }

  private static void assertStates(List<INDArray> states, JsonNode expected) {
    assertThat(states).hasSize(expected.size());
    for (int k = 0; k < states.size(); k++) {
      assertClose(states.get(k), expected.get(k), 1e-4);
    }
  }

  /** diffusers computes its tables in float32, and the file has nine digits. */
  private static void assertClose(INDArray state, JsonNode expected, double error) {
    double[] wanted = doubles(expected);
    double largest = Arrays.stream(wanted).map(Math::abs).max().orElseThrow();
    double[] actual = state.dup('c').data().asDouble();
    for (int i = 0; i < wanted.length; i++) {
      assertThat(Math.abs(actual[i] - wanted[i])).isLessThan(error * largest);
    }
  }

  private static INDArray array(JsonNode numbers) {
    return Nd4j.createFromArray(doubles(numbers)).reshape('c', 1, 1, 2, 4);
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }
}

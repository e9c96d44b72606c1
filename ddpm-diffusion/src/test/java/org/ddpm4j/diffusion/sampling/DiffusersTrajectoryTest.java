package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Every state of diffusers' DDPMScheduler, from the same noise and the same function for a network;
 * see extract_trajectories.py beside ancestral.json.
 */
class DiffusersTrajectoryTest {

  private static final double RELATIVE_TOLERANCE = 1e-4;

  private static JsonNode golden;

  @BeforeAll
  static void readGolden() throws IOException {
    try (InputStream json = DiffusersTrajectoryTest.class.getResourceAsStream("ancestral.json")) {
      golden = new ObjectMapper().readTree(json);
    }
  }

  static Stream<Integer> runs() throws IOException {
    readGolden();
    return Stream.iterate(0, i -> i < golden.get("runs").size(), i -> i + 1);
  }

  @Test
  void goldenHoldsEveryKindOfRun() {
    List<String> kinds = new ArrayList<>();
    for (JsonNode run : golden.get("runs")) {
      kinds.add(run.get("beta_schedule").asText());
      kinds.add(run.get("variance_type").asText());
      kinds.add("clip " + run.get("clip_sample").asBoolean());
      kinds.add(run.get("timesteps").size() + " steps");
    }
    assertThat(kinds)
        .contains("linear", "squaredcos_cap_v2", "fixed_small", "fixed_large")
        .contains("clip true", "clip false", "10 steps", "50 steps")
        .hasSize(4 * 20);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void repeatsTheRun(int index) {
    JsonNode run = golden.get("runs").get(index);
    BetaSchedule betas =
        run.get("beta_schedule").asText().equals("linear")
            ? LinearSchedule.paper()
            : CosineSchedule.paper();
    NoiseSchedule schedule = NoiseSchedule.of(betas, 1000);
    double[] descending = doubles(run.get("timesteps"));
    int[] kept = new int[descending.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = (int) descending[kept.length - 1 - i];
    }
    AncestralSampler sampler =
        new AncestralSampler(
            schedule.respace(kept),
            run.get("variance_type").asText().equals("fixed_small")
                ? ReverseVariance.POSTERIOR
                : ReverseVariance.BETA,
            run.get("clip_sample").asBoolean() ? X0Constraint.clip(-1, 1) : X0Constraint.NONE);
    Network network =
        (x, t) -> Transforms.tanh(x).muli(0.5).addi(0.1 * Math.sin(t.getDouble(0) / 50));
    int[] draws = {0};
    // x_T first, then the file's noise in its order.
    NoiseSource noise =
        (step, shape) -> {
          JsonNode draw = draws[0] == 0 ? golden.get("x_T") : golden.get("noise").get(draws[0] - 1);
          draws[0]++;
          return Nd4j.createFromArray(doubles(draw)).reshape('c', shape);
        };
    List<INDArray> states = new ArrayList<>();
    sampler.sample(
        new NetworkDenoiser(network, Parameterization.EPSILON, schedule),
        noise,
        (done, x, x0) -> states.add(x),
        1,
        1,
        2,
        4);

    JsonNode expected = run.get("states");
    assertThat(states).hasSize(expected.size());
    for (int step = 0; step < states.size(); step++) {
      double[] wanted = doubles(expected.get(step));
      double[] actual = states.get(step).dup('c').data().asDouble();
      for (int i = 0; i < wanted.length; i++) {
        assertThat(actual[i])
            .as("run %d, step %d, element %d", index, step, i)
            .isCloseTo(wanted[i], within(RELATIVE_TOLERANCE * Math.max(1, Math.abs(wanted[i]))));
      }
    }
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }
}

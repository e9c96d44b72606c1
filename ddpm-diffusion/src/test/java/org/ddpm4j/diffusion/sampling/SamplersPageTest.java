package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;

/** What docs/samplers.md says in numbers is what the code does. */
class SamplersPageTest {

  private static final Path PAGE = Path.of("..", "docs", "samplers.md");
  private static final int STEPS = 20;

  /** The rows of the first table by the sampler's name, without the cells' spaces. */
  private static Map<String, String[]> rows() throws IOException {
    Map<String, String[]> rows = new TreeMap<>();
    Pattern row = Pattern.compile("\\| `([^`]+)` \\|.*\\| [^|]*S[^|]* \\|.*\\|.*\\|");
    for (String line : Files.readAllLines(PAGE)) {
      String[] cells = line.split("\\s*\\|\\s*");
      if (row.matcher(line).matches() && cells.length >= 7) {
        rows.putIfAbsent(cells[1].replace("`", ""), cells);
      }
    }
    return rows;
  }

  /** Of {@code S}, {@code S + 9}, {@code 2S − 1} and the like. */
  private static int calls(String formula) {
    Matcher matcher =
        Pattern.compile("(\\d*)S([+-]\\d+)?")
            .matcher(formula.replace(" ", "").replace('\u2212', '-'));
    assertThat(matcher.matches()).as(formula).isTrue();
    int factor = matcher.group(1).isEmpty() ? 1 : Integer.parseInt(matcher.group(1));
    return factor * STEPS + (matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2)));
  }

  @Test
  void theTableHasAllSamplersTheirCallsAndTheirOrders() throws IOException {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    Map<String, String[]> rows = rows();

    for (SamplerType type : SamplerType.values()) {
      assertThat(rows).containsKey(type.toString());
      String[] cells = rows.get(type.toString());
      SamplerConfig config = SamplerConfig.of(type);
      assertThat(calls(cells[5]))
          .as("calls of %s", type)
          .isEqualTo(config.create(schedule, STEPS, X0Constraint.NONE).evaluations());
      Matcher usual = Pattern.compile("\\*\\*(\\d)\\*\\*").matcher(cells[4]);
      if (config instanceof SamplerConfig.Ordered ordered) {
        assertThat(usual.find()).as("order of %s", type).isTrue();
        assertThat(ordered.order()).as("%s", type).isEqualTo(Integer.parseInt(usual.group(1)));
      } else {
        assertThat(usual.find()).as("order of %s", type).isFalse();
      }
    }
  }

  /** The parts that the page counts add up to all of them. */
  @Test
  void thePageCountsTheRunsOfDiffusers() throws IOException {
    Map<String, String> words =
        Map.of(
            "sampler", "%d that were given",
            "more", "%d with further options",
            "option", "%d with those that few files ask for",
            "scheduler", "%d of singlestep DPM-Solver",
            "flow", "%d of rectified flows",
            "consistency", "%d of consistency models",
            "edm", "%d with the preconditioning",
            "ipndm", "%d of iPNDM",
            "short", "%d of one to five steps");
    String page = Files.readString(PAGE);
    int all = 0;
    for (Map.Entry<String, String> part : words.entrySet()) {
      String file = part.getKey() + "_trajectories.json";
      try (InputStream json = SamplersPageTest.class.getResourceAsStream(file)) {
        int runs = new ObjectMapper().readTree(json).get("runs").size();
        assertThat(page).contains(part.getValue().formatted(runs));
        all += runs;
      }
    }
    assertThat(page).contains("repeats %d runs".formatted(all));
  }

  @Test
  void thePageNamesTheSamplersOfTheSpacingLeading() throws IOException {
    List<String> leading = new ArrayList<>();
    for (SamplerType type : SamplerType.values()) {
      SamplerConfig config = SamplerConfig.of(type);
      if (config.spacing() == TimestepSpacing.LEADING
          && !(config instanceof SamplerConfig.OwnTimes)) {
        leading.add("`" + type + "`");
      }
    }
    String names =
        String.join(", ", leading.subList(0, leading.size() - 1))
            + " and "
            + leading.get(leading.size() - 1);
    assertThat(Files.readString(PAGE)).contains(names + " take `leading`");
  }
}

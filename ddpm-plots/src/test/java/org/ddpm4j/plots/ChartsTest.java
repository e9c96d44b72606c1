package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What can be told of pictures without looking at them. */
class ChartsTest {

  private static final Color FIRST = Palette.DISTINCT.color(0, 2);
  private static final Color SECOND = Palette.DISTINCT.color(1, 2);

  private static final Series RISING = Series.overIndices("rising", new double[] {0, 1, 2, 3});
  private static final Series FALLING = Series.overIndices("falling", new double[] {3, 2, 1, 0});

  private static long pixels(BufferedImage picture, Color color) {
    return IntStream.range(0, picture.getWidth() * picture.getHeight())
        .filter(
            i ->
                new Color(picture.getRGB(i % picture.getWidth(), i / picture.getWidth()))
                    .equals(color))
        .count();
  }

  @Test
  void everySeriesIsDrawnInItsColor() {
    BufferedImage picture = LineChart.of("two", List.of(RISING, FALLING)).draw();

    assertThat(picture.getWidth()).isEqualTo(2 * 640);
    assertThat(picture.getHeight()).isEqualTo(2 * 360);
    assertThat(pixels(picture, FIRST)).isGreaterThan(1000);
    assertThat(pixels(picture, SECOND)).isGreaterThan(1000);
    assertThat(pixels(picture, Color.WHITE)).isGreaterThan(500_000);
  }

  @Test
  void theLegendAppearsWithTheSecondSeries() {
    // Where the legend is, one series has its plot and no white.
    BufferedImage one = LineChart.of("", List.of(RISING)).draw();
    BufferedImage two = LineChart.of("", List.of(RISING, FALLING)).draw();

    assertThat(pixels(one.getSubimage(1180, 0, 60, 700), FIRST)).isPositive();
    assertThat(pixels(two.getSubimage(1180, 0, 60, 300), FIRST)).isZero();
  }

  @Test
  void dashesCoverPartOfTheLine() {
    double[] straight = new double[2000];
    Series dense = Series.overIndices("line", straight);
    Map<LineStyle, Long> covered = new LinkedHashMap<>();
    for (LineStyle style : List.of(LineStyle.SOLID, LineStyle.DASHED, LineStyle.DOTTED)) {
      covered.put(style, pixels(LineChart.of("", List.of(dense.drawn(style))).draw(), FIRST));
    }

    assertThat(covered.get(LineStyle.DASHED))
        .isBetween(covered.get(LineStyle.SOLID) / 2, covered.get(LineStyle.SOLID) * 3 / 4);
    assertThat(covered.get(LineStyle.DOTTED))
        .isBetween(covered.get(LineStyle.SOLID) / 10, covered.get(LineStyle.SOLID) / 2);
  }

  @Test
  void theReferenceIsBlackAndTakesNoColor() {
    BufferedImage picture =
        LineChart.of("", List.of(FALLING.drawn(LineStyle.REFERENCE), RISING)).draw();

    assertThat(pixels(picture, Color.BLACK)).isGreaterThan(500);
    assertThat(pixels(picture, FIRST)).isGreaterThan(1000);
    assertThat(pixels(picture, SECOND)).isZero();
  }

  @Test
  void colorsRepeatAsDashesAndSequencesDoNot() {
    List<Series> nine =
        IntStream.range(0, 9)
            .mapToObj(i -> Series.overIndices("s" + i, new double[] {i, i + 1}))
            .toList();

    assertThat(Palette.DISTINCT.color(7, 9)).isEqualTo(FIRST);
    assertThat(IntStream.range(0, 9).mapToObj(i -> Palette.SEQUENTIAL.color(i, 9)))
        .doesNotHaveDuplicates();
    BufferedImage picture =
        LineChart.of("", nine).withPalette(Palette.SEQUENTIAL).withSize(700, 300).draw();
    for (int i = 0; i < 9; i++) {
      assertThat(pixels(picture, Palette.SEQUENTIAL.color(i, 9))).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyStyleDrawsEveryShape(LineStyle style) {
    for (double[] y :
        new double[][] {
          {1},
          {0},
          {Double.NaN},
          {1, 1},
          {1, Double.NaN, 3},
          {1, 1 + 1e-15},
          {1e-44, 1},
          {Double.NEGATIVE_INFINITY, 2, Double.POSITIVE_INFINITY},
          {1e300, -1e300},
          {5e-324, 1e-300},
        }) {
      for (Axis axis :
          List.of(
              Axis.linear("y"),
              Axis.logarithmic("y"),
              Axis.logarithmic("y").withRange(0.2, 0.5),
              Axis.linear("y").withRange(0, Double.NaN))) {
        Series series = Series.overIndices("s", y).drawn(style);
        LineChart chart = LineChart.of("t", List.of(series, RISING)).withSize(240, 160);
        assertThat(chart.withAxes(Axis.linear("x"), axis).draw()).isNotNull();
        assertThat(chart.withAxes(Axis.logarithmic("x"), axis).draw()).isNotNull();
      }
    }
  }

  @Test
  void whatLiesOutsideAFixedRangeIsNotDrawn() {
    BufferedImage picture =
        LineChart.of("", List.of(RISING))
            .withAxes(Axis.linear(""), Axis.linear("").withRange(10, 20))
            .draw();

    assertThat(pixels(picture, FIRST)).isZero();
  }

  @Test
  void linesBetweenTheDecadesAreAsLongAsThoseOfTheDecades() {
    BufferedImage picture =
        LineChart.of("", List.of(Series.overIndices("loss", new double[] {1, 0.05, 0.02})))
            .withAxes(Axis.linear("step"), Axis.logarithmic("loss"))
            .draw();

    // The edges of the decades' lines have the color of the others, or nearly.
    List<int[]> lines =
        IntStream.range(0, picture.getHeight())
            .mapToObj(row -> columns(picture, row, ChartStyle.MINOR_GRID))
            .filter(found -> found.length > picture.getWidth() / 2)
            .toList();
    assertThat(lines.size()).isGreaterThan(10);
    int first = lines.get(0)[0];
    int last = lines.get(0)[lines.get(0).length - 1];
    for (int[] line : lines) {
      assertThat(line[0]).isBetween(first - 2, first + 2);
      assertThat(line[line.length - 1]).isBetween(last - 2, last + 2);
    }
  }

  private static int[] columns(BufferedImage picture, int row, Color color) {
    return IntStream.range(0, picture.getWidth())
        .filter(column -> new Color(picture.getRGB(column, row)).equals(color))
        .toArray();
  }

  @Test
  void badChartsAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> LineChart.of("", List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LineChart.of("", List.of(RISING, RISING)))
        .withMessageContaining("called rising");
    LineChart chart = LineChart.of("", List.of(RISING));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chart.withSize(10, 400))
        .withMessageContaining("10x400");
    assertThatIllegalArgumentException().isThrownBy(() -> chart.withSize(400, 100_000));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Series.of("s", new double[] {1}, new double[] {1, 2}))
        .withMessageContaining("1 positions and 2 values");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Series.of("s", new double[] {1, 0}, new double[] {1, 2}))
        .withMessageContaining("index 1");
    assertThatIllegalArgumentException().isThrownBy(() -> Series.overIndices("s", new double[0]));
  }

  @Test
  void seriesAreValues() {
    double[] y = {1, 2};
    Series series = Series.overIndices("s", y);
    y[0] = 9;
    series.y()[0] = 9;

    assertThat(series).isEqualTo(Series.overIndices("s", new double[] {1, 2}));
    assertThat(series.hashCode())
        .isEqualTo(Series.overIndices("s", new double[] {1, 2}).hashCode());
    assertThat(series).isNotEqualTo(series.drawn(LineStyle.STEPS));
  }

  @Test
  void barsAreDrawn() {
    Axis axis = Axis.linear("bits/dim");
    BufferedImage picture =
        BarChart.of("targets", List.of("eps", "v"), new double[] {2, 1}, axis).draw();

    // The left bar is twice as high as the right one and as wide.
    long left = pixels(picture.getSubimage(0, 0, 640, 720), FIRST);
    long right = pixels(picture.getSubimage(640, 0, 640, 720), FIRST);
    assertThat((double) left / right).isBetween(1.8, 2.2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BarChart.of("", List.of("a"), new double[] {1, 2}, axis));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BarChart.of("", List.of("a"), new double[] {Double.NaN}, axis));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> BarChart.of("", List.of("a"), new double[] {1}, Axis.logarithmic("bits")));
  }

  @Test
  void namesThatWouldTouchSlope() {
    Axis axis = Axis.linear("bits/dim").withRange(0, 1);
    double[] values = {1, 1, 1, 1};
    List<String> fit = List.of("eps", "v", "x0", "flow");
    List<String> touch = fit.stream().map(name -> name + " with min-SNR weights, 4e-3").toList();

    // Names that slope take height from the bars.
    long besideLying = pixels(BarChart.of("", fit, values, axis).draw(), FIRST);
    long besideSloping = pixels(BarChart.of("", touch, values, axis).draw(), FIRST);
    assertThat((double) besideSloping / besideLying).isBetween(0.3, 0.8);
  }

  @Test
  void panelsKeepTheirPicturesSizes() {
    BufferedImage wide = new BufferedImage(30, 10, BufferedImage.TYPE_INT_RGB);
    BufferedImage high = new BufferedImage(10, 20, BufferedImage.TYPE_INT_RGB);

    BufferedImage row = Panels.grid(List.of(wide, high), 5);
    assertThat(row.getWidth()).isEqualTo(40);
    assertThat(row.getHeight()).isEqualTo(20);
    assertThat(pixels(row, Color.BLACK)).isEqualTo(500);
    BufferedImage grid = Panels.grid(List.of(wide, high, high), 2);
    assertThat(grid.getWidth()).isEqualTo(40);
    assertThat(grid.getHeight()).isEqualTo(40);
    assertThat(pixels(grid, Color.BLACK)).isEqualTo(700);
    assertThatIllegalArgumentException().isThrownBy(() -> Panels.grid(List.of(), 1));
    assertThatIllegalArgumentException().isThrownBy(() -> Panels.grid(List.of(wide), 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 600, 10_000})
  void schedulesOfAnyLengthAreDrawn(int timesteps) {
    for (NoiseSchedule schedule :
        List.of(
            NoiseSchedule.of(LinearSchedule.paper(), timesteps),
            NoiseSchedule.of(new JsdSchedule(), timesteps),
            NoiseSchedule.of(new ConstantSchedule(0.01), timesteps))) {
      assertThat(pixels(ScheduleCharts.overview(schedule, "title"), FIRST)).isPositive();
      assertThat(pixels(ScheduleCharts.constants(schedule), FIRST)).isPositive();
    }
    BufferedImage report =
        ScheduleCharts.report(
            ScheduleDoctor.examine(LinearSchedule.paper(), timesteps, DataRange.pixels()),
            "linear");
    assertThat(pixels(report, Color.BLACK)).isPositive();
    assertThat(pixels(report, SECOND)).isPositive();
  }

  @Test
  void schedulesOfDifferentLengthShareAnAxis() {
    Map<String, NoiseSchedule> schedules = new LinkedHashMap<>();
    schedules.put("linear", NoiseSchedule.of(LinearSchedule.paper(), 1000));
    schedules.put("cosine", NoiseSchedule.of(CosineSchedule.paper(), 1000));
    assertThat(ScheduleCharts.betas(schedules).x().title()).isEqualTo("timestep t");
    assertThat(ScheduleCharts.betas(schedules).series().get(1).y())
        .isEqualTo(schedules.get("cosine").values(ScheduleConstant.BETAS));

    schedules.put("short", NoiseSchedule.of(LinearSchedule.paper(), 10));
    LineChart chart = ScheduleCharts.alphasCumprod(schedules);
    assertThat(chart.x().title()).isEqualTo("t / T");
    assertThat(chart.series().get(2).x()[5]).isEqualTo(0.5);
    assertThat(chart.series().get(0).x()[500]).isEqualTo(0.5);
  }

  @Test
  void wideLossesAreLogarithmic() {
    assertThat(LossChart.of(List.of(Series.overIndices("l", new double[] {1, 0.5}))).y().scale())
        .isEqualTo(Scale.LINEAR);
    LineChart wide =
        LossChart.of(List.of(Series.overIndices("l", new double[] {1, 0.01, 0, Double.NaN})));
    assertThat(wide.y().scale()).isEqualTo(Scale.LOGARITHMIC);
    assertThat(wide.series().get(0).y()).containsExactly(1, 0.01, Double.NaN, Double.NaN);
    assertThat(LossChart.of(List.of(Series.overIndices("l", new double[] {Double.NaN}))).draw())
        .isNotNull();
  }

  @Test
  void densitiesAreComparedWithTheNormalOne() {
    double[] samples = {0, 1, -1, 0.5};
    List<Series> curves =
        IntStream.range(0, 5)
            .mapToObj(i -> KernelDensity.of(samples).curve("step " + i, -4, 3, 50))
            .toList();
    LineChart chart = DensityChart.of("densities", "x", curves);

    assertThat(chart.palette()).isEqualTo(Palette.SEQUENTIAL);
    Series normal = chart.series().get(5);
    assertThat(normal.name()).isEqualTo("N(0,1)");
    assertThat(normal.style()).isEqualTo(LineStyle.REFERENCE);
    assertThat(normal.x()[0]).isEqualTo(-4);
    assertThat(Arrays.stream(normal.y()).max().orElseThrow()).isBetween(0.398, 0.39895);
    assertThat(DensityChart.of("", "x", curves.subList(0, 1)).palette())
        .isEqualTo(Palette.DISTINCT);
  }
}

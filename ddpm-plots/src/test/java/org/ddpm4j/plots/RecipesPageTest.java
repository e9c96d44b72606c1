package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The charts of docs/recipes.md are of the tables on that page. They are drawn anew by {@code mvn
 * -pl ddpm-plots test -Dtest=RecipesPageTest -Dddpm.pictures=$PWD/docs/images}.
 */
class RecipesPageTest {

  private static final Path PAGE = Path.of("..", "docs", "recipes.md");

  /** Of 1,000 real test images, as the page says. */
  private static final double REAL = 0.27;

  @Test
  void theChartsAreOfThePagesTables(@TempDir Path temporary) throws IOException {
    Path folder = Path.of(System.getProperty("ddpm.pictures", temporary.toString()));
    String page = Files.readString(PAGE);
    Map<String, BufferedImage> pictures = new LinkedHashMap<>();
    pictures.put("recipes-study.png", study(page));
    pictures.put("recipes-networks.png", networks(page));
    pictures.put("sampler-distances.png", samplers(page));
    pictures.put("recipes-training.png", training(page));

    assertThat(page).contains("1,000 real test images have " + REAL);
    for (Map.Entry<String, BufferedImage> picture : pictures.entrySet()) {
      assertThat(page).contains("(images/" + picture.getKey() + ")");
      Path file = folder.resolve(picture.getKey());
      assertThat(ImageIO.write(picture.getValue(), "png", file.toFile())).isTrue();
      assertThat(PAGE.resolveSibling("images").resolve(picture.getKey())).exists();
    }
  }

  /** The rows of the table with this heading, without the marks of code and of the best. */
  private static List<String[]> table(String page, String heading) {
    List<String[]> rows =
        page.substring(page.indexOf("\n" + heading + "\n") + 1)
            .lines()
            .takeWhile(line -> line.startsWith("|"))
            .skip(2)
            .map(line -> line.substring(2, line.length() - 2).replaceAll("[*`,]", ""))
            .map(line -> line.split(" \\| "))
            .toList();
    assertThat(page).contains("\n" + heading + "\n");
    assertThat(rows).hasSizeGreaterThan(1);
    return rows;
  }

  private static double[] column(List<String[]> rows, int column) {
    return rows.stream().mapToDouble(row -> Double.parseDouble(row[column])).toArray();
  }

  /** A line of the table may hold several changes, with a distance each. */
  private static BufferedImage study(String page) {
    double[] distances =
        table(page, "| changed | distance |").stream()
            .flatMap(row -> Arrays.stream(row[1].split(" / ")))
            .mapToDouble(Double::parseDouble)
            .toArray();
    List<String> names =
        List.of(
            "nothing",
            "predicts ε",
            "predicts x0, min-SNR",
            "min-SNR",
            "Huber loss",
            "cosine schedule",
            "rate 1e-3",
            "rate 4e-3",
            "batch 32",
            "batch 128",
            "no mirroring",
            "average over 1/50",
            "average over 1/7",
            "cosine decay",
            "told the classes",
            "pixels 16-32-64",
            "pixels 16-32-32",
            "2x2: 24-48",
            "2x2: 48-96",
            "2x2: 64-128",
            "2x2: 64-64",
            "2x2: 96-96",
            "4x4: 96",
            "before");
    return new BarChart(
            "One thing changed at a time",
            names,
            distances,
            Axis.linear("Fréchet distance").withRange(0, 220),
            900,
            460)
        .draw();
  }

  /** Three bars for each network would need a legend: a panel for each sampler needs none. */
  private static BufferedImage networks(String page) {
    List<String[]> rows = table(page, "| network | steps | DDIM 50 | DDPM 50 | DPM-Solver++ 15 |");
    List<String> names =
        List.of("16-32-32", "1 head", "12-24-24", "24-48-48", "2x2: 40-80", "2x2: 48-48");
    assertThat(rows).hasSameSizeAs(names);
    Axis distance = Axis.linear("Fréchet distance").withRange(0, 45);
    List<BufferedImage> panels = new ArrayList<>();
    panels.add(BarChart.of("50 steps of DDIM", names, column(rows, 2), distance).draw());
    panels.add(BarChart.of("50 steps of DDPM", names, column(rows, 3), distance).draw());
    return Panels.grid(panels, 1);
  }

  private static BufferedImage samplers(String page) {
    List<String[]> rows =
        table(page, "| sampler | steps | Fréchet | kernel | precision | recall | coverage |");
    Map<String, List<String[]>> curves = new LinkedHashMap<>();
    rows.forEach(row -> curves.computeIfAbsent(row[0], name -> new ArrayList<>()).add(row));
    List<Series> series = new ArrayList<>();
    curves.forEach(
        (name, points) -> series.add(Series.of(name, column(points, 1), column(points, 2))));
    series.add(real(50));
    return LineChart.of("Distance from real images by steps, the bundled model", series)
        .withAxes(
            Axis.linear("steps").withRange(0, Double.NaN), Axis.logarithmic("Fréchet distance"))
        .withSize(720, 440)
        .draw();
  }

  private static BufferedImage training(String page) {
    List<String[]> rows = table(page, "| steps | Fréchet | precision | recall | coverage |");
    double[] steps = column(rows, 0);
    return LineChart.of(
            "Distance from real images in a training of the default",
            List.of(
                Series.of("samples", steps, column(rows, 1)),
                real(Arrays.stream(steps).max().orElseThrow())))
        .withAxes(
            Axis.linear("steps").withRange(0, Double.NaN), Axis.logarithmic("Fréchet distance"))
        .draw();
  }

  private static Series real(double end) {
    return Series.of("real test images", new double[] {0, end}, new double[] {REAL, REAL})
        .drawn(LineStyle.REFERENCE);
  }
}

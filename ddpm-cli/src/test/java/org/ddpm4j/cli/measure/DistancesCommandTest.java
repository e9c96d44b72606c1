package org.ddpm4j.cli.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DistancesCommandTest {

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;
  private static Path cache;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 30, 8, 5);
    run = shared.resolve("run");
    cache = shared.resolve("cache");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  private Cli.Result distances(String file, Object... args) {
    Stream<Object> places =
        Stream.of("--data", data, "--cache", cache, "--output", folder.resolve(file));
    return Cli.run(Stream.concat(Stream.of(args), places).toArray());
  }

  private JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(folder.resolve(file).toFile());
  }

  @Test
  void measuresARun() throws IOException {
    Cli.Result result =
        distances("a.json", "distances", "--run", run, "--count", 12, "--steps", 2).isOk();

    assertThat(result.out())
        .contains("Compared with 30 images", "samples ", "real test images", "uniform noise")
        .doesNotContain("Compared with 30 images, 30 images");
    JsonNode found = json("a.json");
    assertThat(found.fieldNames())
        .toIterable()
        .containsExactly("samples", "real test images", "uniform noise");
    JsonNode samples = found.get("samples");
    assertThat(samples.get("images").asInt()).isEqualTo(12);
    assertThat(samples.get("reference_images").asInt()).isEqualTo(30);
    for (String figure :
        List.of("frechet_distance", "kernel_distance", "precision", "recall", "density")) {
      assertThat(samples.get(figure).asDouble()).as(figure).isFinite();
    }
    assertThat(found.get("real test images").get("frechet_distance").asDouble())
        .isLessThan(found.get("uniform noise").get("frechet_distance").asDouble());
  }

  /** Features are kept for the images, wherever they were when the features were made. */
  @Test
  void imagesAreSaidToComeFromWhereTheyAre() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 12, "--steps", 2).isOk();
    Path moved = Files.createDirectory(folder.resolve("moved"));
    try (Stream<Path> files = Files.list(data)) {
      for (Path file : files.toList()) {
        Files.copy(file, moved.resolve(file.getFileName()));
      }
    }
    Cli.Result again =
        Cli.run(
                "distances",
                "--run",
                run,
                "--data",
                moved,
                "--cache",
                cache,
                "--count",
                12,
                "--steps",
                2)
            .isOk();
    assertThat(again.err()).doesNotContain("features of the data set");
    assertThat(again.out()).contains(moved.toString()).doesNotContain(data.toString());
  }

  @Test
  void weightsThatAreNotInceptionsAreRefused() {
    Path weights = run.resolve("unet").resolve("diffusion_pytorch_model.safetensors");
    distances("a.json", "distances", "--run", run, "--count", 10, "--inception", weights)
        .isBadInput("does not have the weights of InceptionV3", "There is no fc.weight.");
    assertThat(folder.resolve("a.json")).doesNotExist();
  }

  @Test
  void evaluateWithDistancesIsTheSame() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();
    distances("b.json", "evaluate", "--run", run, "--distances", "--count", 10, "--steps", 2)
        .isOk();

    assertThat(json("b.json")).isEqualTo(json("a.json"));
    assertThat(Cli.run("evaluate", "--help").isOk().out()).contains("--distances");
  }

  /** Images as files are what they were in memory. */
  @Test
  void aFolderOfSamplesIsAsFarAsTheSamples() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 12, "--steps", 2).isOk();
    Path images = folder.resolve("images");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            12,
            "--steps",
            2,
            "--format",
            "png",
            "--output",
            images)
        .isOk();

    distances("b.json", "distances", "--images", images).isOk();

    JsonNode drawn = json("a.json").get("samples");
    JsonNode read = json("b.json").get("images");
    for (String figure : List.of("frechet_distance", "kernel_distance", "density", "coverage")) {
      assertThat(read.get(figure).asDouble())
          .as(figure)
          .isCloseTo(drawn.get(figure).asDouble(), within(1e-6 * drawn.get(figure).asDouble()));
    }
  }

  @Test
  void featuresOfADataSetAreMadeOnce() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();
    List<Path> kept;
    try (Stream<Path> files = Files.list(cache)) {
      kept = files.toList();
    }
    assertThat(kept).hasSize(1);
    FileTime longAgo = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(kept.get(0), longAgo);

    distances("b.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();

    assertThat(Files.getLastModifiedTime(kept.get(0))).isEqualTo(longAgo);
    assertThat(json("b.json")).isEqualTo(json("a.json"));

    Files.writeString(kept.get(0), "damaged");
    Cli.Result anew = distances("c.json", "distances", "--run", run, "--count", 10, "--steps", 2);
    assertThat(anew.code()).isZero();
    assertThat(anew.err()).contains("It is made anew.");
    assertThat(json("c.json")).isEqualTo(json("a.json"));
  }

  @Test
  void samplersHaveCurves() throws IOException {
    Path picture = folder.resolve("curves.png");
    Cli.run(
            "samplers",
            "--distances",
            "--run",
            run,
            "--data",
            data,
            "--cache",
            cache,
            "--count",
            10,
            "--samplers",
            "ddim,euler",
            "--steps",
            "4,2",
            "--output",
            picture)
        .isOk();

    List<String> table = Files.readAllLines(folder.resolve("curves.png.csv"));
    assertThat(table).hasSize(5);
    assertThat(table.get(0)).startsWith("sampler,steps,images,frechet_distance,kernel_distance");
    assertThat(table.get(1)).startsWith("ddim,2,10,");
    assertThat(table.get(4)).startsWith("euler,4,10,");
    assertThat(ImageIO.read(picture.toFile()).getWidth()).isEqualTo(1280);
    distances("a.json", "distances", "--run", run, "--count", 10, "--steps", 2, "--sampler", "ddim")
        .isOk();
    double same = json("a.json").get("samples").get("frechet_distance").asDouble();
    assertThat(Double.parseDouble(table.get(1).split(",")[3])).isCloseTo(same, within(1e-9 * same));
  }

  @Test
  void trainingMeasuresAsItGoes() throws IOException {
    Path measured = folder.resolve("run");
    Object[] often = {"--evaluate-every", 3, "--evaluate-images", 10, "--cache", cache};
    Cli.run(Cli.tinyTraining(data, measured, 7, often)).isOk();

    List<String> table = Files.readAllLines(measured.resolve("distances.csv"));
    assertThat(table).hasSize(4);
    assertThat(table.stream().skip(1).map(row -> row.split(",")[0])).containsExactly("3", "6", "7");
    assertThat(Files.readString(measured.resolve("report.html")))
        .contains("<h2>Distance from real images</h2>");
    double last = Double.parseDouble(table.get(3).split(",")[2]);
    // The same images, of the run's last weights, in as many steps as its chain has.
    distances("a.json", "distances", "--run", measured, "--count", 10).isOk();
    double same = json("a.json").get("samples").get("frechet_distance").asDouble();
    assertThat(last).isCloseTo(same, within(1e-6 * same));
  }

  /** In order: before the last row, before one on the way, between the table and its picture. */
  @ParameterizedTest
  @CsvSource({
    "7, distances.png",
    "6, checkpoints/step-0000007.safetensors distances.png",
    "8, distances.png",
  })
  void aKilledTrainingMeasuresWhatItOwes(int lostFrom, String lost) throws IOException {
    Path killed = folder.resolve("killed");
    Object[] often = {"--evaluate-every", 3, "--evaluate-images", 10, "--cache", cache};
    Object[] training =
        Stream.concat(Stream.of("--checkpoint-every", 3), Stream.of(often)).toArray();
    Cli.run(Cli.tinyTraining(data, killed, 7, training)).isOk();
    List<String> files = List.of("distances.csv", "distances.png");
    List<byte[]> whole = new ArrayList<>();
    for (String file : files) {
      whole.add(Files.readAllBytes(killed.resolve(file)));
    }
    Path table = killed.resolve("distances.csv");
    Files.write(
        table,
        Files.readAllLines(table).stream()
            .filter(row -> row.startsWith("step") || Integer.parseInt(row.split(",")[0]) < lostFrom)
            .toList());
    for (String file : lost.split(" ")) {
      Files.delete(killed.resolve(file));
    }

    Cli.run(
            Stream.concat(Stream.of("train", "--resume", killed, "--data", data), Stream.of(often))
                .toArray())
        .isOk();

    for (int i = 0; i < files.size(); i++) {
      assertThat(killed.resolve(files.get(i))).hasBinaryContent(whole.get(i));
    }
  }

  @Test
  void nearestTrainingImagesStandBesideSamples() throws IOException {
    String out =
        Cli.run(
                "nearest",
                "--run",
                run,
                "--data",
                data,
                "--count",
                20,
                "--steps",
                2,
                "--output",
                folder)
            .isOk()
            .out();

    assertThat(out).contains("pixels    median distance ", "features  median distance ");
    List<String> table = Files.readAllLines(folder.resolve("nearest.csv"));
    assertThat(table).hasSize(1 + 20 + 20);
    assertThat(table.get(0))
        .isEqualTo(
            "kind,image,nearest_by_pixels,distance_by_pixels,nearest_by_features,distance_by_features");
    assertThat(table.get(1)).startsWith("drawn,0,");
    assertThat(table.get(40)).startsWith("test,19,");
    assertThat(table.stream().skip(1).map(row -> Integer.parseInt(row.split(",")[2])))
        .allMatch(nearest -> nearest >= 0 && nearest < 30);
    // Two blocks of three rows: 16 images and 4, eight pixels high and twice enlarged.
    assertThat(ImageIO.read(folder.resolve("nearest.png").toFile()).getHeight())
        .isBetween(6 * 17, 6 * 40);
    assertThat(ImageIO.read(folder.resolve("nearest-distances.png").toFile()).getWidth())
        .isEqualTo(2 * 1280);
  }

  /** Of which images the nearest are numbers of is known by their brightness. */
  @Test
  void whatARunHeldOutOfAFolderIsWhatItHasNotSeen() throws IOException {
    Path photos = Files.createDirectories(folder.resolve("photos"));
    for (int i = 0; i < 14; i++) {
      grey(photos.resolve("%02d.png".formatted(i)), 16 * i);
    }
    Path ofFolder = folder.resolve("run");
    Object[] options = {"--dataset", "folder", "--image-size", 8, "--grayscale"};
    Cli.run(Cli.tinyTraining(photos, ofFolder, 2, options)).isOk();
    Object[] command = {"nearest", "--run", ofFolder, "--data", photos, "--count", 6, "--steps", 2};

    Cli.run(Stream.concat(Stream.of(command), Stream.of("--output", folder)).toArray()).isOk();

    List<String[]> rows =
        Files.readAllLines(folder.resolve("nearest.csv")).stream()
            .skip(1)
            .map(row -> row.split(","))
            .toList();
    assertThat(rows).hasSize(6 + 4);
    assertThat(rows).allMatch(row -> Integer.parseInt(row[2]) < 10);
    // The nearest of the others is one level of grey, 16 of 255, away; two where both neighbours
    // are held out, too. It would be 0 if the held-out images were among those to train on.
    double step = 8 * 16 / 255.0;
    assertThat(rows.stream().filter(row -> row[0].equals("test")).map(row -> row[3]))
        .hasSize(4)
        .allMatch(distance -> Double.parseDouble(distance) > 0.99 * step);

    Path figures = folder.resolve("a.json");
    Cli.run(
            "distances",
            "--run",
            ofFolder,
            "--data",
            photos,
            "--cache",
            folder.resolve("cache"),
            "--count",
            10,
            "--steps",
            2,
            "--output",
            figures)
        .isOk();
    assertThat(json("a.json").get("samples").get("reference_images").asInt()).isEqualTo(10);

    grey(photos.resolve("new.png"), 250);
    Cli.run(command)
        .isBadInput(
            "15 images of the folder",
            "are not the images of the run, which was trained on 10 and held out 4 more",
            "by --data");
  }

  @Test
  void aDataSetOfAFewImagesIsNothingToCompareWith() throws IOException {
    Path photos = Files.createDirectories(folder.resolve("photos"));
    for (int i = 0; i < 5; i++) {
      grey(photos.resolve(i + ".png"), 16 * i);
    }
    Path images = Files.createDirectories(folder.resolve("images"));
    for (int i = 0; i < 10; i++) {
      grey(images.resolve(i + ".png"), 20 * i);
    }
    Path output = folder.resolve("a.json");
    Cli.run(
            "distances",
            "--images",
            images,
            "--dataset",
            "folder",
            "--data",
            photos,
            "--cache",
            folder.resolve("cache"),
            "--output",
            output)
        .isBadInput(
            "5 real images will not do for a comparison (images of the folder", "at least 6");
    assertThat(output).doesNotExist();
  }

  private static void grey(Path file, int level) throws IOException {
    BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 64; i++) {
      image.getRaster().setSample(i % 8, i / 8, 0, level);
    }
    ImageIO.write(image, "png", file.toFile());
  }

  @Test
  void classesAreThoseThatWereAskedFor() throws IOException {
    Path conditional = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, conditional, 2, "--class-conditional")).isOk();

    distances("a.json", "distances", "--run", conditional, "--count", 20, "--steps", 2).isOk();

    JsonNode classes = json("a.json").get("samples").get("classes");
    assertThat(classes).hasSize(10);
    assertThat(classes.get(9).get("name").asText()).isEqualTo("Ankle boot");
    assertThat(classes).allMatch(one -> one.get("images").asInt() == 2);
  }

  @Test
  void refusesTooFewImages() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 9)
        .isBadInput("The value of --count is 9; it must be from 10");
    Path images = folder.resolve("images");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            3,
            "--steps",
            2,
            "--format",
            "png",
            "--output",
            images)
        .isOk();
    distances("a.json", "distances", "--images", images)
        .isBadInput("holds 3 images; 10 are needed");
    distances("a.json", "distances", "--images", images, "--run", run)
        .isBadInput(
            "'--run' does not go with '--images'",
            "compares the image files of a folder with the data set (--dataset, --data)",
            "leave one of the two out");
  }

  /** A number for {@code distances}, a folder for {@code evaluate}. */
  @Test
  void imagesOfTheOtherKindAreExplained() throws IOException {
    for (List<String> command :
        List.of(List.of("evaluate", "--distances"), List.of("evaluate", "--distances=true"))) {
      Cli.run(Stream.concat(command.stream(), Stream.of("--images", "100")).toArray())
          .isBadInput("--images is 100, which is no folder", "--count");
    }
    // It has no --corrupt.
    Path photos = folder.resolve("photos");
    Files.createDirectories(photos);
    Files.writeString(photos.resolve("a.png"), "This is text.");
    Files.copy(run.resolve("samples.png"), photos.resolve("b.png"));
    String ending = "; repair or remove them.";
    distances("a.json", "distances", "--images", photos).isBadInput("1 of 2 image files", ending);
    Cli.run("evaluate", "--images", folder)
        .isBadInput(
            "'--images'", folder + "' is no number of images", "'ddpm distances --images DIR'");
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training, sampling and looking at every kind of data set, through the program. */
class DataSetsTest {

  @TempDir private Path root;

  private static JsonNode config(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("config.json").toFile());
  }

  private static BufferedImage picture(Path file) throws IOException {
    return ImageIO.read(file.toFile());
  }

  @Test
  void aFolderOfOblongPicturesIsTrainedOnAndResumed() throws IOException {
    Path data = PictureFixture.folder(root.resolve("data"), 10);
    Files.writeString(data.resolve("red/broken.png"), "This is text.");
    Path run = root.resolve("run");
    Object[] options = {
      "--dataset", "folder", "--image-size", "12x16", "--corrupt", "skip", "--max-images", 21
    };

    Cli.Result whole = Cli.run(Cli.tinyTraining(data, run, 6, options)).isOk();

    assertThat(whole.err())
        .contains("train: skipped " + data.resolve("red/broken.png") + ": its content is no JPEG");
    JsonNode described = config(run).get("data");
    assertThat(described.at("/name").asText()).isEqualTo("folder");
    assertThat(described.at("/shape").toString())
        .isEqualTo("{\"channels\":3,\"height\":12,\"width\":16}");
    assertThat(described.at("/selection").toString())
        .isEqualTo("{\"max_images\":21,\"skipped_files\":1}");
    assertThat(described.at("/training_images").asInt()).isEqualTo(16);
    assertThat(described.at("/validation_images").asInt()).isEqualTo(4);
    // 64 pictures in 8 columns, three times enlarged.
    assertThat(picture(run.resolve("samples.png")).getWidth()).isEqualTo(8 * (16 * 3 + 1) + 1);
    assertThat(picture(run.resolve("samples.png")).getHeight()).isEqualTo(8 * (12 * 3 + 1) + 1);

    Path samples = root.resolve("samples");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            2,
            "--steps",
            2,
            "--format",
            "png",
            "--output",
            samples)
        .isOk();
    assertThat(picture(samples.resolve("0001.png")).getRaster().getNumBands()).isEqualTo(3);

    Path stopped = root.resolve("stopped");
    List<Object> limited = new ArrayList<>(List.of(options));
    limited.addAll(List.of("--time-limit", "0.0000001"));
    Cli.Result limit = Cli.run(Cli.tinyTraining(data, stopped, 6, limited.toArray())).isOk();
    assertThat(limit.err())
        .contains("go on by 'ddpm train --resume %s --data %s'".formatted(stopped, data));
    Cli.run("train", "--resume", stopped, "--data", data, "--sample-steps", 2).isOk();
    assertThat(stopped.resolve("samples.png")).hasSameBinaryContentAs(run.resolve("samples.png"));
    assertThat(stopped.resolve("loss.csv")).hasSameBinaryContentAs(run.resolve("loss.csv"));
    Files.delete(data.resolve("red/03.png"));
    Cli.run("train", "--resume", stopped, "--data", data).isBadInput("other images", "--data");
    Cli.run("train", "--resume", stopped).isBadInput(" to train on, of the folder", "--data DIR");
  }

  @Test
  void theNetworkOfTheCifarModelIsTheOneThatWasPublished() throws IOException {
    Path data = PictureFixture.cifar(root.resolve("data"), 4);
    String config =
        Cli.run(
                "train",
                "--dataset",
                "cifar10",
                "--data",
                data,
                "--run",
                root.resolve("run"),
                "--network",
                "ddpm-cifar10",
                "--batch-size",
                4,
                "--dry-run")
            .isOk()
            .out();
    JsonNode model = new ObjectMapper().readTree(config).get("model");
    Unet2D unet = (Unet2D) UnetFolder.configFromJson(model.toString(), "dry run");
    assertThat(unet).isEqualTo(Unet2D.cifar10());
    Cli.run(
            "train",
            "--dataset",
            "cifar10",
            "--data",
            data,
            "--run",
            root.resolve("run"),
            "--network",
            "ddpm-cifar10",
            "--dim",
            64)
        .isBadInput("--dim", "ddpm-cifar10");
  }

  @Test
  void cifarIsTrainedOnInTheScaleOfImageNet() throws IOException {
    Path data = PictureFixture.cifar(root.resolve("data"), 4);
    Path run = root.resolve("run");
    Cli.run(
            Cli.tinyTraining(
                data,
                run,
                4,
                "--dataset",
                "cifar10",
                "--normalization",
                "imagenet",
                "--class",
                "bird",
                "--image-size",
                "16"))
        .isOk();
    JsonNode described = config(run).get("data");
    assertThat(described.at("/training_images").asInt()).isEqualTo(5);
    assertThat(described.at("/validation_images").asInt()).isEqualTo(1);
    assertThat(described.at("/selection/class").asText()).isEqualTo("bird");
    assertThat(described.at("/normalization/std/2").asDouble()).isEqualTo(0.225);
    assertThat(Cli.run("info", run).isOk().out())
        .contains(
            "pixels       -2.118 to 2.249, -2.036 to 2.429, -1.804 to 2.640 (0 to 1, less 0.485");
    assertThat(Files.readString(run.resolve("report.html"))).contains("-2.118 to 2.249");
    assertThat(picture(run.resolve("samples.png")).getRaster().getNumBands()).isEqualTo(3);
    Cli.run("train", "--resume", run, "--data", data, "--sample-steps", 2).isOk();
    Cli.run("train", "--resume", run, "--data", data, "--class", "cat")
        .isBadInput("'--class'", "'--resume'");
    Cli.run("sample", "--run", run, "--normalization", "symmetric")
        .isBadInput("--normalization", "--run");
    Cli.run(
            "sample",
            "--model",
            run.resolve("unet"),
            "--size",
            "16",
            "--timesteps",
            6,
            "--steps",
            2,
            "--count",
            2,
            "--normalization",
            "imagenet",
            "--output",
            root.resolve("a.png"))
        .isOk();
  }

  @Test
  void tinyImageNetIsSeenInTheScaleOfImageNetAndDrawnAsItIs() throws IOException {
    Path data = PictureFixture.tinyImageNet(root.resolve("data"));
    Path picture = root.resolve("data.png");
    Cli.Result result =
        Cli.run(
                "data",
                "--dataset",
                "tiny-imagenet",
                "--data",
                data,
                "--scale",
                1,
                "--output",
                picture)
            .isOk();
    assertThat(result.out())
        .contains("images       4 of 64x64x3", "pixels       -2.118", "  0    goldfish: 2");
    // The darkest and the brightest pixel, beyond -1 and 1.
    assertThat(picture(picture).getRGB(30, 30)).isEqualTo(0xFF000000);
    assertThat(picture(picture).getRGB(30, 100)).isEqualTo(0xFFFFFFFF);
    Path run = root.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2, "--dataset", "tiny-imagenet", "--image-size", 8)).isOk();
    assertThat(config(run).at("/data/normalization/mean/0").asDouble()).isEqualTo(0.485);
    assertThat(config(run).at("/data/validation_images").asInt()).isEqualTo(1);
  }

  @Test
  void dataDrawsARowForEachClass() throws IOException {
    Path data = PictureFixture.folder(root.resolve("data"), 3);
    Path picture = root.resolve("data.png");
    Cli.Result result =
        Cli.run(
                "data",
                "--dataset",
                "folder",
                "--data",
                data,
                "--image-size",
                "10x12",
                "--per-class",
                4,
                "--scale",
                1,
                "--normalization",
                "imagenet",
                "--output",
                picture)
            .isOk();
    assertThat(result.out())
        .contains(
            "images       6 of 10x12x3\n",
            "  0    row 1, blue: 3\n  1    row 2, red: 3\n",
            "pixels       -2.118 to 2.249")
        .endsWith(picture + "\n");
    BufferedImage drawn = picture(picture);
    assertThat(drawn.getWidth()).isEqualTo(4 * 13 + 1);
    assertThat(drawn.getHeight()).isEqualTo(2 * 11 + 1);
    assertThat(drawn.getRGB(7, 6) & 255).as("the middle of a blue one").isGreaterThan(0xA0);
    assertThat(drawn.getRGB(7, 17)).as("the middle of a red one").isBetween(0xFFC02020, 0xFFC02040);
    assertThat(drawn.getRGB(45, 6)).as("where there is none").isEqualTo(0xFF000000);
  }

  @Test
  void dataDrawsClothesInWhateverSizeAndClass() throws IOException {
    Path data = IdxFixture.write(root.resolve("data"), 30, 8, 5);
    Path picture = root.resolve("data.png");
    Cli.Result result =
        Cli.run(
                "data",
                "--data",
                data,
                "--class",
                "sneaker",
                "--image-size",
                16,
                "--count",
                9,
                "--output",
                picture)
            .isOk();
    assertThat(result.out())
        .contains("images       3 of 16x16x1", "  7    Sneaker: 3", "  6    Shirt: 0");
    assertThat(picture(picture).getWidth()).isEqualTo(3 * 33 + 1);
    Cli.run("data", "--data", data, "--class", 11, "--output", picture)
        .isBadInput("no class 11", "Ankle boot");
    Cli.run("data", "--data", data, "--scale", 16, "--image-size", 1000, "--output", picture)
        .isBadInput("too large a picture");
    Cli.run("data", "--data", data, "--normalization", "imagenet", "--output", picture)
        .isBadInput("3 channels", "have 1");
  }

  /** Of 30 images: as many as are asked for, or a tenth where nobody asks. */
  @Test
  void asManyImagesOfAFolderAreHeldOutAsAreAskedFor() throws IOException {
    Path data = PictureFixture.folder(root.resolve("data"), 15);
    Path asked = root.resolve("asked");
    assertThat(holdOut(data, asked, "--validation-images", "4").isOk().err())
        .contains(
            "train: 26 images to train on, of the folder " + data, "; images of 8x8x3, 4 held out");
    assertThat(Cli.run("info", asked).isOk().out()).contains("26 of 8x8x3 to train on, 4 held out");
    Cli.run("train", "--resume", asked, "--data", data, "--steps", 3).isOk();
    Cli.run("evaluate", "--run", asked, "--data", data, "--steps", 2).isOk();
    Cli.run("interpolate", "--run", asked, "--data", data, "--from", 4, "--steps", 6)
        .isBadInput(
            "There is no test image 4: of 4 images held out, of the folder",
            "numbers go from 0 to 3; give such a one, or the file of an image");
    assertThat(holdOut(data, root.resolve("usual")).isOk().err())
        .contains("train: 27 images to train on, of ", "; images of 8x8x3, 3 held out");
    assertThat(holdOut(data, root.resolve("none"), "--validation-images", "0").isOk().err())
        .contains("; 30 images of 8x8x3, none held out");
    Path all = root.resolve("all");
    holdOut(data, all, "--validation-images", "30")
        .isBadInput("30 images are to be held out, and there are no more", "--validation-images");
    assertThat(all).doesNotExist();
  }

  /** Nobody asked for an image that there is not. */
  @Test
  void imagesThatAreEditedUnaskedAreThoseThatThereAre() throws IOException {
    Path data = PictureFixture.folder(root.resolve("data"), 4);
    Path three = root.resolve("three");
    holdOut(data, three, "--validation-images", "3").isOk();
    assertThat(edited(three, data, "interpolate"))
        .isEqualTo(edited(three, data, "interpolate", "--from", 0, "--to", 1));
    assertThat(edited(three, data, "interpolate", "--from", 1))
        .isEqualTo(edited(three, data, "interpolate", "--from", 1, "--to", 0));
    assertThat(edited(three, data, "interpolate", "--to", 0))
        .isEqualTo(edited(three, data, "interpolate", "--from", 1, "--to", 0));
    assertThat(edited(three, data, "inpaint", "--count", 1))
        .isEqualTo(edited(three, data, "inpaint", "--count", 1, "--image", "0,1"));
    assertThat(edited(three, data, "invert"))
        .isEqualTo(edited(three, data, "invert", "--image", "0,1,2"));

    Path one = root.resolve("one");
    holdOut(data, one, "--validation-images", "1").isOk();
    for (String command : List.of("inpaint", "invert")) {
      Cli.run(command, "--run", one, "--data", data, "--steps", 4).isOk();
    }
    Cli.run("interpolate", "--run", one, "--data", data, "--steps", 4)
        .isBadInput("one test image alone", "--from or --to");
  }

  private byte[] edited(Path run, Path data, String command, Object... more) throws IOException {
    Path picture = root.resolve("edited.png");
    List<Object> words =
        List.of(command, "--run", run, "--data", data, "--steps", 4, "--output", picture);
    Cli.run(Stream.concat(words.stream(), Stream.of(more)).toArray()).isOk();
    return Files.readAllBytes(picture);
  }

  private static Cli.Result holdOut(Path data, Path run, Object... validation) {
    List<Object> words =
        new ArrayList<>(
            List.of(Cli.tinyTraining(data, run, 2, "--dataset", "folder", "--image-size", 8)));
    int usual = words.indexOf("--validation-images");
    words.subList(usual, usual + 2).clear();
    words.addAll(List.of(validation));
    return Cli.run(words.toArray());
  }

  @Test
  void whatDoesNotFitIsSaidInTermsOfOptions() throws IOException {
    Path data = PictureFixture.folder(root.resolve("data"), 3);
    Path run = root.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "folder", "--image-size", "15x30"))
        .isBadInput("15x30", "multiples of 2", "--image-size 16x30", "--dim-mults");
    Cli.run("train", "--dataset", "folder").isBadInput("any folder", "--data DIR");
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "cifar10"))
        .isBadInput("lacks data_batch_1.bin", "cifar-10-binary.tar.gz");
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "tiny-imagenet"))
        .isBadInput("lacks wnids.txt", "tiny-imagenet-200.zip");
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "folder", "--max-images", 0))
        .isBadInput("--max-images");
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "folder", "--image-size", 0))
        .isBadInput("'--image-size'", "at least 1", "'0'");
    Files.write(data.resolve("blue/empty.jpg"), new byte[0]);
    Cli.run(Cli.tinyTraining(data, run, 1, "--dataset", "folder"))
        .isBadInput("1 of 7 image files", "blue/empty.jpg: it is empty", "--corrupt skip");
    assertThat(run).doesNotExist();
  }

  @Test
  void whatToDoAboutADamagedFileIsSaidByOptions() throws IOException {
    Path photos = Files.createDirectories(root.resolve("photos"));
    Files.writeString(photos.resolve("a.png"), "This is text.");
    BufferedImage good = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
    ImageIO.write(good, "png", photos.resolve("b.png").toFile());
    Cli.run("data", "--dataset", "folder", "--data", photos, "--image-size", 8)
        .isBadInput("a.png", "skip them by --corrupt skip");
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data as people have it, through the program: layouts, versions, files of other kinds. */
class DataOfOthersTest {

  @TempDir private Path root;

  private static void picture(Path file, int rgb) throws IOException {
    BufferedImage image = new BufferedImage(20, 20, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 400; i++) {
      image.setRGB(i % 20, i / 20, rgb);
    }
    Files.createDirectories(file.getParent());
    ImageIO.write(image, "png", file.toFile());
  }

  private Object[] data(String dataSet, Path data, Object... more) {
    Path output = root.resolve("data.png");
    return Stream.concat(
            Stream.of("data", "--dataset", dataSet, "--data", data, "--output", output),
            Stream.of(more))
        .toArray();
  }

  private static JsonNode dryRun(String dataSet, Path data, Object... more) throws IOException {
    Object[] arguments =
        Stream.concat(
                Stream.of(
                    "train", "--dataset", dataSet, "--data", data, "--image-size", 16, "--dry-run"),
                Stream.of(more))
            .toArray();
    return new ObjectMapper().readTree(Cli.run(arguments).isOk().out()).get("data");
  }

  @Test
  void whatIsLeftOutIsToldInOneNote() throws IOException {
    Path folder = root.resolve("mixed");
    picture(folder.resolve("a.png"), 0x204060);
    for (String name : new String[] {"b.avif", "c.avif", "notes.txt"}) {
      Files.writeString(folder.resolve(name), "not read");
    }
    Cli.Result result = Cli.run(data("folder", folder)).isOk();
    assertThat(result.err())
        .isEqualTo(
            "data: left out files whose names do not end like those of images: 2 .avif, 1 .txt\n");
    assertThat(result.out()).contains("images       1 of");
    Files.delete(folder.resolve("b.avif"));
    Files.delete(folder.resolve("c.avif"));
    Files.delete(folder.resolve("notes.txt"));
    assertThat(Cli.run(data("folder", folder)).isOk().err()).isEmpty();
  }

  @Test
  void aFolderOfPicturesWithoutItsDataSetIsRecognised() throws IOException {
    picture(root.resolve("photos/cats/a.png"), 0x204060);
    Path empty = Files.createDirectories(root.resolve("empty"));
    for (String command : new String[] {"train", "data"}) {
      Cli.run(command, "--data", root.resolve("photos"))
          .isBadInput("lacks train-images-idx3-ubyte.gz", "pictures by --dataset folder.");
    }
    Cli.Result nothing = Cli.run("data", "--data", empty).isBadInput("with or without .gz.");
    assertThat(nothing.err()).doesNotContain("--dataset folder");
  }

  @Test
  void thePlaceOfAFolderIsAskedForByWhatItWas() throws IOException {
    Path photos = root.resolve("my photos");
    for (int i = 0; i < 12; i++) {
      picture(photos.resolve(i + ".png"), 0x101010 * i);
    }
    Path run = root.resolve("a run");
    Object[] training = {
      "train",
      "--dataset",
      "folder",
      "--data",
      photos,
      "--image-size",
      8,
      "--network",
      "tutorial",
      "--dim",
      4,
      "--batch-size",
      2,
      "--steps",
      1000000,
      "--timesteps",
      4,
      "--sample-steps",
      2,
      "--time-limit",
      0.001,
      "--run",
      run
    };
    Cli.Result begun = Cli.run(training).isOk();
    assertThat(begun.err())
        .contains("go on by 'ddpm train --resume '" + run + "' --data '" + photos + "''");
    assertThat(Files.readString(run.resolve("report.html")))
        .contains("ddpm train --resume '" + run + "' --data DIR");
    for (Object[] words :
        new Object[][] {
          {"train", "--resume", run},
          {"evaluate", "--run", run},
          {"distances", "--run", run},
          {"nearest", "--run", run},
          {"inpaint", "--run", run, "--image", 0}
        }) {
      Cli.run(words)
          .isBadInput(
              " to train on, of the folder " + photos + "; name the folder", "by --data DIR.");
    }
    Cli.run("train", run).isBadInput("'" + run + "' (did you mean --resume " + run + "?)");
    Cli.run("sample", run).isBadInput("(did you mean --run " + run + "?)");
    Cli.run("data", photos).isBadInput("(did you mean --data " + photos + "?)");
    Path image = photos.resolve("1.png");
    Cli.run("inpaint", image).isBadInput("(did you mean --image " + image + "?)");
    Path pipeline = Files.createDirectories(root.resolve("pipeline"));
    Files.writeString(pipeline.resolve("model_index.json"), "{}");
    Cli.run("sample", pipeline).isBadInput("(did you mean --model " + pipeline + "?)");
  }

  @Test
  void thePythonVersionOfCifarIsNamed() throws IOException {
    Path python = Files.createDirectories(root.resolve("cifar/cifar-10-batches-py"));
    Files.write(python.resolve("data_batch_1"), new byte[] {(byte) 0x80, 2, '}'});
    Cli.run(data("cifar10", root.resolve("cifar")))
        .isBadInput("Python version", "pickles", "not read", "cifar-10-binary.tar.gz");
  }

  @Test
  void swappedFilesOfMnistAreNamedAndNothingElse() throws IOException {
    Path right = IdxFixture.write(root.resolve("right"), 4, 8, 1);
    Path swapped = Files.createDirectories(root.resolve("swapped"));
    try (Stream<Path> files = Files.list(right)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        String other =
            name.contains("images")
                ? name.replace("images-idx3", "labels-idx1")
                : name.replace("labels-idx1", "images-idx3");
        Files.copy(file, swapped.resolve(other));
      }
    }
    Cli.Result result = Cli.run(data("mnist", swapped)).isBadInput("swapped?", "exchange");
    assertThat(result.err()).startsWith("ddpm: " + swapped).doesNotContain("disk");
  }

  @Test
  void moreThanThereIsInABatchIsSaidByTheOption() throws IOException {
    Path folder = root.resolve("nine");
    for (int i = 0; i < 9; i++) {
      picture(folder.resolve(i + ".png"), 0x010101 * i);
    }
    Path run = root.resolve("run");
    Cli.run("train", "--dataset", "folder", "--data", folder, "--image-size", 16, "--run", run)
        .isBadInput("only 9 images", "--batch-size 9 or less");
    assertThat(run).doesNotExist();
    assertThat(dryRun("folder", folder, "--batch-size", 9).get("training_images").asInt())
        .isEqualTo(9);
  }

  @Test
  void aFolderInTwoPartsIsMeasuredOnItsOwnTestImages() throws IOException {
    Path folder = root.resolve("parts");
    for (int i = 0; i < 6; i++) {
      picture(folder.resolve("train/" + (i % 2 == 0 ? "cat/" : "dog/") + i + ".png"), 0x101010 * i);
    }
    picture(folder.resolve("val/cat/a.png"), 0xFF0000);
    picture(folder.resolve("val/dog/b.png"), 0x00FF00);
    JsonNode described = dryRun("folder", folder, "--batch-size", 2);
    assertThat(described.get("class_names").toString()).isEqualTo("[\"cat\",\"dog\"]");
    assertThat(described.get("training_images").asInt()).isEqualTo(6);
    assertThat(described.get("validation_images").asInt()).isEqualTo(2);
  }

  @Test
  void tinyImageNetsValidationImagesMayBeSorted() throws IOException {
    Path folder = PictureFixture.tinyImageNet(root.resolve("tiny"));
    Path part = folder.resolve("val");
    for (int i = 1; i <= 2; i++) {
      Path images = Files.createDirectories(part.resolve("n" + i + "/images"));
      Files.move(part.resolve("images/val_" + i + ".JPEG"), images.resolve("val_" + i + ".JPEG"));
    }
    Files.delete(part.resolve("images"));
    Files.delete(part.resolve("val_annotations.txt"));
    JsonNode described = dryRun("tiny-imagenet", folder, "--batch-size", 2);
    assertThat(described.get("validation_images").asInt()).isEqualTo(2);
  }

  @Test
  void torchvisionsFoldersAndTheNewDataSetsAreFound() throws IOException {
    Path files = IdxFixture.write(root.resolve("files"), 6, 8, 1);
    for (String dataSet : new String[] {"mnist", "kmnist", "emnist-digits", "emnist-letters"}) {
      boolean emnist = dataSet.startsWith("emnist");
      Path place = root.resolve(dataSet);
      Path raw =
          Files.createDirectories(
              place.resolve(emnist ? "EMNIST/raw" : dataSet.toUpperCase(Locale.ROOT) + "/raw"));
      try (Stream<Path> found = Files.list(files)) {
        for (Path file : found.toList()) {
          String name = file.getFileName().toString();
          String renamed = name.replace("t10k", "test");
          Files.copy(file, raw.resolve(emnist ? dataSet + "-" + renamed : name));
        }
      }
      if (!dataSet.equals("emnist-letters")) {
        assertThat(Cli.run(data(dataSet, place)).isOk().out()).contains("classes      10");
      }
    }
    // MNIST's labels begin with 0, those of letters with 1.
    Cli.run(data("emnist-letters", root.resolve("emnist-letters")))
        .isBadInput("has the label 0", "expected 1 or more");
  }
}

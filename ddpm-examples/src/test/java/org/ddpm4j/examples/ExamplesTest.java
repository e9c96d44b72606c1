package org.ddpm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.UnetInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ExamplesTest {

  @TempDir private Path folder;

  private static ImageDataSet clothes() throws IOException {
    return FashionMnist.load(Split.TRAIN, DataSources.ofHost().withNetwork(Network.FORBIDDEN))
        .take(64);
  }

  @Test
  void emojiAreSortedByWhatTheyShow() throws IOException {
    Path pictures = Files.createDirectories(folder.resolve("package/img/google/64"));
    StringBuilder json = new StringBuilder("[");
    for (int i = 0; i < 24; i++) {
      String category = i == 23 ? "Component" : i % 2 == 0 ? "Food & Drink" : "Flags";
      json.append(i == 0 ? "" : ",")
          .append("{\"image\": \"" + i + ".png\", \"category\": \"" + category + "\"")
          .append(", \"has_img_google\": " + (i != 22) + "}");
      ImageIO.write(
          new BufferedImage(4, 4, BufferedImage.TYPE_INT_ARGB),
          "png",
          pictures.resolve(i + ".png").toFile());
    }
    Files.writeString(folder.resolve("package/emoji.json"), json + "]");
    Path sorted = folder.resolve("emoji");

    assertThat(EmojiFolderExample.sort(folder.resolve("package"), sorted))
        .isEqualTo(Map.of("Food & Drink", 11, "Flags", 11));

    ImageFileOptions small = ImageFileOptions.of(4, 4);
    ImageDataSet training = ImageFolder.read(sorted, small).images();
    assertThat(training.classNames()).containsExactly("flags", "food-and-drink");
    assertThat(training.size()).isEqualTo(20);
    ImageDataSet tests =
        ImageFolder.read(sorted, Split.TEST, ImageFolder.Labels.SUB_FOLDERS, small).images();
    assertThat(tests.size()).isEqualTo(2);
    // Transparent pixels lie on white.
    assertThat(tests.batch(0).getFeatures().minNumber().doubleValue()).isEqualTo(1);
  }

  @Test
  void imagesFadeIntoNoise() throws IOException {
    Path picture = folder.resolve("strips.png");

    ForwardProcessExample.draw(clothes(), picture);

    int cell = 2 * 28 + 1;
    BufferedImage strips = rowsOf(ImageIO.read(picture.toFile()), 4, 11 * cell + 1, cell + 1);
    for (int row = 0; row < 4; row++) {
      double image = roughness(strips, 0, row * (cell + 1));
      double noise = roughness(strips, 10 * cell, row * (cell + 1));
      assertThat(noise).as("row %d", row).isGreaterThan(1.5 * image);
    }
  }

  /** The rows of a table of pictures, without the words at its left and above and the gaps. */
  private static BufferedImage rowsOf(BufferedImage table, int rows, int width, int height) {
    int gap = 10;
    int left = table.getWidth() - gap - width;
    int top = table.getHeight() - rows * (height + gap);
    assertThat(left).as("room for words").isPositive();
    assertThat(top).as("room above").isBetween(0, 40);
    BufferedImage all = new BufferedImage(width, rows * height, BufferedImage.TYPE_INT_RGB);
    for (int row = 0; row < rows; row++) {
      all.getGraphics()
          .drawImage(
              table.getSubimage(left, top + row * (height + gap), width, height),
              0,
              row * height,
              null);
    }
    return all;
  }

  /** The mean difference of neighbouring pixels of the image in a cell, in levels. */
  private static double roughness(BufferedImage picture, int left, int top) {
    double sum = 0;
    for (int y = 0; y < 28; y++) {
      for (int x = 0; x < 27; x++) {
        sum +=
            Math.abs(
                level(picture, left + 1 + 2 * x, top + 1 + 2 * y)
                    - level(picture, left + 3 + 2 * x, top + 1 + 2 * y));
      }
    }
    return sum / (28 * 27);
  }

  private static int level(BufferedImage picture, int x, int y) {
    return picture.getRaster().getSample(x, y, 0);
  }

  @Test
  void trainsSavesAndSamples() throws IOException {
    Path model = folder.resolve("model");
    Path pictures = folder.resolve("pictures");
    UnetFolder.write(model, TrainFashionMnistExample.train(clothes(), 2));

    SampleFashionMnistExample.main(new String[] {model.toString(), pictures.toString()});

    BufferedImage samples = ImageIO.read(pictures.resolve("samples.png").toFile());
    assertThat(samples.getWidth()).isEqualTo(4 * (3 * 28 + 1) + 1);
    assertThat(pictures.resolve("samples.gif")).isNotEmptyFile();
    assertThat(model).isDirectoryNotContaining("glob:**samples*");
  }

  @Test
  void aNetworkOfOnesOwnTrainsSavesLoadsAndSamples() throws IOException {
    INDArray x =
        Nd4j.linspace(DataType.FLOAT, -1, 2.0 / (2 * 28 * 28), 2 * 28 * 28).reshape(2, 1, 28, 28);
    UnetInput input = UnetInput.of(x, Nd4j.createFromArray(3f, 700f));
    INDArray trained;
    try (Unet unet = YourOwnNetworkExample.train(clothes(), 2)) {
      UnetFolder.write(folder, unet);
      trained = unet.predict(input);
    }

    assertThat(Files.readString(folder.resolve("config.json")))
        .containsSubsequence(
            "\"_model\" : \"two_levels\"", "\"in_channels\" : 1", "\"width\" : 32");
    for (Execution execution : List.of(Execution.automatic(), Execution.reference())) {
      try (Unet read = UnetFolder.read(folder, DataType.FLOAT, execution)) {
        assertThat(read.config()).isEqualTo(new YourOwnNetworkExample.TwoLevels(1, 32));
        assertThat(read.predict(input).distance2(trained) / trained.norm2Number().doubleValue())
            .isLessThan(1e-5);
      }
    }
    Path pictures = folder.resolve("pictures");
    SampleFashionMnistExample.main(new String[] {folder.toString(), pictures.toString()});
    assertThat(ImageIO.read(pictures.resolve("samples.png").toFile()).getWidth())
        .isEqualTo(4 * (3 * 28 + 1) + 1);
  }

  @Test
  void degradesAndRestores() throws IOException {
    Path picture = folder.resolve("cold.png");
    ImageDataSet clothes = clothes();

    ColdDiffusionExample.draw(clothes, clothes.take(12), 2, picture);

    int cell = 2 * 28 + 1;
    BufferedImage rows = rowsOf(ImageIO.read(picture.toFile()), 16, 12 * cell + 1, cell + 1);
    for (int column = 0; column < 12; column++) {
      double image = roughness(rows, column * cell, 0);
      double blurred = roughness(rows, column * cell, cell + 1);
      assertThat(blurred).as("column %d", column).isLessThan(0.7 * image);
    }
  }

  @Test
  void guidesTowardsEveryClass() throws IOException {
    Path picture = folder.resolve("guidance.png");

    try (DiffusionModel model = DiffusionModel.bundled()) {
      ClassifierFreeGuidanceExample.draw(model, model.classNames().subList(0, 2), 2, picture);
    }

    // Six scales of three images beside the titles, two rows below them.
    BufferedImage table = ImageIO.read(picture.toFile());
    int cell = 2 * 28 + 1;
    assertThat(table.getWidth()).isBetween(18 * cell + 1, 24 * cell);
    assertThat(table.getHeight()).isBetween(2 * cell + 2, 3 * cell);
  }

  @Test
  void editsClothes() throws IOException {
    try (DiffusionModel model = DiffusionModel.bundled()) {
      EditingExample.edit(model, clothes().batch(0, 1).getFeatures(), 5, folder);
    }

    int cell = 3 * 28 + 1;
    BufferedImage inpainted = ImageIO.read(folder.resolve("inpainting.png").toFile());
    assertThat(inpainted.getWidth()).isEqualTo(2 * cell + 1);
    assertThat(inpainted.getHeight()).isEqualTo(3 * cell + 1);
    for (int y = 1; y < 28 * 3; y++) {
      for (int x = 1; x < 14 * 3; x++) {
        assertThat(level(inpainted, x, y + 2 * cell)).isEqualTo(level(inpainted, x, y));
      }
    }
    assertThat(ImageIO.read(folder.resolve("interpolation.png").toFile()).getWidth())
        .isEqualTo(8 * cell + 1);
    assertThat(folder.resolve("image-to-image.png")).isNotEmptyFile();
    assertThat(folder.resolve("inversion.png")).isNotEmptyFile();
  }

  /** The less noise, the nearer the guess; and drawing ends with less noise than it begins with. */
  @Test
  void guessesAndDrawsStepByStep() throws IOException {
    ImageDataSet clothes = clothes();
    Path guesses = folder.resolve("guesses.png");
    Path fromNoise = folder.resolve("from-noise.png");
    try (DiffusionModel model = DiffusionModel.bundled()) {
      StepByStepExample.drawGuesses(model, clothes, guesses);
      StepByStepExample.drawFromNoise(model, fromNoise);
    }

    int cell = 3 * 28 + 1;
    BufferedImage guessed = rowsOf(ImageIO.read(guesses.toFile()), 6, 7 * cell + 1, cell + 1);
    BufferedImage drawn = rowsOf(ImageIO.read(fromNoise.toFile()), 6, 8 * cell + 1, cell + 1);
    for (int image = 0; image < 3; image++) {
      int noisy = 2 * image * (cell + 1);
      int guess = noisy + cell + 1;
      assertThat(difference(guessed, 0, guess, clothes, image))
          .isLessThan(difference(guessed, 0, noisy, clothes, image))
          .isLessThan(difference(guessed, 4 * cell, guess, clothes, image));
      assertThat(variation(drawn, 7 * cell, noisy)).isLessThan(variation(drawn, 0, noisy) / 2);
    }
  }

  /** The mean difference of a cell from an image of the data, in levels. */
  private static double difference(
      BufferedImage picture, int left, int top, ImageDataSet clothes, int image) {
    double sum = 0;
    for (int i = 0; i < 28 * 28; i++) {
      int shown = level(picture, left + 2 + 3 * (i % 28), top + 2 + 3 * (i / 28));
      sum += Math.abs(shown - (clothes.pixels(image)[i] & 0xFF));
    }
    return sum / (28 * 28);
  }

  /** The mean difference of neighbouring pixels of a cell, in levels. */
  private static double variation(BufferedImage picture, int left, int top) {
    double sum = 0;
    for (int i = 0; i < 28 * 27; i++) {
      int x = left + 2 + 3 * (i % 27);
      int y = top + 2 + 3 * (i / 27);
      sum += Math.abs(level(picture, x, y) - level(picture, x + 3, y));
    }
    return sum / (28 * 27);
  }

  @Test
  void argumentsComeInOneOrder() throws IOException {
    Path output = folder.resolve("new/output");
    Arguments all = Arguments.of("model", output.toString(), "7");
    assertThat(all.model()).contains(Path.of("model"));
    assertThat(all.output()).isEqualTo(output).isDirectory();
    assertThat(all.steps(1500)).isEqualTo(7);

    for (Arguments none : List.of(Arguments.of(), Arguments.of("-", "-", "-"))) {
      assertThat(none.model()).isEmpty();
      assertThat(none.output()).isEqualTo(Path.of("."));
      assertThat(none.steps(1500)).isEqualTo(1500);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Arguments.of("many").steps(1))
        .withMessage("The number of steps is many; give a whole number such as 500.");
  }

  @Test
  void everyExampleFitsOnTwoPages() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/org/ddpm4j/examples"))) {
      sources = files.filter(file -> file.toString().endsWith("Example.java")).toList();
    }
    assertThat(sources).hasSize(10);
    for (Path source : sources) {
      assertThat(Files.readAllLines(source)).as(source.toString()).hasSizeLessThan(100);
    }
  }
}

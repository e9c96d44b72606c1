package org.ddpm4j.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;

/** Folders of small pictures, and CIFAR-10 files. */
final class PictureFixture {

  private static final int CIFAR_PLANE = 32 * 32;

  private PictureFixture() {}

  /** Reddish and bluish pictures of many sizes, in two sub-folders and both formats. */
  static Path folder(Path folder, int countOfEach) throws IOException {
    Random random = new Random(1);
    for (int i = 0; i < countOfEach; i++) {
      write(folder.resolve("red/%02d.png".formatted(i)), 30 + i, 20, random, 0xC02020);
      write(folder.resolve("blue/deeper/%02d.jpg".formatted(i)), 40, 21 + i, random, 0x2020C0);
    }
    return folder;
  }

  private static void write(Path file, int width, int height, Random random, int rgb)
      throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        boolean inside = Math.hypot(x - width / 2.0, y - height / 2.0) < height / 3.0;
        image.setRGB(x, y, inside ? rgb + random.nextInt(32) : 0xE0E0E0);
      }
    }
    Files.createDirectories(file.getParent());
    String name = file.getFileName().toString();
    ImageIO.write(image, name.substring(name.indexOf('.') + 1), file.toFile());
  }

  /** TinyImageNet with two classes: of one two black images, of the other two white ones. */
  static Path tinyImageNet(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("wnids.txt"), "n1\nn2\n");
    Files.writeString(folder.resolve("words.txt"), "n1\tgoldfish, Carassius\nn2\tcrane\n");
    for (int i = 1; i <= 2; i++) {
      BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_BYTE_GRAY);
      for (int pixel = 0; pixel < 64 * 64; pixel++) {
        image.getRaster().setSample(pixel % 64, pixel / 64, 0, i == 1 ? 0 : 255);
      }
      Path images = Files.createDirectories(folder.resolve("train/n" + i + "/images"));
      ImageIO.write(image, "JPEG", images.resolve("n" + i + "_0.JPEG").toFile());
      ImageIO.write(image, "JPEG", images.resolve("n" + i + "_1.JPEG").toFile());
      Path validation = Files.createDirectories(folder.resolve("val/images"));
      ImageIO.write(image, "JPEG", validation.resolve("val_" + i + ".JPEG").toFile());
    }
    Files.writeString(folder.resolve("val/val_annotations.txt"), "val_2.JPEG\tn2\t0\t0\t9\t9\n");
    return folder;
  }

  /** The six files of CIFAR-10, with a few records each of labels 0, 1, 2, … */
  static Path cifar(Path folder, int recordsOfEach) throws IOException {
    Files.createDirectories(folder);
    for (int file = 1; file <= 6; file++) {
      byte[] bytes = new byte[recordsOfEach * (1 + 3 * CIFAR_PLANE)];
      for (int i = 0; i < bytes.length; i++) {
        int inRecord = i % (1 + 3 * CIFAR_PLANE);
        int record = i / (1 + 3 * CIFAR_PLANE);
        bytes[i] = (byte) (inRecord == 0 ? record % 10 : file * 7 + record * 20 + inRecord / 20);
      }
      String name = file == 6 ? "test_batch.bin" : "data_batch_" + file + ".bin";
      Files.write(folder.resolve(name), bytes);
    }
    return folder;
  }
}

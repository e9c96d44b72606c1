package org.ddpm4j.studio.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Images and masks that come with a request, in Base64. */
final class UploadedImages {

  /** Of an uploaded image, in Base64; the largest has half as much. */
  private static final int MOST_IMAGE_CHARACTERS = 2 << 20;

  private UploadedImages() {}

  static INDArray image(JsonFields fields, String name, DiffusionModel model) throws IOException {
    return decode(
        fields,
        name,
        file ->
            ImageFile.read(file, model.shape())
                .withNormalization(model.normalization())
                .batch(0)
                .getFeatures());
  }

  static INDArray mask(JsonFields fields, ImageShape shape) throws IOException {
    INDArray mask =
        decode(fields, "mask", file -> ImageFile.readMask(file, shape.height(), shape.width()));
    if (mask.minNumber().intValue() == 1) {
      throw new Refusal(
          422, "The mask is white all over, so that nothing is to be drawn; paint black what is.");
    }
    return mask;
  }

  private interface Decoder<T> {
    T decode(Path file) throws IOException;
  }

  /** Reads an image as data sets do, whose readers take files. */
  private static <T> T decode(JsonFields fields, String name, Decoder<T> decoder)
      throws IOException {
    String text =
        fields
            .text(name, MOST_IMAGE_CHARACTERS)
            .orElseThrow(
                () ->
                    new Refusal(
                        400,
                        "The field %s is missing; it is the file of an image in Base64.",
                        name));
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, "The field %s is not Base64; encode the file.", name);
    }
    Path file = Files.createTempFile("ddpm4j-", ".image");
    try {
      Files.write(file, bytes);
      return decoder.decode(file);
    } catch (IOException e) {
      throw new Refusal(
          422,
          "The field %s holds no image that can be read: %s",
          name,
          e.getMessage()
              .replace("The image " + file, "The file")
              .replace(file.toString(), "the file"));
    } finally {
      Files.deleteIfExists(file);
    }
  }
}

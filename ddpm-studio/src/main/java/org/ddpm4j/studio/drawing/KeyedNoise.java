package org.ddpm4j.studio.drawing;

import java.util.List;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The noise of a batch whose images have seeds of their own: each image's is what {@link
 * NoiseSource#seeded} gives it, so that an image is the same in any company.
 *
 * @param images of the batch, in its order
 */
record KeyedNoise(List<ImageKey> images) implements NoiseSource {

  KeyedNoise {
    images = List.copyOf(images);
  }

  @Override
  public INDArray gaussian(long step, long... shape) {
    long[] one = shape.clone();
    one[0] = 1;
    INDArray[] rows =
        images.stream()
            .map(image -> NoiseSource.seeded(image.seed(), image.number()).gaussian(step, one))
            .toArray(INDArray[]::new);
    return rows.length == 1 ? rows[0] : Nd4j.concat(0, rows);
  }
}

package org.ddpm4j.diffusion.editing;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays that stand for a whole batch. */
final class Batches {

  private Batches() {}

  static void requireImages(String name, INDArray images) {
    Objects.requireNonNull(images, name);
    if (images.rank() != 4 || images.isEmpty() || !images.dataType().isFPType()) {
      throw new IllegalArgumentException(
          Text.format(
              "The %s has the type %s and the shape %s; it must be FLOAT or DOUBLE and [N,C,H,W].",
              name, images.dataType(), Arrays.toString(images.shape())));
    }
  }

  /** Repeats an array along those axes of a batch of which it has only one. */
  static INDArray expand(String name, INDArray array, DataType type, long... shape) {
    boolean fits = shape.length == array.rank();
    for (int axis = 0; fits && axis < shape.length; axis++) {
      fits = array.size(axis) == shape[axis] || (axis < 2 && array.size(axis) == 1);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          Text.format(
              "The %s of shape %s does not fit images of %s.",
              name, Arrays.toString(array.shape()), Arrays.toString(shape)));
    }
    return array.castTo(type).broadcast(shape).dup('c');
  }
}

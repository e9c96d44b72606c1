package org.ddpm4j.diffusion.random;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A source whose runs begin with a noise that somebody chose. */
record GivenStart(INDArray start, NoiseSource later) implements NoiseSource {

  GivenStart {
    Objects.requireNonNull(later, "later");
    DataType type = Objects.requireNonNull(start, "initial").dataType();
    if (start.rank() != 4 || (type != DataType.FLOAT && type != DataType.DOUBLE)) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise to begin with is %s %s; it must be [N,C,H,W], FLOAT or DOUBLE.",
              type, Arrays.toString(start.shape())));
    }
  }

  @Override
  public INDArray gaussian(long step, long... shape) {
    return later.gaussian(step, shape);
  }

  @Override
  public void addTo(INDArray x, double factor, long step) {
    later.addTo(x, factor, step);
  }

  @Override
  public INDArray initial(long step, long... shape) {
    if (!Arrays.equals(start.shape(), shape)) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise to begin with has the shape %s where the images have %s; give one of that shape.",
              Arrays.toString(start.shape()), Arrays.toString(shape)));
    }
    return start.dup('c');
  }
}

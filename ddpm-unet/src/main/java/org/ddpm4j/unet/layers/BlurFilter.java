package org.ddpm4j.unet.layers;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The filter of {@link Layers#blur} as a depthwise convolution. */
final class BlurFilter {

  static final Convolution SHAPE = Convolution.same(3);

  private static final double[] TAPS = {0.25, 0.5, 0.25};

  private BlurFilter() {}

  /** The weight {@code [3,3,C,1]}. */
  static INDArray ofChannels(int channels, DataType dataType) {
    INDArray weight = Nd4j.create(dataType, TAPS.length, TAPS.length, channels, 1);
    for (int i = 0; i < TAPS.length; i++) {
      for (int j = 0; j < TAPS.length; j++) {
        for (int c = 0; c < channels; c++) {
          weight.putScalar(new int[] {i, j, c, 0}, TAPS[i] * TAPS[j]);
        }
      }
    }
    return weight;
  }
}

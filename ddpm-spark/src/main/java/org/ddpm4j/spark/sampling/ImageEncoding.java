package org.ddpm4j.spark.sampling;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.nd4j.linalg.api.ndarray.INDArray;

/** As which bytes an image is handed over. */
public enum ImageEncoding {
  /** {@code [C,H,W]} as the network sees pixels: float32, little-endian, the last axis fastest. */
  FLOAT32 {
    @Override
    byte[] encode(INDArray image, Normalization normalization) {
      float[] values = image.dup('c').data().asFloat();
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
              .order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      return bytes.array();
    }
  },
  /** A PNG file, grey or in colour: the bytes that {@code ddpm sample --format png} writes. */
  PNG {
    @Override
    byte[] encode(INDArray image, Normalization normalization) {
      return Images.png(Images.toPicture(image, normalization));
    }
  };

  /**
   * Encodes an image.
   *
   * @param image {@code [C,H,W]}
   * @param normalization how its values were made of pixels
   */
  abstract byte[] encode(INDArray image, Normalization normalization);
}

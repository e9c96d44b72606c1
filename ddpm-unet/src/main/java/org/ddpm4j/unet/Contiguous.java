package org.ddpm4j.unet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The memory of arrays whose elements lie in order and without gaps. */
final class Contiguous {

  private Contiguous() {}

  /** The array itself or a copy. */
  static INDArray of(INDArray array) {
    return SingleExecution.contiguous(array);
  }

  /** The elements of a contiguous array of FLOAT, as long as the array lives. */
  static FloatBuffer buffer(INDArray array) {
    return bytes(array).asFloatBuffer();
  }

  /** The same, as bytes. */
  static ByteBuffer bytes(INDArray array) {
    FloatPointer start = new FloatPointer(array.data().pointer()).getPointer(array.offset());
    return start.capacity(array.length()).asByteBuffer().order(ByteOrder.nativeOrder());
  }
}

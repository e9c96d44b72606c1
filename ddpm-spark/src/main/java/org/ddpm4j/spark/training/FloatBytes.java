package org.ddpm4j.spark.training;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Flat arrays as bytes, which Java's serialisation copies whole. */
final class FloatBytes {

  private FloatBytes() {}

  static byte[] of(INDArray flat) {
    if (flat.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException("Executors train in FLOAT, not in " + flat.dataType());
    }
    byte[] bytes = new byte[Math.toIntExact(Math.multiplyExact(flat.length(), Float.BYTES))];
    floats(bytes).put(flat.data().asNioFloat());
    // The buffer does not keep the memory alive, only the array does.
    Reference.reachabilityFence(flat);
    return bytes;
  }

  static void assign(INDArray flat, byte[] bytes) {
    flat.data().asNioFloat().put(floats(bytes));
    Reference.reachabilityFence(flat);
  }

  private static FloatBuffer floats(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }
}

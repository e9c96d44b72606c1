package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.ddpm4j.kernels.random.BatchKey;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Something of each image, in order and without gaps; holds on to what owns the memory. */
record HostBatch(long[] shape, FloatBuffer values, Object owner) {

  static HostBatch of(INDArray array) {
    INDArray contiguous = Contiguous.of(array);
    return new HostBatch(array.shape().clone(), Contiguous.buffer(contiguous), contiguous);
  }

  /** What a network is given, by the names of its graph. */
  static Map<String, HostBatch> of(UnetInput input) {
    Map<String, HostBatch> batches = new HashMap<>();
    batches.put(UnetGraph.X, of(input.x()));
    batches.put(UnetGraph.T, of(input.t()));
    if (input.labels() != null) {
      batches.put(UnetGraph.LABELS, of(input.labels()));
    }
    if (input.dropout() != null) {
      int images = (int) input.x().size(0);
      float[] keys = input.dropout().rows(images);
      batches.put(
          UnetGraph.DROPOUT,
          new HostBatch(new long[] {images, BatchKey.PIECES}, FloatBuffer.wrap(keys), keys));
    }
    return batches;
  }

  /** The same, and what a loss is told. */
  static Map<String, HostBatch> of(UnetInput input, Map<String, INDArray> wanted) {
    Map<String, HostBatch> batches = of(input);
    wanted.forEach((name, array) -> batches.put(name, of(array)));
    return batches;
  }

  static HostBatch ones(int images) {
    float[] ones = new float[images];
    Arrays.fill(ones, 1);
    return new HostBatch(new long[] {images}, FloatBuffer.wrap(ones), ones);
  }

  /** The same for another number of images. */
  long[] shape(int images) {
    long[] part = shape.clone();
    part[0] = images;
    return part;
  }

  int perImage() {
    return values.limit() / (int) shape[0];
  }

  /** Keeps the memory until here. */
  void keepOwner() {
    Reference.reachabilityFence(owner);
  }
}

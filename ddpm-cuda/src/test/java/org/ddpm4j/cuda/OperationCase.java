package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Layers;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A layer with inputs, which has an output by any implementation of layers.
 *
 * @param name for people
 * @param maps {@code [N,C,H,W]}, laid with channels last before the layer reads them
 * @param vectors {@code [N,D]}
 * @param parameters of any shapes
 * @param constants {@code [N,...]}, without gradients
 * @param body gives a feature map, vectors {@code [N,D]}, or losses {@code [N]}
 * @param givesLosses whether it gives the latter
 */
record OperationCase(
    String name,
    List<INDArray> maps,
    List<INDArray> vectors,
    List<INDArray> parameters,
    List<INDArray> constants,
    Body body,
    boolean givesLosses) {

  /** The layer. */
  @FunctionalInterface
  interface Body {
    Object apply(Layers layers, Inputs inputs);
  }

  /** What a layer reads. */
  record Inputs(
      List<FeatureMap> maps,
      List<SDVariable> vectors,
      List<SDVariable> parameters,
      List<SDVariable> constants) {

    FeatureMap map(int index) {
      return maps.get(index);
    }

    SDVariable vector(int index) {
      return vectors.get(index);
    }

    SDVariable parameter(int index) {
      return parameters.get(index);
    }

    SDVariable constant(int index) {
      return constants.get(index);
    }
  }

  static Builder of(String name) {
    return new Builder(name);
  }

  /** The same layer with the first of its images alone. */
  OperationCase ofFirstImage() {
    return new OperationCase(
        name, first(maps), first(vectors), parameters, first(constants), body, givesLosses);
  }

  private static List<INDArray> first(List<INDArray> batches) {
    return batches.stream()
        .map(
            batch -> {
              // A copy, for ND4J returns its own.
              long[] shape = batch.shape().clone();
              shape[0] = 1;
              double[] all = batch.dup('c').data().asDouble();
              int length = (int) Tensor.length(shape);
              return Nd4j.createFromArray(Arrays.copyOf(all, length)).reshape(shape);
            })
        .toList();
  }

  int images() {
    for (List<INDArray> batches : List.of(maps, vectors, constants)) {
      if (!batches.isEmpty()) {
        return (int) batches.get(0).size(0);
      }
    }
    throw new IllegalStateException(name + " has no images.");
  }

  @Override
  public String toString() {
    return name;
  }

  /** A case in the making. All numbers are floats, those of feature maps even bfloat16. */
  static final class Builder {
    private final String name;
    private final List<INDArray> maps = new ArrayList<>();
    private final List<INDArray> vectors = new ArrayList<>();
    private final List<INDArray> parameters = new ArrayList<>();
    private final List<INDArray> constants = new ArrayList<>();
    private final Random random;

    private Builder(String name) {
      this.name = name;
      random = new Random(name.hashCode());
    }

    /** Odd multiples of 1/128 up to 1: none is 0, where some functions have a corner. */
    Builder map(int n, int h, int w, int c) {
      double[] values = new double[n * h * w * c];
      for (int i = 0; i < values.length; i++) {
        values[i] = (2 * random.nextInt(-64, 64) + 1) / 128.0;
      }
      maps.add(Nd4j.createFromArray(values).reshape(n, c, h, w));
      return this;
    }

    /** As {@link #map}, with different numbers in every square of two by two positions. */
    Builder mapWithoutTies(int n, int h, int w, int c) {
      double[] values = new double[n * h * w * c];
      for (int i = 0; i < values.length; i++) {
        int position = 2 * (i / w % h % 2) + i % w % 2;
        values[i] = (2 * (4 * random.nextInt(-16, 16) + (position + i / 4) % 4) + 1) / 128.0;
      }
      maps.add(Nd4j.createFromArray(values).reshape(n, c, h, w));
      return this;
    }

    /** The first map's numbers. */
    INDArray first() {
      return maps.get(0);
    }

    Builder vector(int n, int length) {
      vectors.add(uniform(n, length));
      return this;
    }

    Builder parameter(long... shape) {
      parameters.add(uniform(shape));
      return this;
    }

    Builder constant(double... values) {
      constants.add(Nd4j.createFromArray(values));
      return this;
    }

    /** Of any shape, the first axis that of the images. */
    Builder constant(INDArray values) {
      constants.add(values);
      return this;
    }

    /** The keys of images, {@code [N,9]}. */
    Builder keys(BatchKey key, int images) {
      INDArray rows = Nd4j.createFromArray(key.rows(images));
      constants.add(rows.reshape(images, BatchKey.PIECES).castTo(DataType.DOUBLE));
      return this;
    }

    OperationCase gives(Body body) {
      return new OperationCase(name, maps, vectors, parameters, constants, body, false);
    }

    OperationCase givesLosses(Body body) {
      return new OperationCase(name, maps, vectors, parameters, constants, body, true);
    }

    private INDArray uniform(long... shape) {
      double[] values = random.doubles(Tensor.length(shape), -1, 1).toArray();
      return Nd4j.createFromArray(values)
          .reshape(shape)
          .castTo(DataType.FLOAT)
          .castTo(DataType.DOUBLE);
    }
  }
}

package org.ddpm4j.diffusion.arithmetic;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.cpu.CommonThreads;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * On arrays of FLOAT whose elements lie in order in the processor's memory. Tiles that stay in the
 * first-level cache are copied to the Java heap, where the JIT compiler makes vector instructions
 * of loops, and back.
 */
final class TiledOperations implements BatchOperations {

  static final TiledOperations INSTANCE = new TiledOperations();

  /** The elements that are copied to the Java heap at once. */
  static final int TILE = 1 << 10;

  /** The elements that one thread takes at once: fewer are done before another is awake. */
  static final int PIECE = 1 << 17;

  /** The elements that a buffer of bytes has room for; a batch behind itself must fit. */
  private static final int MOST = Integer.MAX_VALUE / Float.BYTES / 2;

  private static final boolean ON_PROCESSOR = Nd4j.getEnvironment().isCPU();

  private TiledOperations() {}

  /** Whether all arrays are such, and of one shape. */
  static boolean serve(INDArray... arrays) {
    return ON_PROCESSOR && Arrays.stream(arrays).allMatch(array -> serve(array, arrays[0].shape()));
  }

  private static boolean serve(INDArray array, long... shape) {
    return array.dataType() == DataType.FLOAT
        && !array.isEmpty()
        && array.length() <= MOST
        && Arrays.equals(array.shape(), shape)
        && SingleExecution.isContiguous(array);
  }

  /** Makes n elements, from {@code first} on in their arrays, of those of the terms. */
  private interface Tile {
    void make(float[] result, float[][] terms, int first, int n);
  }

  /** Makes a new array. */
  private static INDArray make(Tile tile, INDArray... terms) {
    INDArray result = Nd4j.createUninitialized(DataType.FLOAT, terms[0].shape(), 'c');
    fill(result, tile, terms);
    return result;
  }

  /** Fills an array, which may be one of the terms. */
  private static void fill(INDArray result, Tile tile, INDArray... terms) {
    FloatBuffer to = SingleExecution.buffer(result);
    FloatBuffer[] from =
        Arrays.stream(terms).map(SingleExecution::buffer).toArray(FloatBuffer[]::new);
    try {
      forEachPiece(
          to.limit(),
          begin -> {
            float[] made = new float[TILE];
            float[][] read = new float[terms.length][TILE];
            int end = Math.min(to.limit(), begin + PIECE);
            for (int first = begin; first < end; first += TILE) {
              int n = Math.min(TILE, end - first);
              for (int k = 0; k < from.length; k++) {
                from[k].get(first, read[k], 0, n);
              }
              tile.make(made, read, first, n);
              to.put(first, made, 0, n);
            }
          });
    } finally {
      // Buffers do not hold on to the arrays, which own the memory.
      Reference.reachabilityFence(terms);
      Reference.reachabilityFence(result);
    }
  }

  /** Does something with where each piece begins; nobody is at work any longer when it returns. */
  private static void forEachPiece(int length, IntConsumer work) {
    CommonThreads.forEach((length + PIECE - 1) / PIECE, i -> work.accept(i * PIECE));
  }

  @Override
  public INDArray combine(double[] factors, INDArray... terms) {
    return make(
        (result, read, first, n) -> {
          if (factors[0] == 0) {
            Arrays.fill(result, 0);
          } else {
            scale(result, (float) factors[0], read[0], 0, n);
          }
          for (int k = 1; k < factors.length; k++) {
            if (factors[k] != 0) {
              addScaled(result, (float) factors[k], read[k], 0, n);
            }
          }
        },
        terms);
  }

  @Override
  public INDArray combinePerImage(double[] a, INDArray x, double[] b, INDArray y) {
    return make(
        ofEachImage(
            x,
            (result, read, image, begin, end) -> {
              scale(result, (float) a[image], read[0], begin, end);
              addScaled(result, (float) b[image], read[1], begin, end);
            }),
        x,
        y);
  }

  /** Makes the elements of a tile, from {@code begin} to {@code end}, that are of one image. */
  private interface TileOfImage {
    void make(float[] result, float[][] terms, int image, int begin, int end);
  }

  private static Tile ofEachImage(INDArray batch, TileOfImage tile) {
    int perImage = (int) (batch.length() / batch.size(0));
    return (result, read, first, n) -> {
      int end;
      for (int begin = 0; begin < n; begin = end) {
        int image = (first + begin) / perImage;
        end = Math.min(n, (image + 1) * perImage - first);
        tile.make(result, read, image, begin, end);
      }
    };
  }

  @Override
  public void scalePerImage(INDArray x, double... factors) {
    fill(
        x,
        ofEachImage(
            x,
            (result, read, image, begin, end) ->
                scale(result, (float) factors[image], read[0], begin, end)),
        x);
  }

  @Override
  public double[] standardDeviations(INDArray x) {
    FloatBuffer from = SingleExecution.buffer(x);
    int images = (int) x.size(0);
    int perImage = from.limit() / images;
    double[] deviations = new double[images];
    IntConsumer measure =
        image -> deviations[image] = standardDeviation(from, image * perImage, perImage);
    try {
      if (from.limit() > PIECE) {
        CommonThreads.forEach(images, measure);
      } else {
        IntStream.range(0, images).forEach(measure);
      }
    } finally {
      Reference.reachabilityFence(x);
    }
    return deviations;
  }

  /**
   * By the differences from the first element, which is no farther from the mean than √n standard
   * deviations: a large mean costs no digits.
   */
  private static double standardDeviation(FloatBuffer from, int begin, int count) {
    float[] read = new float[TILE];
    double[] moments = new double[2];
    double origin = from.get(begin);
    int end = begin + count;
    for (int first = begin; first < end; first += TILE) {
      int n = Math.min(TILE, end - first);
      from.get(first, read, 0, n);
      addMoments(moments, read, origin, n);
    }
    double variance = (moments[1] - moments[0] * moments[0] / count) / (count - 1);
    return Math.sqrt(variance);
  }

  private static void addMoments(double[] moments, float[] x, double origin, int n) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double difference = x[i] - origin;
      sum += difference;
      squares += difference * difference;
    }
    moments[0] += sum;
    moments[1] += squares;
  }

  @Override
  public INDArray towards(INDArray from, INDArray to, double factor) {
    return make(
        (result, read, first, n) -> towards(result, read[0], read[1], (float) factor, n), from, to);
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y) {
    fill(
        x,
        (result, read, first, n) -> {
          System.arraycopy(read[0], 0, result, 0, n);
          addScaled(result, (float) factor, read[1], 0, n);
        },
        x,
        y);
  }

  @Override
  public INDArray clip(INDArray x, double min, double max) {
    return make((result, read, first, n) -> clip(result, read[0], (float) min, (float) max, n), x);
  }

  @Override
  public INDArray twice(INDArray x) {
    long[] shape = x.shape().clone();
    shape[0] *= 2;
    INDArray both = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    FloatBuffer from = SingleExecution.buffer(x);
    SingleExecution.buffer(both).put(from.duplicate()).put(from);
    Reference.reachabilityFence(x);
    return both;
  }

  @Override
  public boolean isFinite(INDArray x) {
    FloatBuffer from = SingleExecution.buffer(x);
    AtomicBoolean finite = new AtomicBoolean(true);
    try {
      forEachPiece(
          from.limit(),
          begin -> {
            if (finite.get() && !isFinite(from, begin)) {
              finite.set(false);
            }
          });
    } finally {
      Reference.reachabilityFence(x);
    }
    return finite.get();
  }

  private static boolean isFinite(FloatBuffer from, int begin) {
    float[] read = new float[TILE];
    float[] differences = new float[TILE];
    int end = Math.min(from.limit(), begin + PIECE);
    for (int first = begin; first < end; first += TILE) {
      int n = Math.min(TILE, end - first);
      from.get(first, read, 0, n);
      addDifferences(differences, read, n);
    }
    float sum = 0;
    for (float difference : differences) {
      sum += difference;
    }
    return sum == 0;
  }

  // The loops below are apart so that the JIT compiler turns each into vector instructions.

  private static void scale(float[] result, float factor, float[] x, int begin, int end) {
    for (int i = begin; i < end; i++) {
      result[i] = factor * x[i];
    }
  }

  private static void addScaled(float[] sum, float factor, float[] x, int begin, int end) {
    for (int i = begin; i < end; i++) {
      sum[i] += factor * x[i];
    }
  }

  private static void towards(float[] result, float[] from, float[] to, float factor, int n) {
    for (int i = 0; i < n; i++) {
      result[i] = factor * (to[i] - from[i]) + from[i];
    }
  }

  private static void clip(float[] result, float[] x, float min, float max, int n) {
    for (int i = 0; i < n; i++) {
      result[i] = Math.min(Math.max(x[i], min), max);
    }
  }

  /** Adds 0 for what is finite, and what is no number for what is not. */
  private static void addDifferences(float[] sum, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += x[i] - x[i];
    }
  }
}

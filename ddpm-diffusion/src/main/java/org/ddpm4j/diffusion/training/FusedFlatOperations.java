package org.ddpm4j.diffusion.training;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.cpu.Workers;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * In one pass each, on several threads, on buffers of FLOAT in the processor's memory. Buffers are
 * cut in pieces of a fixed size, so that sums do not depend on the number of threads.
 */
final class FusedFlatOperations implements FlatOperations {

  /** The elements that one thread takes at once. */
  private static final int PIECE = 1 << 16;

  /** The elements that are copied to the Java heap at once; they stay in the first-level cache. */
  private static final int TILE = 1 << 10;

  private final Workers workers;

  FusedFlatOperations(Workers workers) {
    this.workers = workers;
  }

  /** Works on part of the buffers. */
  private interface Piece {

    /** Returns what is summed over all pieces. */
    double apply(int begin, int end);
  }

  /** All pieces of arrays, as many of them at once as there are threads. */
  private double forEachPiece(Piece piece, INDArray... arrays) {
    int length = Math.toIntExact(arrays[0].length());
    double[] sums = new double[(length + PIECE - 1) / PIECE];
    try {
      workers.forEach(
          sums.length, i -> sums[i] = piece.apply(i * PIECE, Math.min(length, (i + 1) * PIECE)));
    } finally {
      // Buffers do not hold on to the arrays, which own the memory.
      Reference.reachabilityFence(arrays);
    }
    return Arrays.stream(sums).sum();
  }

  private static FloatBuffer buffer(INDArray x) {
    return SingleExecution.buffer(x);
  }

  @Override
  public double norm(INDArray x) {
    FloatBuffer values = buffer(x);
    return Math.sqrt(
        forEachPiece(
            (begin, end) -> {
              float[] tile = new float[TILE];
              float[] squares = new float[TILE];
              for (int i = begin; i < end; i += TILE) {
                int n = Math.min(TILE, end - i);
                values.get(i, tile, 0, n);
                addSquares(squares, tile, n);
              }
              return sum(squares);
            },
            x));
  }

  @Override
  public void scale(INDArray x, double factor) {
    FloatBuffer values = buffer(x);
    forEachPiece(
        (begin, end) -> {
          float[] tile = new float[TILE];
          for (int i = begin; i < end; i += TILE) {
            int n = Math.min(TILE, end - i);
            values.get(i, tile, 0, n);
            scale(tile, (float) factor, n);
            values.put(i, tile, 0, n);
          }
          return 0;
        },
        x);
  }

  @Override
  public void add(INDArray y, INDArray x) {
    combine(y, 1, 1, x);
  }

  @Override
  public void average(INDArray y, double decay, INDArray x) {
    combine(y, decay, 1 - decay, x);
  }

  @Override
  public void step(INDArray w, double shrink, double rate, INDArray direction) {
    combine(w, shrink, -rate, direction);
  }

  /** {@code y = a·y + b·x}. */
  private void combine(INDArray y, double a, double b, INDArray x) {
    FloatBuffer ys = buffer(y);
    FloatBuffer xs = buffer(x);
    forEachPiece(
        (begin, end) -> {
          float[] yTile = new float[TILE];
          float[] xTile = new float[TILE];
          for (int i = begin; i < end; i += TILE) {
            int n = Math.min(TILE, end - i);
            ys.get(i, yTile, 0, n);
            xs.get(i, xTile, 0, n);
            combine(yTile, (float) a, (float) b, xTile, n);
            ys.put(i, yTile, 0, n);
          }
          return 0;
        },
        y,
        x);
  }

  @Override
  public void close() {
    workers.close();
  }

  @Override
  public double adamDirection(
      INDArray g, INDArray m, INDArray v, AdamWConfig config, double correction2) {
    FloatBuffer gs = buffer(g);
    FloatBuffer ms = buffer(m);
    FloatBuffer vs = buffer(v);
    float beta1 = (float) config.beta1();
    float beta2 = (float) config.beta2();
    float rest1 = (float) (1 - config.beta1());
    float rest2 = (float) (1 - config.beta2());
    float correction = (float) (1 / Math.sqrt(correction2));
    float epsilon = (float) config.epsilon();
    return Math.sqrt(
        forEachPiece(
            (begin, end) -> {
              float[] gTile = new float[TILE];
              float[] mTile = new float[TILE];
              float[] vTile = new float[TILE];
              float[] squares = new float[TILE];
              for (int i = begin; i < end; i += TILE) {
                int n = Math.min(TILE, end - i);
                gs.get(i, gTile, 0, n);
                ms.get(i, mTile, 0, n);
                vs.get(i, vTile, 0, n);
                combine(mTile, beta1, rest1, gTile, n);
                combineSquares(vTile, beta2, rest2, gTile, n);
                direction(gTile, mTile, vTile, correction, epsilon, n);
                addSquares(squares, gTile, n);
                gs.put(i, gTile, 0, n);
                ms.put(i, mTile, 0, n);
                vs.put(i, vTile, 0, n);
              }
              return sum(squares);
            },
            g,
            m,
            v));
  }

  private static double sum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum;
  }

  // The loops below are apart so that the JIT compiler turns each into vector instructions.

  private static void addSquares(float[] sum, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += x[i] * x[i];
    }
  }

  private static void scale(float[] x, float factor, int n) {
    for (int i = 0; i < n; i++) {
      x[i] *= factor;
    }
  }

  private static void combine(float[] y, float a, float b, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = a * y[i] + b * x[i];
    }
  }

  private static void combineSquares(float[] y, float a, float b, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = a * y[i] + b * (x[i] * x[i]);
    }
  }

  private static void direction(
      float[] g, float[] m, float[] v, float correction, float epsilon, int n) {
    for (int i = 0; i < n; i++) {
      g[i] = m[i] / ((float) Math.sqrt(v[i]) * correction + epsilon);
    }
  }
}

package org.ddpm4j.unet;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The vectors by which an autoencoder's latents are replaced (van den Oord et al. 2017, eq. 2).
 * Immutable.
 */
public final class Codebook {

  private final double[][] vectors;

  /** Half the square of each vector's length. */
  private final double[] halfSquares;

  /**
   * A codebook.
   *
   * @param vectors one a row, {@code [count,width]}
   * @throws IllegalArgumentException if they are of another shape
   */
  public Codebook(INDArray vectors) {
    Objects.requireNonNull(vectors, "vectors");
    if (vectors.rank() != 2 || vectors.isEmpty()) {
      throw new IllegalArgumentException(
          Text.format(
              "The vectors of a codebook have the shape %s; they must be [count,width].",
              Arrays.toString(vectors.shape())));
    }
    this.vectors = vectors.castTo(DataType.DOUBLE).toDoubleMatrix();
    halfSquares =
        Arrays.stream(this.vectors)
            .mapToDouble(vector -> Arrays.stream(vector).map(v -> v * v).sum() / 2)
            .toArray();
  }

  /** {@return the number of vectors, at least 1} */
  public int count() {
    return vectors.length;
  }

  /** {@return the width of each vector, at least 1} */
  public int width() {
    return vectors[0].length;
  }

  /**
   * The nearest vector of every position.
   *
   * @param latents {@code [N,width,H,W]}
   * @return its number, the first of several that are as near, INT32 {@code [N,H,W]}
   * @throws IllegalArgumentException if the latents are of another shape
   */
  public INDArray nearest(INDArray latents) {
    requireLatents(latents);
    int images = (int) latents.size(0);
    int positions = (int) (latents.size(2) * latents.size(3));
    int width = width();
    double[] values = latents.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    int[] numbers = new int[images * positions];
    IntStream.range(0, numbers.length)
        .parallel()
        .forEach(
            i -> {
              int first = i / positions * width * positions + i % positions;
              double[] latent = new double[width];
              for (int c = 0; c < width; c++) {
                latent[c] = values[first + c * positions];
              }
              numbers[i] = nearest(latent);
            });
    return Nd4j.createFromArray(numbers).reshape(images, latents.size(2), latents.size(3));
  }

  /** The least |v - z|² is the greatest v·z - |v|²/2. */
  private int nearest(double[] latent) {
    int best = 0;
    double most = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < vectors.length; k++) {
      double[] vector = vectors[k];
      double sum = -halfSquares[k];
      for (int c = 0; c < latent.length; c++) {
        sum += vector[c] * latent[c];
      }
      if (sum > most) {
        most = sum;
        best = k;
      }
    }
    return best;
  }

  /**
   * Vectors by their numbers.
   *
   * @param numbers whole numbers from 0 to count-1, {@code [N,H,W]}
   * @return the vectors, FLOAT {@code [N,width,H,W]}
   * @throws IllegalArgumentException if there is no vector of a number
   */
  public INDArray lookUp(INDArray numbers) {
    if (numbers.rank() != 3) {
      throw new IllegalArgumentException(
          Text.format(
              "The numbers of vectors have the shape %s; it must be [N,H,W].",
              Arrays.toString(numbers.shape())));
    }
    int images = (int) numbers.size(0);
    int positions = (int) (numbers.size(1) * numbers.size(2));
    int width = width();
    int[] rows = numbers.castTo(DataType.INT32).dup('c').data().asInt();
    float[] values = new float[images * width * positions];
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] < 0 || rows[i] >= vectors.length) {
        throw new IllegalArgumentException(
            Text.format(
                "There is no vector %d in this codebook; they are numbered 0 to %d.",
                rows[i], vectors.length - 1));
      }
      int first = i / positions * width * positions + i % positions;
      for (int c = 0; c < width; c++) {
        values[first + c * positions] = (float) vectors[rows[i]][c];
      }
    }
    return Nd4j.createFromArray(values).reshape(images, width, numbers.size(1), numbers.size(2));
  }

  /** A checksum of all vectors. */
  String fingerprint() {
    return HexFormat.of().toHexDigits(Arrays.deepHashCode(vectors));
  }

  private void requireLatents(INDArray latents) {
    if (latents.rank() != 4 || latents.size(1) != width()) {
      throw new IllegalArgumentException(
          Text.format(
              "The latents have the shape %s where this codebook takes [N,%d,H,W].",
              Arrays.toString(latents.shape()), width()));
    }
  }
}

package org.ddpm4j.evaluation;

import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The Fréchet distance, squared as is usual, of two normal distributions that have the means and
 * covariances of features (Dowson and Landau 1982; Heusel et al. 2017, eq. 6): {@code |m₁ - m₂|² +
 * tr(C₁ + C₂ - 2(C₁C₂)^½)}. With InceptionV3's features it is the FID.
 *
 * <p>It grows when fewer images are compared: figures of different numbers of images must not be
 * set side by side.
 */
public final class FrechetDistance {

  private FrechetDistance() {}

  /**
   * The distance of two sets of features.
   *
   * @param a of at least two images
   * @param b of at least two images, by the same network
   * @return at least 0, up to rounding
   * @throws IllegalArgumentException if the features are of different length
   * @throws IllegalStateException if there are fewer than two images, or LAPACK does not converge
   */
  public static double between(FeatureStatistics a, FeatureStatistics b) {
    Objects.requireNonNull(a, "a").requireSameDimensions(Objects.requireNonNull(b, "b"));
    int dimensions = a.dimensions();
    double[] meanA = a.mean();
    double[] meanB = b.mean();
    double distance = 0;
    for (int i = 0; i < dimensions; i++) {
      double difference = meanA[i] - meanB[i];
      distance += difference * difference;
    }
    double[] covarianceA = a.covariance();
    double[] covarianceB = b.covariance();
    for (int i = 0; i < dimensions; i++) {
      distance += covarianceA[i * dimensions + i] + covarianceB[i * dimensions + i];
    }
    return distance - 2 * traceOfRoot(matrix(covarianceA), matrix(covarianceB));
  }

  private static INDArray matrix(double[] values) {
    long size = Math.round(Math.sqrt(values.length));
    return Nd4j.create(values, new long[] {size, size}, DataType.DOUBLE);
  }

  /**
   * The trace of {@code (AB)^½}. AB has the eigenvalues of {@code A^½ B A^½}, which is symmetric
   * and not negative: two symmetric eigenproblems, which are always solved well, rather than the
   * root of a matrix that is not symmetric and may be singular.
   */
  private static double traceOfRoot(INDArray a, INDArray b) {
    INDArray vectors = a.dup('f');
    INDArray values = eigenvalues(vectors, true);
    INDArray roots = Transforms.sqrt(Transforms.max(values, 0));
    INDArray root = vectors.mulRowVector(roots).mmul(vectors.transpose());
    INDArray product = root.mmul(b).mmul(root);
    INDArray symmetric = product.add(product.transpose()).muli(0.5).dup('f');
    return Transforms.sqrt(Transforms.max(eigenvalues(symmetric, false), 0))
        .sumNumber()
        .doubleValue();
  }

  /**
   * Eigenvalues of a symmetric matrix, by LAPACK, which ND4J brings.
   *
   * @param matrix in Fortran's order; receives the eigenvectors as columns if they are wanted, and
   *     is overwritten in any case
   * @param withVectors whether eigenvectors are wanted
   * @return in rising order
   */
  private static INDArray eigenvalues(INDArray matrix, boolean withVectors) {
    INDArray values = Nd4j.create(DataType.DOUBLE, matrix.rows());
    int info = Nd4j.getBlasWrapper().lapack().syev(withVectors ? 'V' : 'N', 'U', matrix, values);
    if (info != 0) {
      throw new IllegalStateException(
          Text.format(
              "LAPACK did not find the eigenvalues of a matrix of %d rows (syev: %d).",
              matrix.rows(), info));
    }
    return values;
  }
}

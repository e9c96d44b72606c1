package org.ddpm4j.evaluation;

import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.blas.BlasException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The Fréchet distance, squared as is usual, of two normal distributions that have the means and
 * covariances of features (Dowson and Landau 1982; Heusel et al. 2017, eq. 6): {@code |m₁ - m₂|² +
 * tr(C₁ + C₂ - 2(C₁C₂)^½)}. With InceptionV3's features it is the FID.
 *
 * <p>It grows when fewer images are compared: figures of different numbers of images must not be
 * set side by side.
 */
public final class FrechetDistance {

  /**
   * Eigenvalues of this part of the largest are rounding errors of 0: of singular covariances of 2
   * to 1000 features, LAPACK's were up to 2⁻⁵¹ of it.
   */
  private static final double ROUNDING = 0x1p-48;

  private FrechetDistance() {}

  /**
   * The distance of two sets of features.
   *
   * @param a of at least two images
   * @param b of at least two images, by the same network
   * @return at least 0
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
    // It is a square: what rounding leaves below 0, of a set and itself for instance, is 0.
    return Math.max(0, distance - 2 * traceOfRoot(covarianceA, covarianceB));
  }

  /**
   * The trace of {@code (C₁C₂)^½}. With roots {@code C = RRᵀ}, C₁C₂ has the eigenvalues of {@code
   * MMᵀ}, where {@code M = R₁ᵀR₂}, so that the trace is the sum of M's singular values. No matrix
   * is squared on the way: the root of what rounding leaves of a number that should be 0 would be
   * 10⁻⁸, once for each dimension in which a covariance is singular.
   */
  private static double traceOfRoot(double[] a, double[] b) {
    INDArray rootA = root(a);
    INDArray rootB = root(b);
    if (rootA.isEmpty() || rootB.isEmpty()) {
      return 0;
    }
    INDArray product = rootA.transpose().mmul(rootB).dup('f');
    INDArray values = Nd4j.create(DataType.DOUBLE, Math.min(product.rows(), product.columns()));
    try {
      Nd4j.getBlasWrapper().lapack().gesvd(product, values, null, null);
    } catch (BlasException e) {
      throw new IllegalStateException(
          Text.format(
              "LAPACK did not find the singular values of a matrix of %d row(s) and %d column(s).",
              product.rows(), product.columns()),
          e);
    }
    return values.sumNumber().doubleValue();
  }

  /**
   * A root of a covariance, without the dimensions in which it is singular.
   *
   * @param covariance C, {@code [D,D]} row by row
   * @return R with {@code RRᵀ = C}, a column for each eigenvector that is not of the eigenvalue 0,
   *     {@code [D,rank]}; empty if all are
   */
  private static INDArray root(double[] covariance) {
    int dimensions = (int) Math.round(Math.sqrt(covariance.length));
    INDArray vectors =
        Nd4j.create(covariance, new long[] {dimensions, dimensions}, DataType.DOUBLE).dup('f');
    INDArray values = Nd4j.create(DataType.DOUBLE, dimensions);
    int info = Nd4j.getBlasWrapper().lapack().syev('V', 'U', vectors, values);
    if (info != 0) {
      throw new IllegalStateException(
          Text.format(
              "LAPACK did not find the eigenvalues of a matrix of %d row(s) (syev: %d).",
              dimensions, info));
    }
    // In rising order.
    double[] eigenvalues = values.data().asDouble();
    double none = ROUNDING * Math.max(0, eigenvalues[dimensions - 1]);
    int first = 0;
    while (first < dimensions && eigenvalues[first] <= none) {
      first++;
    }
    if (first == dimensions) {
      return Nd4j.empty(DataType.DOUBLE);
    }
    double[] roots = new double[dimensions - first];
    for (int i = 0; i < roots.length; i++) {
      roots[i] = Math.sqrt(eigenvalues[first + i]);
    }
    return vectors
        .get(NDArrayIndex.all(), NDArrayIndex.interval(first, dimensions))
        .mulRowVector(Nd4j.create(roots, new long[] {roots.length}, DataType.DOUBLE));
  }
}

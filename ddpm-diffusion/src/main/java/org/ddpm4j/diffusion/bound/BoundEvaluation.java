package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The bound of images, and how large the errors behind it are. All in DOUBLE; N images at S
 * timesteps.
 *
 * @param timesteps where it was evaluated, S of them
 * @param prior L_T of each image in bits/dim, {@code [N]}
 * @param terms L_t of each image in bits/dim, {@code [N,S]}
 * @param x0SquaredError mean over an image's elements of the squared error of x0, as the reverse
 *     process uses it, {@code [N,S]}
 * @param epsSquaredError mean over an image's elements of the squared error of ε as the denoiser
 *     says it, {@code [N,S]}
 */
public record BoundEvaluation(
    StratifiedTimesteps timesteps,
    INDArray prior,
    INDArray terms,
    INDArray x0SquaredError,
    INDArray epsSquaredError) {

  /**
   * A mean over images.
   *
   * @param mean over the images
   * @param standardError of that mean, from the spread of the images; NaN for a single one
   */
  public record Average(double mean, double standardError) {

    /**
     * The average of values.
     *
     * @param values one for each image, at least one
     * @return mean and standard error
     * @throws IllegalArgumentException if there are none
     */
    public static Average of(double... values) {
      if (Objects.requireNonNull(values, "values").length == 0) {
        throw new IllegalArgumentException("No values have no average; give one for each image.");
      }
      double mean = Arrays.stream(values).average().orElseThrow();
      double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
      double n = values.length;
      return new Average(mean, n > 1 ? Math.sqrt(squares / (n - 1) / n) : Double.NaN);
    }
  }

  /**
   * Checks the shapes.
   *
   * @throws IllegalArgumentException if they do not fit each other
   */
  public BoundEvaluation {
    Objects.requireNonNull(timesteps, "timesteps");
    Objects.requireNonNull(prior, "prior");
    Objects.requireNonNull(terms, "terms");
    Objects.requireNonNull(x0SquaredError, "x0SquaredError");
    Objects.requireNonNull(epsSquaredError, "epsSquaredError");
    long[] shape = {prior.length(), timesteps.strata().size()};
    for (INDArray matrix : List.of(terms, x0SquaredError, epsSquaredError)) {
      if (!Arrays.equals(matrix.shape(), shape)) {
        throw new IllegalArgumentException(
            Text.format(
                "A matrix of %1$d images at %2$d timesteps has the shape %3$s; it must be [%1$d,%2$d].",
                shape[0], shape[1], Arrays.toString(matrix.shape())));
      }
    }
  }

  /**
   * Several evaluations at the same timesteps as one.
   *
   * @param parts of some images each, at least one
   * @return that of all images, in order
   * @throws IllegalArgumentException if there are none or their timesteps differ
   */
  public static BoundEvaluation concat(List<BoundEvaluation> parts) {
    Objects.requireNonNull(parts, "parts");
    if (parts.stream().map(BoundEvaluation::timesteps).distinct().count() != 1) {
      throw new IllegalArgumentException(
          "Evaluations at different timesteps, or none at all, cannot be put together; take the"
              + " same timesteps for all images.");
    }
    return new BoundEvaluation(
        parts.get(0).timesteps,
        rows(parts, BoundEvaluation::prior),
        rows(parts, BoundEvaluation::terms),
        rows(parts, BoundEvaluation::x0SquaredError),
        rows(parts, BoundEvaluation::epsSquaredError));
  }

  private static INDArray rows(
      List<BoundEvaluation> parts, Function<BoundEvaluation, INDArray> matrix) {
    return Nd4j.concat(0, parts.stream().map(matrix).toArray(INDArray[]::new));
  }

  /** {@return the number of images, N} */
  public int images() {
    return Math.toIntExact(prior.length());
  }

  /**
   * What the last step costs, {@code -log p(x0 | x1)}.
   *
   * @return L_0 of each image in bits/dim, N of them
   */
  public double[] decoderTerm() {
    return terms.getColumn(0).toDoubleVector();
  }

  /**
   * What all other steps cost: the sum of L_t over t = 1..T-1, each evaluated timestep counting for
   * its stratum.
   *
   * @return the sum for each image in bits/dim, N of them
   */
  public double[] transitionTerms() {
    List<StratifiedTimesteps.Stratum> strata = timesteps.strata();
    return IntStream.range(0, images())
        .mapToDouble(
            n ->
                IntStream.range(1, strata.size())
                    .mapToDouble(s -> strata.get(s).size() * terms.getDouble(n, s))
                    .sum())
        .toArray();
  }

  /**
   * The bound: L_T, all L_t and L_0 together.
   *
   * @return the bound of each image in bits/dim, N of them
   */
  public double[] total() {
    double[] decoder = decoderTerm();
    double[] transitions = transitionTerms();
    return IntStream.range(0, images())
        .mapToDouble(n -> prior.getDouble(n) + transitions[n] + decoder[n])
        .toArray();
  }

  /**
   * One timestep's value over all images.
   *
   * @param matrix {@link #terms}, {@link #x0SquaredError} or {@link #epsSquaredError}
   * @param stratum index of the timestep among the strata, 0..S-1
   * @return mean and standard error
   * @throws IllegalArgumentException if there is no such timestep
   */
  public static Average average(INDArray matrix, int stratum) {
    Objects.requireNonNull(matrix, "matrix");
    if (stratum < 0 || stratum >= matrix.columns()) {
      throw new IllegalArgumentException(
          Text.format(
              "There is no timestep number %d among the %d that were evaluated; numbers begin at 0.",
              stratum, matrix.columns()));
    }
    return Average.of(matrix.getColumn(stratum).toDoubleVector());
  }
}

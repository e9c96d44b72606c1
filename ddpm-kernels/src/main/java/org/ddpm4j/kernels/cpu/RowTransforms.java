package org.ddpm4j.kernels.cpu;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Transforms of rows of squares, by one thread or by those of a team.
 *
 * @param squares the rows
 * @param arrays that threads work in
 */
record RowTransforms(WinogradTiles squares, FloatArrays arrays) {

  /**
   * A transform of all rows of some images.
   *
   * @param team whose threads share it
   * @param firstImage of the images
   * @param images how many
   * @param transform begins with neighbouring rows, in arrays of its own
   * @return one part for each thread, or for each row if there are fewer
   */
  List<Kernel> parts(
      Optional<Team> team,
      int firstImage,
      int images,
      Function<FloatArrays.Loan, WinogradTiles.Row> transform) {
    int rows = images * squares.tileRows();
    int parts = Math.min(rows, team.map(Team::size).orElse(1));
    return IntStream.range(0, parts)
        .<Kernel>mapToObj(
            i -> () -> transform(firstImage, rows * i / parts, rows * (i + 1) / parts, transform))
        .toList();
  }

  private void transform(
      int firstImage, int begin, int end, Function<FloatArrays.Loan, WinogradTiles.Row> transform) {
    try (FloatArrays.Loan own = arrays.new Loan()) {
      squares.forEachRow(firstImage, begin, end, transform.apply(own));
    }
  }
}

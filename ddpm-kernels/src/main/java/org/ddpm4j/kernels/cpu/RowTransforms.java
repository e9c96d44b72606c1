package org.ddpm4j.kernels.cpu;

import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * What transforms rows of squares, by one thread or by those of a team.
 *
 * @param <A> the arrays that one thread at a time works in
 */
final class RowTransforms<A> {

  private final WinogradTiles squares;
  private final Supplier<A> arrays;
  private final Queue<A> unused = new ConcurrentLinkedQueue<>();

  /** Of these squares, in arrays of which there is one for a thread that has nobody's help. */
  RowTransforms(WinogradTiles squares, Supplier<A> arrays) {
    this.squares = squares;
    this.arrays = arrays;
    unused.add(arrays.get());
  }

  /**
   * A transform of all rows of some images.
   *
   * @param team whose threads share it
   * @param firstImage of the images
   * @param images how many
   * @param transform begins with neighbouring rows, in arrays that nobody else uses meanwhile
   * @return one part for each thread, or for each row if there are fewer
   */
  List<Kernel> parts(
      Optional<Team> team, int firstImage, int images, Function<A, WinogradTiles.Row> transform) {
    int rows = images * squares.tileRows();
    int parts = Math.min(rows, team.map(Team::size).orElse(1));
    return IntStream.range(0, parts)
        .<Kernel>mapToObj(
            i -> () -> transform(firstImage, rows * i / parts, rows * (i + 1) / parts, transform))
        .toList();
  }

  private void transform(
      int firstImage, int begin, int end, Function<A, WinogradTiles.Row> transform) {
    A own = unused.poll();
    if (own == null) {
      own = arrays.get();
    }
    squares.forEachRow(firstImage, begin, end, transform.apply(own));
    unused.add(own);
  }
}

package org.ddpm4j.kernels.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.plan.Kernel;

/** What one thread does as a whole, and a {@link Team} in parts: with the same results. */
final class SharedKernel implements Kernel {

  /** Floating-point operations that take several times as long as to share them out. */
  private static final double LEAST_FLOPS = 3e6;

  private final CpuContext context;
  private final Kernel whole;
  private final IntFunction<List<Kernel>> cut;

  /** What a number of a normalisation takes, in floating-point operations of matrix products. */
  static final double FLOPS_OF_NORMALISATION = 100;

  /** The parts for each size of team that there has been. */
  private final Map<Integer, List<Kernel>> parts = new HashMap<>();

  /** Whether so many floating-point operations are worth sharing. */
  static boolean isWorth(double flops) {
    return flops >= LEAST_FLOPS;
  }

  /** Who helps with so many floating-point operations, if that is worth it. */
  static Optional<Team> team(CpuContext context, double flops) {
    return isWorth(flops) ? context.workers().team() : Optional.empty();
  }

  /**
   * A kernel that is shared if that is worth it.
   *
   * @param flops its floating-point operations
   * @param whole what all parts do
   * @param cut makes parts for so many threads, that may run at the same time and have a {@link
   *     CpuContext#ofPart} each; fewer than two where only the whole will do
   * @return the whole alone, or with its parts
   */
  static Kernel of(CpuContext context, double flops, Kernel whole, IntFunction<List<Kernel>> cut) {
    return isWorth(flops) ? new SharedKernel(context, whole, cut) : whole;
  }

  /** Makes what is done to some images. */
  @FunctionalInterface
  interface OfImages {

    /**
     * A kernel for images that none of the others is for.
     *
     * @param context of the kernel alone
     * @param first of the images
     * @param end behind the last
     */
    Kernel kernel(CpuContext context, int first, int end);
  }

  /**
   * A kernel whose images are shared out if that is worth it.
   *
   * @param flops floating-point operations
   * @param images how many
   * @param some the whole and the parts
   */
  static Kernel ofImages(CpuContext context, double flops, int images, OfImages some) {
    return of(
        context,
        flops,
        some.kernel(context, 0, images),
        threads -> {
          int count = Math.min(threads, images);
          return IntStream.range(0, count)
              .mapToObj(
                  i -> some.kernel(context.ofPart(i), images * i / count, images * (i + 1) / count))
              .toList();
        });
  }

  private SharedKernel(CpuContext context, Kernel whole, IntFunction<List<Kernel>> cut) {
    this.context = context;
    this.whole = whole;
    this.cut = cut;
  }

  @Override
  public void run() {
    Optional<Team> team = context.workers().team();
    int threads = team.map(Team::size).orElse(1);
    List<Kernel> shared = threads == 1 ? List.of() : parts(threads);
    if (shared.size() < 2) {
      whole.run();
    } else {
      team.get().run(shared);
    }
  }

  private List<Kernel> parts(int threads) {
    return parts.computeIfAbsent(threads, n -> context.preparing(() -> cut.apply(n)));
  }
}

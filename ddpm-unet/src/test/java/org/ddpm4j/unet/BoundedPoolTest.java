package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BoundedPoolTest {

  private final AtomicInteger made = new AtomicInteger();
  private final List<Integer> closed = new ArrayList<>();

  private BoundedPool<Integer> pool(int most) {
    return new BoundedPool<>(most, made::incrementAndGet, closed::add);
  }

  @Test
  void manyThreadsShareFew() throws Exception {
    BoundedPool<Integer> pool = pool(3);
    AtomicInteger inUse = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    ExecutorService executor = Executors.newFixedThreadPool(12);
    try {
      List<Future<?>> futures = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        futures.add(
            executor.submit(
                () ->
                    pool.use(
                        one -> {
                          most.accumulateAndGet(inUse.incrementAndGet(), Math::max);
                          Thread.yield();
                          inUse.decrementAndGet();
                        })));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    } finally {
      executor.shutdownNow();
    }
    assertThat(most.get()).isBetween(1, 3);
    assertThat(made.get()).isBetween(1, 3);
    pool.close();
    assertThat(closed).hasSize(made.get()).doesNotHaveDuplicates();
  }

  @Test
  void whatFailedIsClosedAndItsPlaceIsFree() {
    BoundedPool<Integer> pool = pool(1);
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(
              () ->
                  pool.use(
                      one -> {
                        throw new IllegalStateException("failed");
                      }))
          .hasMessage("failed");
    }
    assertThat(closed).containsExactly(1, 2, 3);
    pool.use(one -> assertThat(one).isEqualTo(4));
    pool.use(one -> assertThat(one).isEqualTo(4));
  }

  @Test
  void aMakerThatFailsKeepsNoPlace() {
    BoundedPool<Integer> pool =
        new BoundedPool<>(
            1,
            () -> {
              if (made.incrementAndGet() < 3) {
                throw new IllegalStateException("no memory");
              }
              return 7;
            },
            closed::add);
    assertThatThrownBy(() -> pool.use(one -> {})).hasMessage("no memory");
    assertThatThrownBy(() -> pool.use(one -> {})).hasMessage("no memory");
    pool.use(one -> assertThat(one).isEqualTo(7));
    assertThat(closed).isEmpty();
  }
}

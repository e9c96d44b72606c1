package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class RecentlyUsedTest {

  private final List<String> made = Collections.synchronizedList(new ArrayList<>());
  private final List<String> closed = Collections.synchronizedList(new ArrayList<>());
  private final RecentlyUsed<String, String> three = new RecentlyUsed<>(3, closed::add);

  private String make(String key) {
    made.add(key);
    return key;
  }

  private void use(String... keys) {
    for (String key : keys) {
      assertThat(three.use(key, () -> make(key), Function.identity())).isEqualTo(key);
    }
  }

  @Test
  void thoseStayThatWereUsedLast() {
    use("a", "b", "c", "a", "d", "a", "c");
    assertThat(made).containsExactly("a", "b", "c", "d");
    assertThat(closed).containsExactly("b");
    use("b");
    assertThat(made).endsWith("b");
    assertThat(closed).containsExactly("b", "d");
    three.close();
    assertThat(closed).containsExactlyInAnyOrder("b", "d", "a", "c", "b");
  }

  @Test
  void noneIsClosedWhileItIsUsed() {
    three.use(
        "a",
        () -> make("a"),
        a -> {
          use("b", "c", "d", "e");
          assertThat(closed).containsExactly("b", "c");
          return null;
        });
    use("f");
    assertThat(closed).containsExactly("b", "c", "a");
  }

  @Test
  void whatIsKeptStays() {
    assertThat(three.keep("a", () -> make("a"))).isEqualTo("a");
    use("b", "c", "d", "e", "a");
    assertThat(made).containsOnlyOnce("a");
    assertThat(closed).doesNotContain("a");
    three.close();
    assertThat(closed).contains("a");
  }

  @Test
  void whatCouldNotBeMadeIsMadeLater() {
    assertThatThrownBy(
            () ->
                three.use(
                    "a",
                    () -> {
                      throw new OutOfMemoryError("too little");
                    },
                    Function.identity()))
        .isInstanceOf(OutOfMemoryError.class);
    use("a", "b", "c", "d");
    assertThat(closed).containsExactly("a");
  }

  @Test
  void manyThreadsUseOnlyWhatIsOpen() throws Exception {
    AtomicInteger open = new AtomicInteger();
    RecentlyUsed<Integer, AtomicBoolean> shared =
        new RecentlyUsed<>(
            3,
            one -> {
              assertThat(one.getAndSet(false)).as("closed once").isTrue();
              open.decrementAndGet();
            });
    ExecutorService executor = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> futures = new ArrayList<>();
      for (int thread = 0; thread < 8; thread++) {
        SplittableRandom random = new SplittableRandom(thread);
        futures.add(
            executor.submit(
                () -> {
                  for (int i = 0; i < 2000; i++) {
                    shared.use(
                        random.nextInt(9),
                        () -> {
                          open.incrementAndGet();
                          return new AtomicBoolean(true);
                        },
                        one -> {
                          assertThat(one.get()).isTrue();
                          Thread.yield();
                          assertThat(one.get()).isTrue();
                          return null;
                        });
                  }
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    } finally {
      executor.shutdownNow();
    }
    assertThat(open.get()).isEqualTo(3);
    shared.close();
    assertThat(open.get()).isZero();
  }
}

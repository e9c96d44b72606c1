package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

class PrefetchingIteratorTest {

  private static ImageDataSetIterator plain() {
    byte[] pixels = new byte[23 * 4];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) i;
    }
    ImageDataSet data =
        ImageDataSet.of(
            new ImageShape(1, 2, 2), pixels, new int[23], List.of("all"), "numbered images");
    return new ImageDataSetIterator(
        data, BatchOptions.of(5, 3).withFlip(HorizontalFlip.RANDOM).withLastBatch(LastBatch.KEEP));
  }

  private static boolean same(DataSet a, DataSet b) {
    return a.getFeatures().equals(b.getFeatures()) && a.getLabels().equals(b.getLabels());
  }

  @Test
  void batchesOfStepsAreTheSameInWhateverOrder() {
    ImageDataSetIterator plain = plain();
    try (PrefetchingIterator prefetching = new PrefetchingIterator(plain(), 3)) {
      for (long step : new long[] {0, 1, 2, 3, 4, 5, 6, 100, 101, 7, 7, 8, 10, 0}) {
        assertThat(same(prefetching.batch(step), plain.batch(step))).as("step %d", step).isTrue();
      }
    }
  }

  @Test
  void epochsAreTheSame() {
    ImageDataSetIterator plain = plain();
    try (PrefetchingIterator prefetching = new PrefetchingIterator(plain())) {
      prefetching.reset();
      plain.reset();
      for (int epoch = 0; epoch < 3; epoch++) {
        assertThat(sizes(plain, prefetching)).containsExactly(5, 5, 5, 5, 3);
        assertThatThrownBy(prefetching::next).isInstanceOf(NoSuchElementException.class);
        plain.reset();
        prefetching.reset();
      }
      plain.next();
      prefetching.next();
      plain.reset();
      prefetching.reset();
      assertThat(same(prefetching.next(), plain.next())).as("after half an epoch").isTrue();
      plain.seek(12);
      prefetching.seek(12);
      assertThat(same(prefetching.next(5), plain.next())).as("after a jump").isTrue();
      assertThatThrownBy(() -> prefetching.next(4))
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }

  private static List<Integer> sizes(DataSetIterator plain, DataSetIterator prefetching) {
    List<Integer> sizes = new ArrayList<>();
    while (plain.hasNext()) {
      assertThat(prefetching.hasNext()).isTrue();
      DataSet expected = plain.next();
      assertThat(same(prefetching.next(), expected)).isTrue();
      sizes.add(expected.numExamples());
    }
    assertThat(prefetching.hasNext()).isFalse();
    return sizes;
  }

  @Test
  void batchesAreMadeOnOneOtherThreadThatClosingEnds() throws InterruptedException {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    PrefetchingIterator prefetching = new PrefetchingIterator(plain());
    prefetching.setPreProcessor(batch -> threads.add(Thread.currentThread()));
    for (int step = 0; step < 10; step++) {
      prefetching.batch(step);
    }
    assertThat(threads).hasSize(1).doesNotContain(Thread.currentThread());
    Thread prefetcher = threads.iterator().next();
    assertThat(prefetcher.isAlive()).isTrue();
    assertThat(prefetcher.isDaemon()).isTrue();

    prefetching.close();
    prefetching.close();
    prefetcher.join();
    assertThatThrownBy(() -> prefetching.batch(10)).hasMessageContaining("closed");
  }

  /** A training is cancelled so, and says so, wherever it is. */
  @Test
  void anInterruptCancelsTheWaitForABatchWhichIsThereLater() throws Exception {
    try (PrefetchingIterator prefetching = new PrefetchingIterator(plain())) {
      CountDownLatch open = new CountDownLatch(1);
      prefetching.setPreProcessor(
          batch -> {
            try {
              open.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> prefetching.batch(3))
          .isInstanceOf(CancellationException.class)
          .hasMessage("Waiting for the batch of step 3 was interrupted.");
      assertThat(Thread.interrupted()).isTrue();

      open.countDown();
      assertThat(prefetching.batch(3)).isEqualTo(plain().batch(3));
    }
  }

  @Test
  void whatMakingABatchThrowsIsThrownForItsStep() {
    try (PrefetchingIterator prefetching = new PrefetchingIterator(plain())) {
      prefetching.setPreProcessor(
          batch -> {
            if (((DataSet) batch).getFeatures().size(0) == 3) {
              throw new ArithmeticException("the last batch");
            }
          });
      for (int step = 0; step < 4; step++) {
        prefetching.batch(step);
      }
      assertThatThrownBy(() -> prefetching.batch(4))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("the last batch");
      assertThat(prefetching.batch(5)).isNotNull();
    }
  }

  @Test
  void whatIsImpossibleIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new PrefetchingIterator(plain(), 0));
    try (PrefetchingIterator prefetching = new PrefetchingIterator(plain())) {
      assertThatIllegalArgumentException().isThrownBy(() -> prefetching.batch(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> prefetching.seek(-1));
    }
  }
}

package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.deeplearning4j.datasets.iterator.AsyncDataSetIterator;
import org.deeplearning4j.datasets.iterator.DataSetIteratorSplitter;
import org.deeplearning4j.datasets.iterator.EarlyTerminationDataSetIterator;
import org.deeplearning4j.datasets.iterator.MultipleEpochsIterator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.CachingDataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.cache.InMemoryDataSetCache;

/** Deeplearning4j's own iterators, over ours: each gives the images that it would of its own. */
@SuppressWarnings("deprecation") // Some have successors, but these are what programs still use.
class Dl4jWrappersTest {

  private static final int SIZE = 10;
  private static final int BATCH = 4;
  private static final List<Integer> ALL = IntStream.range(0, SIZE).boxed().toList();

  /** Image n is one pixel of the level n. */
  private static ImageDataSet numbered() {
    byte[] pixels = new byte[SIZE];
    for (int n = 0; n < SIZE; n++) {
      pixels[n] = (byte) n;
    }
    return ImageDataSet.of(
        new ImageShape(1, 1, 1), pixels, new int[SIZE], List.of("all"), "numbers");
  }

  private static ImageDataSetIterator shuffled() {
    return new ImageDataSetIterator(numbered(), BatchOptions.of(BATCH, 3));
  }

  private static ImageDataSetIterator unshuffled() {
    return new ImageDataSetIterator(numbered(), BatchOptions.unshuffled(BATCH));
  }

  private static List<Integer> numbers(DataSet batch) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < batch.numExamples(); i++) {
      double level = (batch.getFeatures().getDouble(i, 0, 0, 0) + 1) * 127.5;
      numbers.add((int) Math.round(level));
    }
    return numbers;
  }

  private static List<Integer> epoch(DataSetIterator iterator) {
    List<Integer> numbers = new ArrayList<>();
    while (iterator.hasNext()) {
      numbers.addAll(numbers(iterator.next()));
    }
    return numbers;
  }

  @Test
  void theLastSmallerBatchIsThereByDefault() {
    for (BatchOptions options :
        List.of(BatchOptions.of(BATCH, 3), BatchOptions.unshuffled(BATCH))) {
      ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(), options);
      assertThat(iterator.stepsPerEpoch()).isEqualTo(3);
      assertThat(epoch(iterator)).containsExactlyInAnyOrderElementsOf(ALL);
      assertThat(iterator.batch(2).numExamples()).isEqualTo(2);
    }
    ImageDataSetIterator training =
        new ImageDataSetIterator(numbered(), BatchOptions.forTraining(BATCH, 3));
    assertThat(epoch(training)).hasSize(8);
  }

  @Test
  void unshuffledEpochsAreTheDataSetItself() {
    ImageDataSetIterator iterator = unshuffled();
    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(epoch(iterator)).isEqualTo(ALL);
      iterator.reset();
    }
    assertThat(iterator.indices(4)).containsExactly(4, 5, 6, 7);
    BatchOptions mirrored = BatchOptions.unshuffled(BATCH).withFlip(HorizontalFlip.RANDOM);
    assertThat(mirrored.order()).isEqualTo(ImageOrder.STORED);
    assertThat(mirrored.withOrder(ImageOrder.SHUFFLED).flip()).isEqualTo(HorizontalFlip.RANDOM);
  }

  @Test
  void aSplitterHasTheSameImagesOnEachSideInEveryEpoch() {
    DataSetIteratorSplitter splitter = new DataSetIteratorSplitter(unshuffled(), 3, 2 / 3.0);
    DataSetIterator training = splitter.getTrainIterator();
    DataSetIterator test = splitter.getTestIterator();
    for (int epoch = 0; epoch < 3; epoch++) {
      training.reset();
      assertThat(epoch(training)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
      assertThat(epoch(test)).containsExactly(8, 9);
    }
  }

  @Test
  void anAsynchronousIteratorGivesTheSameBatches() {
    ImageDataSetIterator alone = shuffled();
    AsyncDataSetIterator behind = new AsyncDataSetIterator(shuffled(), 2);
    try {
      for (int epoch = 0; epoch < 3; epoch++) {
        assertThat(epoch(behind)).hasSize(SIZE).isEqualTo(epoch(alone));
        behind.reset();
        alone.reset();
      }
    } finally {
      behind.shutdown();
    }
  }

  /** What is remembered is the first epoch, whichever the order. */
  @Test
  void aCachingIteratorRepeatsTheFirstEpoch() {
    List<Integer> first = epoch(shuffled());
    CachingDataSetIterator caching =
        new CachingDataSetIterator(shuffled(), new InMemoryDataSetCache());
    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(epoch(caching)).isEqualTo(first);
      caching.reset();
    }
  }

  @Test
  void severalEpochsFollowEachOtherEachInItsOwnOrder() {
    ImageDataSetIterator alone = shuffled();
    List<Integer> expected = new ArrayList<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      expected.addAll(epoch(alone));
      alone.reset();
    }
    List<Integer> seen = epoch(new MultipleEpochsIterator(3, shuffled()));
    assertThat(seen).isEqualTo(expected);
    assertThat(seen.subList(SIZE, 2 * SIZE)).isNotEqualTo(seen.subList(0, SIZE));
  }

  @Test
  void anEpochMayEndEarly() {
    EarlyTerminationDataSetIterator ended = new EarlyTerminationDataSetIterator(unshuffled(), 2);
    for (int epoch = 0; epoch < 2; epoch++) {
      assertThat(epoch(ended)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
      ended.reset();
    }
  }

  @Test
  void prefetchingKeepsToTheContractToo() {
    try (PrefetchingIterator ahead = new PrefetchingIterator(unshuffled())) {
      List<Integer> seen = epoch(new MultipleEpochsIterator(2, ahead));
      assertThat(seen).hasSize(2 * SIZE);
      assertThat(seen.subList(0, SIZE)).isEqualTo(ALL);
      assertThat(seen.subList(SIZE, 2 * SIZE)).isEqualTo(ALL);
    }
  }
}

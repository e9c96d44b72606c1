package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.training.BatchSource;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;

class ImageDataSetIteratorTest {

  private static final int WIDTH = 4;

  /** Image n is {@code [1,1,4]} = (n / 250, n % 250, 254, 255), so that it tells its number. */
  private static ImageDataSet numbered(int size) {
    byte[] pixels = new byte[size * WIDTH];
    int[] labels = new int[size];
    for (int n = 0; n < size; n++) {
      pixels[n * WIDTH] = (byte) (n / 250);
      pixels[n * WIDTH + 1] = (byte) (n % 250);
      pixels[n * WIDTH + 2] = (byte) 254;
      pixels[n * WIDTH + 3] = (byte) 255;
      labels[n] = n % 3;
    }
    ImageShape shape = new ImageShape(1, 1, WIDTH);
    return ImageDataSet.of(shape, pixels, labels, List.of("a", "b", "c"), "numbers");
  }

  private static int[] row(DataSet batch, int i) {
    int[] row = new int[WIDTH];
    for (int x = 0; x < WIDTH; x++) {
      row[x] = Normalization.SYMMETRIC.toPixel(batch.getFeatures().getDouble(i, 0, 0, x), 0);
    }
    return row;
  }

  private static boolean isMirrored(int[] row) {
    return row[0] == 255;
  }

  private static int number(int[] row) {
    int[] pair = isMirrored(row) ? new int[] {row[3], row[2]} : row;
    return pair[0] * 250 + pair[1];
  }

  private static List<Integer> numbers(DataSet batch) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < batch.numExamples(); i++) {
      numbers.add(number(row(batch, i)));
    }
    return numbers;
  }

  private static final BatchOptions KEEP_ALL =
      BatchOptions.of(16, 7).withFlip(HorizontalFlip.RANDOM).withLastBatch(LastBatch.KEEP);

  @Test
  void stepsAreWhatIterationYieldsOverThreeEpochs() {
    for (LastBatch lastBatch : LastBatch.values()) {
      BatchOptions options = KEEP_ALL.withLastBatch(lastBatch);
      ImageDataSet data = numbered(100);
      ImageDataSetIterator iterator = new ImageDataSetIterator(data, options);
      ImageDataSetIterator other = new ImageDataSetIterator(data, options);
      assertThat(iterator.stepsPerEpoch()).isEqualTo(lastBatch == LastBatch.KEEP ? 7 : 6);

      long step = 0;
      for (int epoch = 0; epoch < 3; epoch++) {
        while (iterator.hasNext()) {
          assertThat(iterator.next()).isEqualTo(other.batch(step));
          step++;
        }
        iterator.reset();
      }
      assertThat(step).isEqualTo(3 * iterator.stepsPerEpoch());
    }
  }

  /** Made by themselves, the shards of a batch are the parts that cutting it would give. */
  @Test
  void shardsAreThePartsOfTheBatch() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(100), KEEP_ALL);
    BatchSource cutting = iterator::batch;
    // Step 6 has the last 4 images of the epoch, fewer than shards.
    for (long step : new long[] {0, 6, 9}) {
      for (int shards : new int[] {1, 3, 5}) {
        List<Integer> all = new ArrayList<>();
        for (int shard = 0; shard < shards; shard++) {
          BatchSource.Shard made = iterator.shard(step, shard, shards);
          BatchSource.Shard cut = cutting.shard(step, shard, shards);
          assertThat(made.first()).isEqualTo(cut.first()).isEqualTo(all.size());
          assertThat(made.total()).isEqualTo(cut.total()).isEqualTo(step == 6 ? 4 : 16);
          assertThat(made.size()).isEqualTo(cut.size());
          made.images().ifPresent(own -> all.addAll(numbers(own)));
          assertThat(made.images().map(DataSet::getFeatures))
              .isEqualTo(cut.images().map(DataSet::getFeatures));
          assertThat(made.images().map(DataSet::getLabels))
              .isEqualTo(cut.images().map(DataSet::getLabels));
        }
        assertThat(all).isEqualTo(numbers(iterator.batch(step)));
      }
    }
    assertThatIllegalArgumentException().isThrownBy(() -> iterator.shard(0, 3, 3));
    assertThatIllegalArgumentException().isThrownBy(() -> cutting.shard(0, -1, 3));
  }

  @Test
  void anEpochVisitsEachImageOnce() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(1003), KEEP_ALL);
    for (int epoch = 0; epoch < 3; epoch++) {
      List<Integer> visited = new ArrayList<>();
      int last = 0;
      while (iterator.hasNext()) {
        DataSet batch = iterator.next();
        visited.addAll(numbers(batch));
        last = batch.numExamples();
      }
      iterator.reset();
      assertThat(last).isEqualTo(1003 % 16);
      assertThat(visited)
          .isNotEqualTo(IntStream.range(0, 1003).boxed().toList())
          .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 1003).boxed().toList());
    }
  }

  @Test
  void droppingLeavesOtherImagesOutEachEpoch() {
    ImageDataSetIterator iterator =
        new ImageDataSetIterator(numbered(20), BatchOptions.forTraining(16, 7));
    assertThat(iterator.stepsPerEpoch()).isEqualTo(1);

    assertThat(numbers(iterator.batch(0))).hasSize(16).doesNotHaveDuplicates();
    int[] seen = new int[20];
    for (long step = 0; step < 50; step++) {
      numbers(iterator.batch(step)).forEach(n -> seen[n]++);
    }
    assertThat(seen).doesNotContain(0);
  }

  @Test
  void seedsAndEpochsDiffer() {
    ImageDataSet data = numbered(100);
    BatchOptions options = BatchOptions.of(100, 7);
    ImageDataSetIterator iterator = new ImageDataSetIterator(data, options);

    assertThat(iterator.indices(0)).isEqualTo(new ImageDataSetIterator(data, options).indices(0));
    assertThat(iterator.indices(1)).isNotEqualTo(iterator.indices(0));
    ImageDataSetIterator reseeded = new ImageDataSetIterator(data, BatchOptions.of(100, 8));
    assertThat(reseeded.indices(0)).isNotEqualTo(iterator.indices(0));
  }

  @Test
  void theOrderDoesNotDependOnTheBatchSize() {
    ImageDataSet data = numbered(60);
    int[] whole = new ImageDataSetIterator(data, BatchOptions.of(60, 7)).indices(1);
    ImageDataSetIterator small = new ImageDataSetIterator(data, BatchOptions.of(20, 7));

    assertThat(Arrays.copyOfRange(whole, 20, 40)).isEqualTo(small.indices(4));
  }

  @Test
  void labelsAndIndicesBelongToTheImages() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(100), KEEP_ALL);
    for (long step = 0; step < 7; step++) {
      DataSet batch = iterator.batch(step);
      List<Integer> numbers = numbers(batch);
      assertThat(numbers).isEqualTo(Arrays.stream(iterator.indices(step)).boxed().toList());
      for (int i = 0; i < numbers.size(); i++) {
        for (int k = 0; k < 3; k++) {
          assertThat(batch.getLabels().getInt(i, k)).isEqualTo(numbers.get(i) % 3 == k ? 1 : 0);
        }
      }
    }
  }

  @Test
  void halfOfTheImagesAreMirroredExactly() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(1000), KEEP_ALL);
    boolean[][] mirrored = new boolean[4][1000];
    int count = 0;
    for (int epoch = 0; epoch < 4; epoch++) {
      for (long step = 0; step < iterator.stepsPerEpoch(); step++) {
        DataSet batch = iterator.batch(epoch * iterator.stepsPerEpoch() + step);
        for (int i = 0; i < batch.numExamples(); i++) {
          int[] row = row(batch, i);
          int n = number(row);
          int[] upright = {n / 250, n % 250, 254, 255};
          int[] turned = {255, 254, n % 250, n / 250};
          assertThat(row).isEqualTo(isMirrored(row) ? turned : upright);
          mirrored[epoch][n] = isMirrored(row);
          count += isMirrored(row) ? 1 : 0;
        }
      }
    }
    // Binomial(4000, 1/2) has standard deviation 31.6; five of them.
    assertThat(count).isCloseTo(2000, within(158));
    long same = IntStream.range(0, 1000).filter(n -> mirrored[0][n] == mirrored[1][n]).count();
    // Epochs are independent: Binomial(1000, 1/2), standard deviation 15.8.
    assertThat(same).isCloseTo(500, within(79L));
  }

  @Test
  void withoutFlippingNothingIsMirrored() {
    ImageDataSetIterator iterator =
        new ImageDataSetIterator(numbered(100), KEEP_ALL.withFlip(HorizontalFlip.NONE));
    while (iterator.hasNext()) {
      DataSet batch = iterator.next();
      for (int i = 0; i < batch.numExamples(); i++) {
        assertThat(isMirrored(row(batch, i))).isFalse();
      }
    }
  }

  @Test
  void batchesAreTheSameFromManyThreads() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(100), KEEP_ALL);
    List<int[]> expected = LongStream.range(0, 140).mapToObj(iterator::indices).toList();

    // Neighbouring threads want different epochs, so that they fight for the remembered order.
    boolean same =
        IntStream.range(0, 14_000)
            .parallel()
            .map(i -> i * 37 % 140)
            .allMatch(step -> Arrays.equals(iterator.indices(step), expected.get(step)));

    assertThat(same).isTrue();
  }

  @Test
  void resetBeginsTheNextEpochFromAnywhereButTheBeginning() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(64), KEEP_ALL);

    iterator.reset();
    assertThat(iterator.next()).as("nothing to reset").isEqualTo(iterator.batch(0));
    iterator.next();
    iterator.reset();
    assertThat(iterator.next()).as("the rest is left out").isEqualTo(iterator.batch(4));
  }

  @Test
  void goesOnAtAnyStep() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(100), KEEP_ALL);

    iterator.seek(13);
    assertThat(iterator.next()).as("last of epoch 1").isEqualTo(iterator.batch(13));
    assertThat(iterator.hasNext()).isFalse();
    iterator.reset();
    assertThat(iterator.next()).isEqualTo(iterator.batch(14));
    assertThatIllegalArgumentException().isThrownBy(() -> iterator.seek(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> iterator.batch(-1));
  }

  @Test
  void followsDl4jsConventions() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(20), KEEP_ALL);

    assertThat(iterator.batch()).isEqualTo(16);
    assertThat(iterator.inputColumns()).isEqualTo(4);
    assertThat(iterator.totalOutcomes()).isEqualTo(3);
    assertThat(iterator.getLabels()).containsExactly("a", "b", "c");
    assertThat(iterator.resetSupported()).isTrue();
    assertThat(iterator.asyncSupported()).isTrue();
    assertThat(iterator.getPreProcessor()).isNull();
    assertThat(iterator.next(5).numExamples()).isEqualTo(5);
    assertThat(iterator.next().numExamples()).as("the rest").isEqualTo(15);
    assertThatExceptionOfType(NoSuchElementException.class)
        .isThrownBy(iterator::next)
        .withMessageContaining("reset()");
    assertThatIllegalArgumentException().isThrownBy(() -> iterator.next(0));
  }

  @Test
  void everyBatchPassesThroughThePreProcessor() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(20), KEEP_ALL);
    iterator.setPreProcessor(batch -> batch.getFeatures().assign(5));

    assertThat(iterator.next().getFeatures().meanNumber().doubleValue()).isEqualTo(5);
    assertThat(iterator.batch(1).getFeatures().meanNumber().doubleValue()).isEqualTo(5);
    iterator.setPreProcessor(null);
    assertThat(iterator.batch(1).getFeatures().meanNumber().doubleValue()).isLessThan(1);
  }

  @Test
  void refusesOptionsThatGiveNoBatch() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BatchOptions.of(0, 1))
        .withMessageContaining("at least one image");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ImageDataSetIterator(numbered(20), BatchOptions.forTraining(21, 1)))
        .withMessageContaining("only 20 images");
    assertThat(
            new ImageDataSetIterator(
                    numbered(20),
                    BatchOptions.of(Integer.MAX_VALUE, 1).withLastBatch(LastBatch.KEEP))
                .next()
                .numExamples())
        .isEqualTo(20);
  }

  @Test
  void doesNotTakePartInJavaSerialisation() {
    ImageDataSetIterator iterator = new ImageDataSetIterator(numbered(20), KEEP_ALL);

    assertThatExceptionOfType(NotSerializableException.class)
        .isThrownBy(
            () -> new ObjectOutputStream(new ByteArrayOutputStream()).writeObject(iterator));
  }
}

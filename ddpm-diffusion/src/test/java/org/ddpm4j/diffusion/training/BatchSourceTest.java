package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.ViewIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class BatchSourceTest {

  private static final INDArray IMAGES =
      Nd4j.createFromArray(0f, 1f, 2f, 3f, 4f, 5f).reshape(6, 1, 1, 1);

  private static ViewIterator iterator() {
    return new ViewIterator(new DataSet(IMAGES, IMAGES), 2);
  }

  @Test
  void countsOnOverEpochs() {
    BatchSource source = BatchSource.of(iterator());
    for (int step = 0; step < 7; step++) {
      assertThat(source.batch(step).getFeatures().getFloat(0)).isEqualTo(step % 3 * 2);
    }
  }

  @Test
  void skipsToTheStepItIsAskedForFirst() {
    assertThat(BatchSource.of(iterator()).batch(4).getFeatures().getFloat(0)).isEqualTo(2);
    BatchSource source = BatchSource.of(iterator());
    source.batch(1);
    assertThat(source.batch(5).getFeatures().getFloat(0)).isEqualTo(4);
  }

  @Test
  void doesNotGoBack() {
    BatchSource source = BatchSource.of(iterator());
    source.batch(3);
    assertThatThrownBy(() -> source.batch(3))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "Batch 3 of an iterator was asked for after batch 3; iterators only go forward, so train again with a new one.");
  }

  @Test
  void refusesAnIteratorThatCannotServe() {
    ViewIterator used = iterator();
    while (used.hasNext()) {
      used.next();
    }
    assertThatThrownBy(() -> BatchSource.of(used))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The data set is empty; training needs images.");
    ViewIterator once =
        new ViewIterator(new DataSet(IMAGES, IMAGES), 2) {
          private static final long serialVersionUID = 1;

          @Override
          public boolean resetSupported() {
            return false;
          }
        };
    assertThatThrownBy(() -> BatchSource.of(once))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot be reset");
  }

  /** Of images 1 to 5 of an array, ND4J takes the last for empty. */
  @Test
  void shardsOfPartOfAnArray() {
    INDArray part = IMAGES.get(NDArrayIndex.interval(1, 6));
    BatchSource source = step -> new DataSet(part, part);
    for (int shard = 0; shard < 5; shard++) {
      DataSet one = source.shard(0, shard, 5).images().orElseThrow();
      assertThat(one.getFeatures().shape()).containsExactly(1, 1, 1, 1);
      assertThat(one.getFeatures().getFloat(0)).isEqualTo(1 + shard);
      assertThat(one.getLabels().getFloat(0)).isEqualTo(1 + shard);
    }
  }
}

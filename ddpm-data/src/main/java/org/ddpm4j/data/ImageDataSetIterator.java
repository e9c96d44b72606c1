package org.ddpm4j.data;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Batches of an {@link ImageDataSet}, shuffled or in its own order: features x0 {@code [n,C,H,W]},
 * FLOAT, on the data set's scale (usually [-1,1]), and one-hot labels {@code [n,classes]}, FLOAT;
 * fresh arrays each time.
 *
 * <p>There are two ways to the same batches. {@link #batch(long)} gives the batch of a training
 * step, counted from 0 over all epochs; it depends on the data set, the options and the step alone,
 * so that interrupted training goes on with exactly the batches it would have seen. {@link
 * #next()}, {@link #hasNext()} and {@link #reset()} go through the same sequence one epoch at a
 * time, as DL4J expects: {@code reset} begins the next epoch, with a new order if they are
 * shuffled. What cuts an iterator in parts and expects the same images in each after a reset, as
 * DL4J's {@code DataSetIteratorSplitter}, needs {@link ImageOrder#STORED}.
 *
 * <p>A shuffled order of epoch e is a function of (seed, e), and the mirroring of an image and its
 * augmentation are one of (seed, e, the image's index), by {@link CounterRandom}.
 *
 * <p>{@link #batch(long)}, {@link #indices(long)} and {@link #stepsPerEpoch()} may be called from
 * any thread; the iteration itself may not.
 */
public final class ImageDataSetIterator implements DataSetIterator, BatchSource {

  private static final long serialVersionUID = 1L;

  /** The order in which an epoch visits the images. */
  private record Order(long epoch, int[] indices) {}

  private final transient ImageDataSet dataSet;
  private final transient BatchOptions options;
  // Images of an epoch that are in batches: all, or those that fill whole batches.
  private final transient int imagesPerEpoch;

  // The order last used. Replaced as a whole, so that any thread sees a right one or makes its own.
  private transient volatile Order lastOrder;
  private transient volatile DataSetPreProcessor preProcessor;

  private transient long epoch;
  // Images of this epoch that have been given out.
  private transient int position;

  /**
   * An iterator at the beginning of epoch 0.
   *
   * @param dataSet the images
   * @param options how to make batches
   * @throws IllegalArgumentException if the last batch is to be dropped and there is no other
   */
  public ImageDataSetIterator(ImageDataSet dataSet, BatchOptions options) {
    this.dataSet = Objects.requireNonNull(dataSet, "dataSet");
    this.options = Objects.requireNonNull(options, "options");
    int incomplete = dataSet.size() % options.batchSize();
    imagesPerEpoch =
        options.lastBatch() == LastBatch.DROP ? dataSet.size() - incomplete : dataSet.size();
    if (imagesPerEpoch == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The batch size is %d, but the data set has only %d image(s), and incomplete batches are"
                  + " dropped; take smaller batches, or keep the last one (LastBatch.KEEP).",
              options.batchSize(), dataSet.size()));
    }
  }

  /** {@return the images the batches are made of} */
  public ImageDataSet dataSet() {
    return dataSet;
  }

  /** {@return how the batches are made} */
  public BatchOptions options() {
    return options;
  }

  /** {@return the number of batches of an epoch, at least 1} */
  public long stepsPerEpoch() {
    return (imagesPerEpoch + options.batchSize() - 1L) / options.batchSize();
  }

  /**
   * The batch of a training step.
   *
   * @param step from 0, counted on over the epochs
   * @return features {@code [n,C,H,W]} by the data set's normalisation and one-hot labels {@code
   *     [n,classes]}, after the pre-processor if there is one
   * @throws IllegalArgumentException if the step is negative
   */
  @Override
  public DataSet batch(long step) {
    return make(step / stepsPerEpoch(), indices(step));
  }

  /** Makes the images of that part alone. */
  @Override
  public Shard shard(long step, int shard, int shards) {
    int[] all = indices(step);
    int first = (int) Shard.begin(all.length, shard, shards);
    int end = (int) Shard.begin(all.length, shard + 1, shards);
    return new Shard(
        first == end
            ? Optional.empty()
            : Optional.of(make(step / stepsPerEpoch(), Arrays.copyOfRange(all, first, end))),
        first,
        all.length);
  }

  /**
   * Which images are in the batch of a training step.
   *
   * @param step from 0, counted on over the epochs
   * @return their indices in the data set, in the order of the batch
   * @throws IllegalArgumentException if the step is negative
   */
  public int[] indices(long step) {
    if (step < 0) {
      throw new IllegalArgumentException("The step is " + step + ", expected 0 or more.");
    }
    int start = (int) (step % stepsPerEpoch()) * options.batchSize();
    return indices(step / stepsPerEpoch(), start, options.batchSize());
  }

  /** Up to count images of an epoch from a position on; fewer at its end. */
  private int[] indices(long ofEpoch, int start, int count) {
    int end = (int) Math.min((long) start + count, imagesPerEpoch);
    return Arrays.copyOfRange(order(ofEpoch), start, end);
  }

  private int[] order(long ofEpoch) {
    Order order = lastOrder;
    if (order == null || order.epoch() != ofEpoch) {
      order =
          new Order(
              ofEpoch,
              switch (options.order()) {
                case SHUFFLED ->
                    new CounterRandom(options.seed(), Purpose.SHUFFLES)
                        .permutation(dataSet.size(), ofEpoch);
                case STORED -> IntStream.range(0, dataSet.size()).toArray();
              });
      lastOrder = order;
    }
    return order.indices();
  }

  private DataSet make(long ofEpoch, int[] indices) {
    boolean[] mirrored = new boolean[indices.length];
    if (options.flip() == HorizontalFlip.RANDOM) {
      CounterRandom random = new CounterRandom(options.seed(), Purpose.FLIPS);
      for (int i = 0; i < indices.length; i++) {
        mirrored[i] = random.bits(indices[i], ofEpoch, 0) < 0;
      }
    }
    DataSet batch = dataSet.batch(indices, mirrored, changes(ofEpoch, indices));
    DataSetPreProcessor processor = preProcessor;
    if (processor != null) {
      processor.preProcess(batch);
    }
    return batch;
  }

  private ImageChange[] changes(long ofEpoch, int[] indices) {
    ImageChange[] changes = new ImageChange[indices.length];
    if (!options.augmentation().isNone()) {
      CounterRandom random = new CounterRandom(options.seed(), Purpose.AUGMENTATIONS);
      for (int i = 0; i < indices.length; i++) {
        changes[i] = ImageChange.draw(options.augmentation(), random, indices[i], ofEpoch);
      }
    }
    return changes;
  }

  /**
   * Goes to a training step: the next batch is {@code batch(step)}, and the ones after it follow.
   *
   * @param step from 0, counted on over the epochs
   * @throws IllegalArgumentException if the step is negative
   */
  public void seek(long step) {
    if (step < 0) {
      throw new IllegalArgumentException("The step is " + step + ", expected 0 or more.");
    }
    epoch = step / stepsPerEpoch();
    position = (int) (step % stepsPerEpoch()) * options.batchSize();
  }

  /** Whether this epoch has another batch. */
  @Override
  public boolean hasNext() {
    return position < imagesPerEpoch;
  }

  /**
   * The next batch of this epoch.
   *
   * @return features {@code [n,C,H,W]} by the data set's normalisation and one-hot labels {@code
   *     [n,classes]}
   * @throws NoSuchElementException at the end of the epoch
   */
  @Override
  public DataSet next() {
    return next(options.batchSize());
  }

  /**
   * The next images of this epoch.
   *
   * @param num how many, at least 1; fewer come at the end of the epoch
   * @return features {@code [n,C,H,W]} by the data set's normalisation and one-hot labels {@code
   *     [n,classes]}
   * @throws NoSuchElementException at the end of the epoch
   * @throws IllegalArgumentException if num is less than 1
   */
  @Override
  public DataSet next(int num) {
    if (num < 1) {
      throw new IllegalArgumentException("A batch of " + num + " images was asked for.");
    }
    if (!hasNext()) {
      throw new NoSuchElementException(
          "Epoch " + epoch + " has no more batches; reset() begins the next one.");
    }
    int[] indices = indices(epoch, position, num);
    position += indices.length;
    return make(epoch, indices);
  }

  /**
   * Begins the next epoch. At the beginning of an epoch there is nothing to reset, and nothing
   * happens.
   */
  @Override
  public void reset() {
    if (position > 0) {
      epoch++;
      position = 0;
    }
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  /** True: every batch is of fresh arrays, which a background thread may make ahead of time. */
  @Override
  public boolean asyncSupported() {
    return true;
  }

  /** {@return the number of values of one image, C·H·W} */
  @Override
  public int inputColumns() {
    return dataSet.shape().volume();
  }

  /**
   * The number of classes.
   *
   * @return the length of a one-hot label
   */
  @Override
  public int totalOutcomes() {
    return dataSet.classNames().size();
  }

  /**
   * The batch size.
   *
   * @return the images of a batch that is not the epoch's last
   */
  @Override
  public int batch() {
    return options.batchSize();
  }

  /**
   * The names of the classes.
   *
   * @return in the order of the labels
   */
  @Override
  public List<String> getLabels() {
    return dataSet.classNames();
  }

  /**
   * Sets what every batch is passed through, those of {@link #batch(long)} too, which are then as
   * repeatable and thread-safe as it is.
   *
   * @param preProcessor changes a batch in place; null for none
   */
  @Override
  public void setPreProcessor(DataSetPreProcessor preProcessor) {
    this.preProcessor = preProcessor;
  }

  @Override
  public DataSetPreProcessor getPreProcessor() {
    return preProcessor;
  }

  /**
   * Refuses; DataVec's and DL4J's interfaces are serialisable, this class is not.
   *
   * @param out not written to
   * @throws NotSerializableException always
   */
  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException(
        "ImageDataSetIterator does not take part in Java serialisation; save seed and step.");
  }
}

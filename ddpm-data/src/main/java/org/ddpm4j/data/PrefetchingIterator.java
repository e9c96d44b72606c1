package org.ddpm4j.data;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * The batches of an {@link ImageDataSetIterator}, made ahead of time on a thread of their own,
 * while the caller computes with those before them.
 *
 * <p>What comes out is the same as without: a batch depends on its step alone. As the iterator
 * behind it, this one gives batches by the step, {@link #batch(long)}, or by epochs, {@link
 * #next()}; whoever jumps to another step waits for its batch, and prefetching goes on from there.
 * What making a batch throws is thrown to whoever asks for it. {@link #close} ends the thread.
 *
 * <p>To be used by one thread.
 */
public final class PrefetchingIterator implements DataSetIterator, BatchSource, AutoCloseable {

  /** Batches that are made ahead where the caller has no wish. */
  public static final int DEFAULT_DEPTH = 2;

  private static final long serialVersionUID = 1L;

  /** The batch of a step, made or being made. */
  private record Pending(long step, Future<DataSet> batch) {}

  private final transient ImageDataSetIterator source;
  private final transient int depth;
  private final transient ExecutorService thread;
  private final transient Deque<Pending> ahead = new ArrayDeque<>();
  private transient long nextStep;
  // Beyond the last batch of an epoch, whose number the next step then no longer tells.
  private transient boolean atEpochEnd;

  /**
   * Prefetches {@value #DEFAULT_DEPTH} batches.
   *
   * @param source the batches; not to be used elsewhere meanwhile
   */
  public PrefetchingIterator(ImageDataSetIterator source) {
    this(source, DEFAULT_DEPTH);
  }

  /**
   * Prefetches batches.
   *
   * @param source the batches; not to be used elsewhere meanwhile
   * @param depth how many batches are made ahead, at least 1; each takes a batch's memory
   * @throws IllegalArgumentException if it is less than 1
   */
  public PrefetchingIterator(ImageDataSetIterator source, int depth) {
    if (depth < 1) {
      throw new IllegalArgumentException(
          "Prefetching " + depth + " batches is not possible; it must be at least 1.");
    }
    this.source = source;
    this.depth = depth;
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread prefetching = new Thread(task, "ddpm4j-prefetch");
              // A program that ends without closing should end.
              prefetching.setDaemon(true);
              return prefetching;
            });
  }

  /**
   * The batch of a training step.
   *
   * @param step from 0, counted on over the epochs
   * @return features {@code [n,C,H,W]} and one-hot labels {@code [n,classes]}
   * @throws IllegalArgumentException if the step is negative
   * @throws IllegalStateException after {@link #close}
   * @throws CancellationException if the waiting thread is interrupted; the interrupt stays set
   */
  @Override
  public DataSet batch(long step) {
    if (step < 0) {
      throw new IllegalArgumentException("The step is " + step + ", expected 0 or more.");
    }
    if (thread.isShutdown()) {
      throw new IllegalStateException("The iterator is closed; make a new one.");
    }
    while (!ahead.isEmpty() && ahead.peek().step() != step) {
      ahead.remove().batch().cancel(false);
    }
    long last = ahead.isEmpty() ? step - 1 : ahead.getLast().step();
    while (last < step + depth) {
      long later = ++last;
      ahead.add(new Pending(later, thread.submit(() -> source.batch(later))));
    }
    return await(ahead.remove());
  }

  private static DataSet await(Pending pending) {
    try {
      return pending.batch().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException(
              "Waiting for the batch of step " + pending.step() + " was interrupted.");
      cancelled.initCause(e);
      throw cancelled;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (CancellationException e) {
      throw new IllegalStateException("The iterator was closed while a batch was made.", e);
    }
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
    nextStep = step;
    atEpochEnd = false;
  }

  /** Whether this epoch has another batch. */
  @Override
  public boolean hasNext() {
    return !atEpochEnd;
  }

  /**
   * The next batch of this epoch.
   *
   * @return features {@code [n,C,H,W]} and one-hot labels {@code [n,classes]}
   * @throws NoSuchElementException at the end of the epoch
   */
  @Override
  public DataSet next() {
    if (atEpochEnd) {
      throw new NoSuchElementException(
          "The epoch has no more batches; reset() begins the next one.");
    }
    DataSet batch = batch(nextStep);
    nextStep++;
    atEpochEnd = nextStep % source.stepsPerEpoch() == 0;
    return batch;
  }

  /**
   * Not possible: batches are made before anybody says how large they should be.
   *
   * @throws UnsupportedOperationException if num is not the batch size
   */
  @Override
  public DataSet next(int num) {
    if (num != batch()) {
      throw new UnsupportedOperationException(
          Text.format(
              "Batches of %d images are made ahead, so %d cannot be asked for.", batch(), num));
    }
    return next();
  }

  /** Begins the next epoch; at the beginning of an epoch, nothing happens. */
  @Override
  public void reset() {
    long steps = source.stepsPerEpoch();
    if (!atEpochEnd) {
      nextStep = (nextStep + steps - 1) / steps * steps;
    }
    atEpochEnd = false;
  }

  /**
   * Ends the thread, after the batch that it is making; waits for that. May be called again.
   *
   * @throws IllegalStateException if the waiting thread is interrupted
   */
  @Override
  public void close() {
    ahead.forEach(pending -> pending.batch().cancel(false));
    ahead.clear();
    thread.shutdown();
    try {
      boolean ended;
      do {
        ended = thread.awaitTermination(1, TimeUnit.MINUTES);
      } while (!ended);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Waiting for the prefetching thread was interrupted.", e);
    }
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  /** False: it makes batches ahead of time itself. */
  @Override
  public boolean asyncSupported() {
    return false;
  }

  @Override
  public int inputColumns() {
    return source.inputColumns();
  }

  @Override
  public int totalOutcomes() {
    return source.totalOutcomes();
  }

  @Override
  public int batch() {
    return source.batch();
  }

  @Override
  public List<String> getLabels() {
    return source.getLabels();
  }

  /**
   * Sets what every batch is passed through. Batches that are being made are made again.
   *
   * @param preProcessor changes a batch in place, on the prefetching thread; null for none
   */
  @Override
  public void setPreProcessor(DataSetPreProcessor preProcessor) {
    ahead.forEach(pending -> pending.batch().cancel(false));
    ahead.clear();
    source.setPreProcessor(preProcessor);
  }

  @Override
  public DataSetPreProcessor getPreProcessor() {
    return source.getPreProcessor();
  }

  /**
   * Refuses; DL4J's interface is serialisable, this class is not.
   *
   * @param out not written to
   * @throws NotSerializableException always
   */
  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException(
        "PrefetchingIterator does not take part in Java serialisation; save seed and step.");
  }
}

package org.ddpm4j.studio.drawing;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws for many: a bounded queue, and threads that take what waits for the same model and recipe
 * together, as many images as make a batch. The first that waits is always in the next batch; of a
 * drawing larger than a batch what is left goes to the end of the queue, so that small ones need
 * not wait for all of it. An image is the same to the last bit alone and in any batch ({@link
 * NoiseSource#seeded(long[], long[])}).
 */
public final class DrawingQueue implements AutoCloseable {

  /** Until a rate has been seen. */
  private static final double ASSUMED_IMAGES_PER_SECOND = 5;

  private static final double NEWEST_SHARE = 0.3;
  private static final int MAX_RETRY_SECONDS = 60;

  private final QueueLimits limits;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Drawing> waiting = new ArrayDeque<>();
  private final List<Drawing> unfinished = new ArrayList<>();
  private final List<Thread> workers = new ArrayList<>();
  private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
  private boolean refusing;
  private boolean closed;
  private double imagesPerSecond = ASSUMED_IMAGES_PER_SECOND;

  private final Counter imagesDrawn;
  private final Counter drawingsRefused;
  private final Counter drawingsCancelled;
  private final DistributionSummary batchSizes;

  /**
   * Begins to draw.
   *
   * @param limits what to take on
   * @param meters count what is done
   */
  public DrawingQueue(QueueLimits limits, MeterRegistry meters) {
    this.limits = limits;
    imagesDrawn =
        Counter.builder("ddpm.images").description("Images that were drawn").register(meters);
    drawingsRefused =
        Counter.builder("ddpm.drawings.refused")
            .description("Drawings that found the queue full, or about to close")
            .register(meters);
    drawingsCancelled =
        Counter.builder("ddpm.drawings.cancelled")
            .description("Drawings that ended before they were done")
            .register(meters);
    batchSizes =
        DistributionSummary.builder("ddpm.batch.images")
            .description("Images that were drawn together")
            .register(meters);
    Gauge.builder("ddpm.queue.images", this, DrawingQueue::waitingImages)
        .description("Images that wait")
        .register(meters);
    clock.setRemoveOnCancelPolicy(true);
    for (int i = 0; i < limits.workers(); i++) {
      Thread worker = new Thread(this::work, "drawing-" + i);
      worker.setDaemon(true);
      workers.add(worker);
      worker.start();
    }
  }

  /** {@return what it takes on} */
  public QueueLimits limits() {
    return limits;
  }

  /**
   * Takes a drawing on.
   *
   * @param lease of the model, which is given back when the drawing has ended, or is refused
   * @param recipe how to draw
   * @param images what to draw, at least one
   * @param previews how many to show on the way, 0 or more
   * @param listener told of previews and images
   * @return the drawing
   * @throws QueueFullException if too much waits already, or the queue is about to close
   * @throws IllegalArgumentException if the model cannot draw so
   */
  public Drawing submit(
      ModelShelf.Lease lease,
      Recipe recipe,
      List<ImageKey> images,
      int previews,
      DrawingListener listener)
      throws QueueFullException {
    boolean taken = false;
    try {
      recipe.requireDrawable(lease.model());
      Drawing drawing = new Drawing(lease, recipe, images, previews, listener);
      taken = true;
      try {
        enter(drawing);
      } catch (QueueFullException e) {
        drawingsRefused.increment();
        drawing.fail(e);
        throw e;
      }
      watch(drawing);
      return drawing;
    } finally {
      if (!taken) {
        lease.close();
      }
    }
  }

  private void enter(Drawing drawing) throws QueueFullException {
    lock.lock();
    try {
      if (refusing) {
        throw QueueFullException.ofEnding();
      }
      int ahead = waitingNow();
      if (ahead + drawing.images().size() > limits.waitingImages()) {
        long seconds = (long) Math.ceil(ahead / imagesPerSecond);
        throw new QueueFullException(
            Text.format(
                "%d images wait already, and no more than %d may; come again later or ask for fewer.",
                ahead, limits.waitingImages()),
            Duration.ofSeconds(Math.max(1, Math.min(MAX_RETRY_SECONDS, seconds))));
      }
      waiting.addLast(drawing);
      unfinished.add(drawing);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void watch(Drawing drawing) {
    ScheduledFuture<?> deadline =
        clock.schedule(
            () -> drawing.timeOut(limits.timeout().toSeconds()),
            limits.timeout().toMillis(),
            TimeUnit.MILLISECONDS);
    drawing
        .result()
        .whenComplete(
            (files, failure) -> {
              deadline.cancel(false);
              if (drawing.state() == Drawing.State.CANCELLED) {
                drawingsCancelled.increment();
              }
              lock.lock();
              try {
                unfinished.remove(drawing);
                waiting.remove(drawing);
                changed.signalAll();
              } finally {
                lock.unlock();
              }
            });
  }

  /**
   * Ends a drawing, if it has not ended, in a thread of the queue's: giving its model back may wait
   * while another is read.
   *
   * @param drawing that was taken on here
   */
  public void cancelSoon(Drawing drawing) {
    try {
      clock.execute(drawing::cancel);
    } catch (RejectedExecutionException e) {
      // The queue is closed, which cancels all.
      drawing.cancel();
    }
  }

  /**
   * Images that wait.
   *
   * @return how many
   */
  public int waitingImages() {
    lock.lock();
    try {
      return waitingNow();
    } finally {
      lock.unlock();
    }
  }

  private int waitingNow() {
    return waiting.stream().mapToInt(Drawing::undealt).sum();
  }

  private void work() {
    for (List<Drawing.Part> batch = next(); !batch.isEmpty(); batch = next()) {
      draw(batch);
    }
  }

  /** The next batch, or an empty one when the queue is closed. */
  private List<Drawing.Part> next() {
    lock.lock();
    try {
      while (!closed) {
        waiting.removeIf(Drawing::hasEnded);
        if (!waiting.isEmpty()) {
          return dealBatch();
        }
        changed.awaitUninterruptibly();
      }
      return List.of();
    } finally {
      lock.unlock();
    }
  }

  /** Of a recipe whose images need one batch, which equals itself alone, all at once. */
  private List<Drawing.Part> dealBatch() {
    Drawing head = waiting.getFirst();
    List<Drawing.Part> batch = new ArrayList<>();
    List<Drawing> unfinishedOnes = new ArrayList<>();
    int room = limits.batchImages();
    for (Iterator<Drawing> all = waiting.iterator(); all.hasNext() && room > 0; ) {
      Drawing next = all.next();
      if (next.lease().isOfSameModel(head.lease()) && next.recipe().equals(head.recipe())) {
        Drawing.Part part = next.deal(next.recipe().needsOneBatch() ? next.undealt() : room);
        batch.add(part);
        room -= part.size();
        all.remove();
        if (next.undealt() > 0) {
          unfinishedOnes.add(next);
        }
      }
    }
    waiting.addAll(unfinishedOnes);
    return batch;
  }

  private void draw(List<Drawing.Part> batch) {
    List<ImageKey> images = new ArrayList<>();
    for (Drawing.Part part : batch) {
      part.begin();
      images.addAll(part.drawing().images().subList(part.first(), part.end()));
    }
    batchSizes.record(images.size());
    Drawing one = batch.get(0).drawing();
    Cancellation nobodyWaits = () -> batch.stream().allMatch(part -> part.drawing().hasEnded());
    long start = System.nanoTime();
    // All drawings of a batch may end, and give the model back, while it is still drawing.
    try (ModelShelf.Lease lease = one.lease().again()) {
      DiffusionModel model = lease.model();
      try (INDArray drawn =
          one.recipe()
              .draw(
                  model,
                  images.stream().mapToInt(ImageKey::label).toArray(),
                  NoiseSource.seeded(
                      images.stream().mapToLong(ImageKey::seed).toArray(),
                      images.stream().mapToLong(ImageKey::number).toArray()),
                  nobodyWaits,
                  (step, x, x0) -> stepped(batch, step, x0, model.normalization()))) {
        noteRate(images.size(), System.nanoTime() - start);
        imagesDrawn.increment(images.size());
        complete(batch, drawn, model.normalization());
      }
    } catch (CancellationException e) {
      batch.forEach(part -> part.drawing().cancel());
    } catch (Throwable e) {
      // Errors, too: a thread that ended by one would leave its clients waiting, and draw no more.
      batch.forEach(part -> part.drawing().fail(e));
    }
  }

  private static void stepped(
      List<Drawing.Part> batch, int step, INDArray x0, Normalization normalization) {
    int first = 0;
    for (Drawing.Part part : batch) {
      part.stepped();
      if (part.isPreviewed(step)) {
        part.preview(step, Png.strip(x0, first, first + part.size(), normalization));
      }
      first += part.size();
    }
  }

  private static void complete(
      List<Drawing.Part> batch, INDArray drawn, Normalization normalization) {
    int first = 0;
    for (Drawing.Part part : batch) {
      List<byte[]> files = new ArrayList<>();
      for (int i = first; i < first + part.size(); i++) {
        files.add(Png.ofImage(drawn, i, normalization));
      }
      part.complete(files);
      first += part.size();
    }
  }

  private void noteRate(int images, long nanos) {
    lock.lock();
    try {
      double now = images * 1e9 / Math.max(1, nanos);
      imagesPerSecond = (1 - NEWEST_SHARE) * imagesPerSecond + NEWEST_SHARE * now;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses further drawings, and waits for those that were taken on.
   *
   * @param patience how long at most; what is not done by then is cancelled
   * @return what was cancelled
   */
  public List<Drawing> drain(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    lock.lock();
    try {
      refusing = true;
      long left = patience.toNanos();
      while (!unfinished.isEmpty() && left > 0) {
        left = changed.awaitNanos(deadline - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
    return cancelAll();
  }

  private List<Drawing> cancelAll() {
    List<Drawing> left;
    lock.lock();
    try {
      left = List.copyOf(unfinished);
    } finally {
      lock.unlock();
    }
    left.forEach(Drawing::cancel);
    return left;
  }

  /** Cancels everything and waits for the threads, each of which ends before its next step. */
  @Override
  public void close() {
    lock.lock();
    try {
      refusing = true;
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    cancelAll();
    clock.shutdownNow();
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}

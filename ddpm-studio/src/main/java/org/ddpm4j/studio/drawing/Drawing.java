package org.ddpm4j.studio.drawing;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.ddpm4j.io.Text;

/** Images that somebody asked for, from the queue to the files. */
public final class Drawing {

  /** How far it is. */
  public enum State {
    /** Nobody draws it yet. */
    WAITING,
    /** Some image has begun. */
    RUNNING,
    /** All images are there. */
    DONE,
    /** Something went wrong. */
    FAILED,
    /** It was ended early: by its client, by its time limit, or with the service. */
    CANCELLED
  }

  private final ModelShelf.Lease lease;
  private final Recipe recipe;
  private final List<ImageKey> images;
  private final int previews;
  private final DrawingListener listener;
  private final CompletableFuture<List<byte[]>> result = new CompletableFuture<>();
  private final byte[][] files;
  private final int steps;

  /** Images that were dealt out to batches; the queue's lock guards it. */
  private int dealt;

  private int done;
  private long stepsDone;
  private State state = State.WAITING;

  Drawing(
      ModelShelf.Lease lease,
      Recipe recipe,
      List<ImageKey> images,
      int previews,
      DrawingListener listener) {
    this.lease = lease;
    this.recipe = recipe;
    this.images = List.copyOf(images);
    this.previews = previews;
    this.listener = listener;
    files = new byte[images.size()][];
    steps = recipe.steps(lease.model());
    result.whenComplete((all, failure) -> lease.close());
  }

  ModelShelf.Lease lease() {
    return lease;
  }

  Recipe recipe() {
    return recipe;
  }

  /**
   * What is drawn.
   *
   * @return the images, in the order of their files
   */
  public List<ImageKey> images() {
    return images;
  }

  /**
   * The files, when they are there. It fails with a {@link CancellationException}, a {@link
   * TimeoutException} or what went wrong.
   *
   * @return PNG files in the order of {@link #images}
   */
  public CompletableFuture<List<byte[]>> result() {
    return result.copy();
  }

  /** {@return how far it is} */
  public synchronized State state() {
    return state;
  }

  /** {@return the share that is done, 0 to 1} */
  public synchronized double fraction() {
    if (state == State.DONE) {
      return 1;
    }
    return Math.min(1, (double) stepsDone / ((long) steps * images.size()));
  }

  /** Ends it, if it has not ended. What is being drawn stops before the next step. */
  public void cancel() {
    end(State.CANCELLED, new CancellationException("The drawing was cancelled."));
  }

  void timeOut(long seconds) {
    end(
        State.CANCELLED,
        new TimeoutException(
            Text.format(
                "The images were not done within %d s; ask for fewer, or for fewer steps.",
                seconds)));
  }

  void fail(Throwable why) {
    end(State.FAILED, why);
  }

  private void end(State how, Throwable why) {
    synchronized (this) {
      if (hasEnded()) {
        return;
      }
      state = how;
    }
    result.completeExceptionally(why);
  }

  synchronized boolean hasEnded() {
    return state == State.DONE || state == State.FAILED || state == State.CANCELLED;
  }

  int dealt() {
    return dealt;
  }

  int undealt() {
    return images.size() - dealt;
  }

  /** Deals out the next images. */
  Part deal(int most) {
    int first = dealt;
    dealt += Math.min(most, undealt());
    return new Part(this, first, dealt);
  }

  /**
   * Images of a drawing that belong to one batch.
   *
   * @param drawing whose
   * @param first the position of the first
   * @param end one more than that of the last
   */
  record Part(Drawing drawing, int first, int end) {

    int size() {
      return end - first;
    }

    void begin() {
      synchronized (drawing) {
        if (drawing.state == State.WAITING) {
          drawing.state = State.RUNNING;
        }
      }
    }

    /** Whether a preview is due after a step: the client's number of them, evenly spread. */
    boolean isPreviewed(int step) {
      int wanted = Math.min(drawing.previews, drawing.steps);
      return wanted > 0
          && !drawing.hasEnded()
          && (long) step * wanted / drawing.steps > (long) (step - 1) * wanted / drawing.steps;
    }

    void stepped() {
      synchronized (drawing) {
        drawing.stepsDone += size();
      }
    }

    void preview(int step, byte[] png) {
      drawing.listener.previewed(
          new DrawingListener.Preview(step, drawing.steps, first, size(), png));
    }

    void complete(List<byte[]> pngs) {
      boolean all;
      synchronized (drawing) {
        if (drawing.hasEnded()) {
          return;
        }
        for (int i = 0; i < pngs.size(); i++) {
          drawing.files[first + i] = pngs.get(i);
        }
        drawing.done += pngs.size();
        all = drawing.done == drawing.images.size();
      }
      for (int i = 0; i < pngs.size(); i++) {
        drawing.listener.drawn(first + i, pngs.get(i));
      }
      if (all) {
        drawing.finish();
      }
    }
  }

  private void finish() {
    synchronized (this) {
      if (hasEnded()) {
        return;
      }
      state = State.DONE;
    }
    result.complete(List.copyOf(Arrays.asList(files)));
  }
}

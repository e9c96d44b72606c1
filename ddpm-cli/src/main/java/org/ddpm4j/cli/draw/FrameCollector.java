package org.ddpm4j.cli.draw;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Collects some steps of a sampling, which may go through several batches, as frames of all. */
final class FrameCollector {

  private final int steps;
  private final List<INDArray> frames = new ArrayList<>();
  private long firstOfBatch;

  /**
   * A collector.
   *
   * @param steps of the sampler
   * @param frames how many steps to keep, 1 to steps; the last step is always one
   * @param count of images in all batches
   * @param shape of each
   */
  FrameCollector(int steps, int frames, int count, ImageShape shape) {
    this.steps = steps;
    for (int i = 0; i < frames; i++) {
      this.frames.add(Nd4j.create(count, shape.channels(), shape.height(), shape.width()));
    }
  }

  /** Takes what one batch is after a step, {@code [b,C,H,W]}. */
  void add(int stepsDone, INDArray batch) {
    // Frame f shows step (f+1)·steps/frames, rounded down.
    int frame = (int) (((long) stepsDone * frames.size() + steps - 1) / steps) - 1;
    boolean shown = (long) (frame + 1) * steps / frames.size() == stepsDone;
    if (shown) {
      frames
          .get(frame)
          .get(NDArrayIndex.interval(firstOfBatch, firstOfBatch + batch.size(0)))
          .assign(batch);
    }
    if (stepsDone == steps) {
      firstOfBatch += batch.size(0);
    }
  }

  /** The frames, {@code [count,C,H,W]} each. */
  List<INDArray> frames() {
    return List.copyOf(frames);
  }
}

package org.ddpm4j.spark.sampling;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.TaskCompletionListener;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.BatchConsumer;
import org.ddpm4j.diffusion.pipeline.BatchNoise;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.spark.executor.ExecutorDevice;
import org.ddpm4j.spark.executor.PerJvm;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Draws a task's images with the network that its process shares. */
public final class DrawingTask {

  private final DiffusionModel model;
  private final DiffusionPipeline pipeline;
  private final SparkSampling sampling;

  private DrawingTask(DiffusionModel model, PipelineFactory pipelines, SparkSampling sampling) {
    this.model = model;
    this.pipeline = pipelines.create(model);
    this.sampling = sampling;
  }

  /**
   * The calling task's; it gives the network back when the task ends, however it ends.
   *
   * @param model sent to every executor once
   * @param pipelines how it draws
   * @param sampling what is drawn
   * @return the task
   * @throws IOException if the model cannot be opened
   */
  public static DrawingTask begin(
      Broadcast<PackedModel> model, PipelineFactory pipelines, SparkSampling sampling)
      throws IOException {
    PackedModel packed = model.value();
    PerJvm.Lease<DiffusionModel> lease =
        PerJvm.ofThisProcess()
            .lease(
                DiffusionModel.class, packed.name(), () -> packed.open(ExecutorDevice.execution()));
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> lease.close());
    return new DrawingTask(lease.value(), pipelines, sampling);
  }

  /** {@return how the images are drawn} */
  public DiffusionPipeline pipeline() {
    return pipeline;
  }

  /**
   * Draws images and hands over each batch when it is ready. A task that Spark kills stops at the
   * next evaluation of the network.
   *
   * @param range which
   * @param consumer takes batches in order
   * @throws IOException if the consumer throws it
   */
  public void draw(SparkSampling.Range range, BatchConsumer consumer) throws IOException {
    TaskContext task = TaskContext.get();
    SamplingOptions options =
        SamplingOptions.defaults()
            .withBatchSize(sampling.batchSize())
            .withCancellation(task::isInterrupted);
    pipeline.sampleInBatches(
        range.first(), range.end(), BatchNoise.seeded(sampling.seed()), options, consumer);
  }

  /**
   * The images of a task, drawn batch by batch as they are asked for.
   *
   * @param ranges which, in order
   * @param encoding of the images
   * @return the images
   */
  Iterator<DrawnImage> images(Iterator<SparkSampling.Range> ranges, ImageEncoding encoding) {
    return new DrawnBatches(ranges, encoding);
  }

  /** Draws a batch when it has none left to give. */
  private final class DrawnBatches implements Iterator<DrawnImage> {

    private final Iterator<SparkSampling.Range> ranges;
    private final ImageEncoding encoding;
    private final Queue<DrawnImage> ready = new ArrayDeque<>();
    private int next;
    private int end;

    DrawnBatches(Iterator<SparkSampling.Range> ranges, ImageEncoding encoding) {
      this.ranges = ranges;
      this.encoding = encoding;
    }

    @Override
    public boolean hasNext() {
      return !ready.isEmpty() || next < end || ranges.hasNext();
    }

    @Override
    public DrawnImage next() {
      if (!hasNext()) {
        throw new NoSuchElementException("The task has drawn all of its images.");
      }
      if (ready.isEmpty()) {
        drawBatch();
      }
      return ready.remove();
    }

    private void drawBatch() {
      if (next == end) {
        SparkSampling.Range range = ranges.next();
        next = range.first();
        end = range.end();
      }
      int batchEnd = (int) Math.min(end, (long) next + sampling.batchSize());
      try {
        draw(new SparkSampling.Range(next, batchEnd), this::take);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      next = batchEnd;
    }

    private void take(int first, INDArray images) {
      for (int i = 0; i < images.size(0); i++) {
        ready.add(
            new DrawnImage(
                first + i,
                model.isClassConditional()
                    ? pipeline.classOf().applyAsInt(first + i)
                    : DrawnImage.NO_CLASS,
                encoding.encode(images.slice(i), model.normalization())));
      }
      // At once: the garbage collector, which sees only the small Java objects, may wait long.
      if (images.closeable()) {
        images.close();
      }
    }
  }
}

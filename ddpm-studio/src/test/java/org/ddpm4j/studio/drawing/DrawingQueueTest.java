package org.ddpm4j.studio.drawing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Many drawings at once, with the model that comes along. */
class DrawingQueueTest {

  private static final SamplingRecipe RECIPE =
      new SamplingRecipe(Optional.of(SamplerType.DDPM), 3, Guidance.NONE);

  private final ModelShelf shelf = new ModelShelf();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private DrawingQueue queue;

  @BeforeEach
  void open() {
    queue = queue(new QueueLimits(1, 8, 16, Duration.ofMinutes(1)));
  }

  private DrawingQueue queue(QueueLimits limits) {
    return new DrawingQueue(limits, meters);
  }

  @AfterEach
  void close() {
    queue.close();
    shelf.close();
  }

  private ModelShelf.Lease lease() throws IOException {
    return shelf.lease(ModelSource.bundled());
  }

  private static List<ImageKey> images(long seed, int count, int label) {
    List<ImageKey> images = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      images.add(new ImageKey(seed, i, label));
    }
    return images;
  }

  /** Of one step, with any model. */
  private interface OneStep extends Recipe {

    @Override
    default void requireDrawable(DiffusionModel model) {}

    @Override
    default int steps(DiffusionModel model) {
      return 1;
    }
  }

  /** Waits for a latch within the batch that it is in, so that others queue up behind it. */
  private static final class Blocking implements OneStep {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);

    @Override
    public INDArray draw(
        DiffusionModel model,
        int[] labels,
        NoiseSource noise,
        Cancellation cancellation,
        SamplingObserver observer) {
      begun.countDown();
      try {
        open.await();
      } catch (InterruptedException e) {
        throw new CancellationException();
      }
      cancellation.check();
      return RECIPE.draw(model, labels, noise, cancellation, observer);
    }
  }

  private Blocking block() throws Exception {
    Blocking blocking = new Blocking();
    queue.submit(lease(), blocking, images(0, 1, 0), 0, DrawingListener.NONE);
    blocking.begun.await();
    return blocking;
  }

  private List<byte[]> alone(long seed, int count, int label) throws IOException {
    try (ModelShelf.Lease lease = lease();
        INDArray images =
            lease
                .model()
                .pipeline(SamplerType.DDPM, 3)
                .withClassOf(i -> label)
                .sample(count, seed, SamplingOptions.defaults())) {
      List<byte[]> files = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        files.add(Png.ofImage(images, i, lease.model().normalization()));
      }
      return files;
    }
  }

  @Test
  void imagesOfSeveralClientsAreDrawnTogetherAndAreThoseDrawnAlone() throws Exception {
    Blocking blocking = block();
    Drawing one = queue.submit(lease(), RECIPE, images(7, 3, 0), 0, DrawingListener.NONE);
    Drawing other = queue.submit(lease(), RECIPE, images(-5, 4, 0), 0, DrawingListener.NONE);
    blocking.open.countDown();

    assertThat(one.result().get()).containsExactlyElementsOf(alone(7, 3, 0));
    assertThat(other.result().get()).containsExactlyElementsOf(alone(-5, 4, 0));
    assertThat(meters.get("ddpm.batch.images").summary().max()).isEqualTo(7);
  }

  @Test
  void aDrawingLargerThanABatchLetsOthersPass() throws Exception {
    Blocking blocking = block();
    List<String> order = new CopyOnWriteArrayList<>();
    Drawing large = queue.submit(lease(), RECIPE, images(1, 12, 0), 0, noting("large", order));
    SamplingRecipe quick = new SamplingRecipe(Optional.of(SamplerType.DDIM), 2, Guidance.NONE);
    Drawing small = queue.submit(lease(), quick, images(2, 1, 0), 0, noting("small", order));
    blocking.open.countDown();
    large.result().get();
    small.result().get();

    assertThat(order).hasSize(13);
    assertThat(order.indexOf("small")).isEqualTo(8);
    assertThat(large.result().get()).containsExactlyElementsOf(alone(1, 12, 0));
  }

  /** Its images depend on each other: batches of one would make each of them the first. */
  @Test
  void whatNeedsOneBatchIsNotDivided() throws Exception {
    queue.close();
    queue = queue(new QueueLimits(1, 1, 16, Duration.ofMinutes(1)));
    try (ModelShelf.Lease lease = lease();
        INDArray ends =
            lease.model().pipeline(SamplerType.DDIM, 4).sample(2, 3, SamplingOptions.defaults())) {
      InterpolationRecipe blend =
          new InterpolationRecipe(
              20,
              ends.get(NDArrayIndex.interval(0, 1)).dup(),
              ends.get(NDArrayIndex.interval(1, 2)).dup());
      List<byte[]> drawn =
          queue.submit(lease(), blend, images(0, 3, 0), 0, DrawingListener.NONE).result().get();

      assertThat(drawn.get(2)).isNotEqualTo(drawn.get(0));
      assertThat(meters.get("ddpm.batch.images").summary().max()).isEqualTo(3);
    }
  }

  private static DrawingListener noting(String name, List<String> order) {
    return new DrawingListener() {
      @Override
      public void drawn(int position, byte[] png) {
        order.add(name);
      }
    };
  }

  @Test
  void whatIsTooMuchIsRefusedAndTheModelGivenBack() throws Exception {
    Blocking blocking = block();
    Drawing waiting = queue.submit(lease(), RECIPE, images(1, 16, 0), 0, DrawingListener.NONE);

    assertThatThrownBy(
            () -> queue.submit(lease(), RECIPE, images(2, 1, 0), 0, DrawingListener.NONE))
        .isInstanceOfSatisfying(
            QueueFullException.class,
            e -> assertThat(e.retryAfter()).isGreaterThanOrEqualTo(Duration.ofSeconds(1)))
        .hasMessageContaining("16 images wait already");

    assertThat(meters.get("ddpm.drawings.refused").counter().count()).isEqualTo(1);
    blocking.open.countDown();
    assertThat(waiting.result().get()).hasSize(16);
  }

  @Test
  void aCancelledDrawingLeavesTheQueueAndItsCompanionsAlone() throws Exception {
    Blocking blocking = block();
    Drawing gone = queue.submit(lease(), RECIPE, images(1, 2, 0), 0, DrawingListener.NONE);
    Drawing stays = queue.submit(lease(), RECIPE, images(3, 2, 0), 0, DrawingListener.NONE);
    gone.cancel();

    assertThat(queue.waitingImages()).isEqualTo(2);
    blocking.open.countDown();
    assertThat(stays.result().get()).containsExactlyElementsOf(alone(3, 2, 0));
    assertThat(gone.state()).isEqualTo(Drawing.State.CANCELLED);
    assertThatThrownBy(() -> gone.result().get()).hasCauseInstanceOf(CancellationException.class);
  }

  /** As of a program whose files were replaced while it ran. */
  @Test
  void anErrorEndsItsDrawingAndTheNextIsDrawn() throws Exception {
    OneStep broken =
        (model, labels, noise, cancellation, observer) -> {
          throw new NoClassDefFoundError("of a jar that is gone");
        };
    Drawing failing = queue.submit(lease(), broken, images(1, 1, 0), 0, DrawingListener.NONE);
    assertThatThrownBy(() -> failing.result().get()).hasCauseInstanceOf(NoClassDefFoundError.class);

    Drawing next = queue.submit(lease(), RECIPE, images(3, 2, 0), 0, DrawingListener.NONE);
    assertThat(next.result().get()).containsExactlyElementsOf(alone(3, 2, 0));
  }

  /** The thread of a connection ends drawings so, and must not wait for a model to be read. */
  @Test
  void endingADrawingDoesNotWaitUntilItsModelCanBeGivenBack() throws Exception {
    Blocking blocking = block();
    Drawing waiting = queue.submit(lease(), RECIPE, images(1, 1, 0), 0, DrawingListener.NONE);
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch read = new CountDownLatch(1);
    Thread reader =
        new Thread(
            () -> {
              synchronized (shelf) {
                held.countDown();
                awaitUninterrupted(read);
              }
            });
    reader.start();
    held.await();
    queue.cancelSoon(waiting);
    read.countDown();

    assertThatThrownBy(() -> waiting.result().get())
        .hasCauseInstanceOf(CancellationException.class);
    blocking.open.countDown();
    reader.join();
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whatTakesTooLongIsGivenUp() throws Exception {
    queue.close();
    queue = queue(new QueueLimits(1, 8, 16, Duration.ofMillis(50)));
    Blocking blocking = block();
    Drawing late = queue.submit(lease(), RECIPE, images(1, 1, 0), 0, DrawingListener.NONE);

    assertThatThrownBy(() -> late.result().get())
        .hasCauseInstanceOf(TimeoutException.class)
        .hasMessageContaining("ask for fewer");
    blocking.open.countDown();
  }

  @Test
  void drainingFinishesWhatWasTakenOnAndRefusesTheRest() throws Exception {
    Drawing taken = queue.submit(lease(), RECIPE, images(1, 2, 0), 0, DrawingListener.NONE);
    queue.drain(Duration.ofMinutes(1));

    assertThat(taken.state()).isEqualTo(Drawing.State.DONE);
    assertThatThrownBy(
            () -> queue.submit(lease(), RECIPE, images(2, 1, 0), 0, DrawingListener.NONE))
        .isInstanceOf(QueueFullException.class);
  }

  @Test
  void previewsAreAsManyAsWereAskedForAndEndWithTheImage() throws Exception {
    List<DrawingListener.Preview> previews = new CopyOnWriteArrayList<>();
    SamplingRecipe ten = new SamplingRecipe(Optional.of(SamplerType.DDIM), 10, Guidance.NONE);
    Drawing drawing =
        queue.submit(
            lease(),
            ten,
            images(1, 2, 0),
            4,
            new DrawingListener() {
              @Override
              public void previewed(Preview preview) {
                previews.add(preview);
              }
            });
    drawing.result().get();

    assertThat(previews).extracting(DrawingListener.Preview::step).containsExactly(3, 5, 8, 10);
    assertThat(previews).allSatisfy(preview -> assertThat(preview.count()).isEqualTo(2));
    assertThat(drawing.fraction()).isEqualTo(1);
  }
}

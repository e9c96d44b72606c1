package org.ddpm4j.diffusion.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Ways to end a sampling before it is done. The model says that every image is grey. */
class CancellationTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final ImageShape SHAPE = new ImageShape(1, 2, 2);
  private static final int STEPS = 6;
  private static final int LAST = 4;

  private final AtomicInteger evaluations = new AtomicInteger();

  /** Called at the beginning of every evaluation, with its number from 1. */
  private Runnable atLast = () -> {};

  private final Denoiser denoiser =
      (xt, level) -> {
        if (evaluations.incrementAndGet() == LAST) {
          atLast.run();
        }
        return new Denoiser.Estimate(xt.mul(0), xt.dup());
      };

  @AfterEach
  void noInterruptIsLeft() {
    assertThat(Thread.interrupted()).isFalse();
  }

  private DiffusionPipeline pipeline(SamplerType type) {
    Sampler sampler = SamplerConfig.of(type).create(SCHEDULE, STEPS, X0Constraint.NONE);
    return new DiffusionPipeline(denoiser, sampler, SHAPE);
  }

  @ParameterizedTest
  @EnumSource
  void noEvaluationIsBegunAfterARequest(SamplerType type) {
    CompletableFuture<INDArray> future = new CompletableFuture<>();
    atLast = () -> future.cancel(false);
    SamplingOptions options = SamplingOptions.defaults().withCancellation(future::isCancelled);
    assertThatThrownBy(() -> pipeline(type).sample(3, 1, options))
        .isInstanceOf(CancellationException.class)
        .hasMessage("Sampling was cancelled.");
    assertThat(evaluations).hasValue(LAST);
  }

  @ParameterizedTest
  @EnumSource
  void noEvaluationIsBegunAfterAnInterrupt(SamplerType type) {
    atLast = () -> Thread.currentThread().interrupt();
    assertThatThrownBy(() -> pipeline(type).sample(3, 1))
        .isInstanceOf(CancellationException.class)
        .hasMessage("Sampling was cancelled: its thread was interrupted.");
    assertThat(evaluations).hasValue(LAST);
    assertThat(Thread.interrupted()).as("kept for the caller").isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void whatAnObserverThrowsReachesTheCaller(SamplerType type) {
    IllegalStateException refusal = new IllegalStateException("enough");
    assertThatThrownBy(
            () ->
                pipeline(type)
                    .sample(
                        3,
                        1,
                        2,
                        (stepsDone, x, x0) -> {
                          throw refusal;
                        }))
        .isSameAs(refusal);
    assertThat(evaluations.get()).isLessThanOrEqualTo(LAST);
  }

  @Test
  void batchesThatHaveNotBegunAreNotDrawn() {
    SamplingOptions options =
        SamplingOptions.defaults()
            .withBatchSize(1)
            .withCancellation(() -> evaluations.get() >= STEPS);
    assertThatThrownBy(() -> pipeline(SamplerType.DDIM).sample(5, 1, options))
        .isInstanceOf(CancellationException.class);
    assertThat(evaluations).hasValue(STEPS);
  }

  @Test
  void aRequestAfterTheLastEvaluationComesTooLate() {
    SamplingOptions options =
        SamplingOptions.defaults().withCancellation(() -> evaluations.get() >= STEPS);
    INDArray images = pipeline(SamplerType.DDIM).sample(5, 1, options);
    assertThat(images).isEqualTo(pipeline(SamplerType.DDIM).sample(5, 1));
  }

  @Test
  void endsWhereClassesAreTold() {
    Sampler sampler = SamplerConfig.of(SamplerType.DDPM).create(SCHEDULE, STEPS, X0Constraint.NONE);
    DiffusionPipeline pipeline = new DiffusionPipeline(classes -> denoiser, sampler, SHAPE);
    SamplingOptions options =
        SamplingOptions.defaults().withCancellation(() -> evaluations.get() >= LAST);
    assertThatThrownBy(() -> pipeline.sample(new int[] {1, 0}, 1, options))
        .isInstanceOf(CancellationException.class);
    assertThat(evaluations).hasValue(LAST);
  }

  @Test
  void guardsADenoiserWithoutAPipeline() {
    Sampler sampler = SamplerConfig.of(SamplerType.HEUN).create(SCHEDULE, STEPS, X0Constraint.NONE);
    Denoiser guarded = ((Cancellation) () -> evaluations.get() >= LAST).guard(denoiser);
    assertThatThrownBy(
            () ->
                sampler.sample(
                    guarded, NoiseSource.seeded(1, 0), SamplingObserver.NONE, 1, 1, 2, 2))
        .isInstanceOf(CancellationException.class);
    assertThat(evaluations).hasValue(LAST);
  }

  @Test
  void theFutureOfAnExecutorCanBeCancelled() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    atLast =
        () -> {
          reached.countDown();
          awaitIgnoringInterrupts(cancelled);
        };
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Future<INDArray> future = executor.submit(() -> pipeline(SamplerType.DDIM).sample(3, 1));
      reached.await();
      assertThat(future.cancel(true)).isTrue();
      cancelled.countDown();
      // The thread takes the next task when it has left the sampling.
      assertThat(executor.submit(evaluations::get).get()).isEqualTo(LAST);
      atLast = () -> {};
      INDArray images = executor.submit(() -> pipeline(SamplerType.DDIM).sample(3, 1)).get();
      assertThat(images).isEqualTo(pipeline(SamplerType.DDIM).sample(3, 1));
    } finally {
      executor.shutdownNow();
    }
  }

  private static void awaitIgnoringInterrupts(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aFailureInAnExecutorIsTheFuturesCause() throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      SamplingOptions options = SamplingOptions.defaults().withCancellation(() -> true);
      Future<INDArray> future =
          executor.submit(() -> pipeline(SamplerType.DDIM).sample(3, 1, options));
      assertThatThrownBy(future::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(CancellationException.class);
      assertThat(evaluations).hasValue(0);
    } finally {
      executor.shutdownNow();
    }
  }
}

package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One network, many threads: every request gets the bits that it would get alone. */
@Tag("slow")
class ConcurrentSamplingTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final AnnotatedUnet NETWORK =
      AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(2, 4);
  private static final int CLIENTS = 8;
  private static final int REQUESTS_OF_A_CLIENT = 12;
  private static final int ROUNDS = 4;

  /** What somebody wants drawn; {@code patience} is the evaluation before which that ends. */
  private record Request(
      SamplerType type, int steps, int size, int count, int batchSize, long seed, int patience) {

    static Request of(SplittableRandom random) {
      SamplerType[] types = SamplerType.values();
      int steps = random.nextInt(4, 7);
      boolean impatient = random.nextInt(3) == 0;
      return new Request(
          types[random.nextInt(types.length)],
          steps,
          8 * random.nextInt(1, 3),
          random.nextInt(1, 10),
          random.nextInt(1, 6),
          random.nextInt(4),
          impatient ? random.nextInt(0, steps) : Integer.MAX_VALUE);
    }

    boolean isImpatient() {
      return patience < Integer.MAX_VALUE;
    }

    float[] draw(Unet unet, Cancellation cancellation) {
      Sampler sampler = SamplerConfig.of(type).create(SCHEDULE, steps, X0Constraint.clip(-1, 1));
      DiffusionPipeline pipeline =
          DiffusionPipeline.of(unet, SCHEDULE, sampler, new ImageShape(1, size, size));
      SamplingOptions options =
          SamplingOptions.defaults().withBatchSize(batchSize).withCancellation(cancellation);
      try (INDArray images = pipeline.sample(count, seed, options)) {
        return images.dup('c').data().asFloat();
      }
    }
  }

  /** By its own interrupt or by the cancellation, in turns. */
  private static float[] drawOrLeave(Unet unet, Request request) {
    AtomicInteger evaluations = new AtomicInteger();
    boolean byInterrupt = request.seed() % 2 == 0;
    return request.draw(
        unet,
        () -> {
          boolean enough = evaluations.getAndIncrement() >= request.patience();
          if (enough && byInterrupt) {
            Thread.currentThread().interrupt();
          }
          return enough && !byInterrupt;
        });
  }

  private static void check(Unet unet, Request request, float[] expected) {
    if (!request.isImpatient()) {
      assertThat(Arrays.equals(drawOrLeave(unet, request), expected))
          .as("bits of %s", request)
          .isTrue();
      return;
    }
    try {
      float[] images = drawOrLeave(unet, request);
      // An interrupt during the last evaluation comes too late.
      assertThat(images).as("%s", request).isEqualTo(expected);
    } catch (CancellationException e) {
      assertThat(e).hasMessageStartingWith("Sampling was cancelled");
    } finally {
      Thread.interrupted();
    }
  }

  @Test
  void everyRequestGetsItsBits() throws Exception {
    assumeThat(FusedKernels.available()).isTrue();
    Parameters weights = Unet.create(NETWORK, DataType.FLOAT, 5).parameters();
    List<Request> requests = new ArrayList<>();
    List<float[]> expected = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    try (Unet alone = fused(weights, 1)) {
      for (int i = 0; i < CLIENTS * REQUESTS_OF_A_CLIENT; i++) {
        Request request = Request.of(random);
        requests.add(request);
        expected.add(request.draw(alone, Cancellation.NONE));
      }
    }
    assertThat(requests).filteredOn(Request::isImpatient).hasSizeBetween(10, 60);

    List<Long> held = new ArrayList<>();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    Unet shared = fused(weights, 2);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        serveAll(clients, shared, requests, expected, round);
        held.add(nativeBytes());
      }
      long plateau = held.get(1);
      assertThat(held.get(ROUNDS - 1)).as("%s", held).isLessThan(plateau + (4L << 20));

      // Whoever is served while the network is closed is served well or told so.
      List<Future<?>> last = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        Request request = requests.get(i);
        float[] images = expected.get(i);
        last.add(clients.submit(() -> checkUntilClosed(shared, request, images)));
      }
      shared.close();
      for (Future<?> future : last) {
        future.get();
      }
    } finally {
      clients.shutdownNow();
      shared.close();
    }
    assertThatThrownBy(() -> requests.get(0).draw(shared, Cancellation.NONE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("The network is closed");
  }

  /** ND4J frees by and by what the collector has found. */
  private static long nativeBytes() throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(50);
      least = Math.min(least, Pointer.totalBytes());
    }
    return least;
  }

  private static Unet fused(Parameters weights, int threads) {
    return Unet.of(NETWORK, weights, new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads));
  }

  private static void serveAll(
      ExecutorService clients,
      Unet shared,
      List<Request> requests,
      List<float[]> expected,
      int round)
      throws Exception {
    CyclicBarrier start = new CyclicBarrier(CLIENTS);
    List<Future<?>> futures = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      int offset = (client * REQUESTS_OF_A_CLIENT + round) % requests.size();
      futures.add(
          clients.submit(
              () -> {
                start.await();
                for (int i = 0; i < REQUESTS_OF_A_CLIENT; i++) {
                  int number = (offset + i) % requests.size();
                  check(shared, requests.get(number), expected.get(number));
                }
                return null;
              }));
    }
    for (Future<?> future : futures) {
      future.get();
    }
  }

  private static void checkUntilClosed(Unet shared, Request request, float[] expected) {
    try {
      check(shared, request, expected);
    } catch (IllegalStateException e) {
      if (e instanceof CancellationException) {
        throw e;
      }
      assertThat(e).hasMessageStartingWith("The network is closed");
    }
  }
}

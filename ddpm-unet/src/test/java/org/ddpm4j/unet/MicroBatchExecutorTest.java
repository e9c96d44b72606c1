package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.cpu.Onednn;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Networks of fused layers, cut into micro-batches on several threads. */
class MicroBatchExecutorTest {

  /** Of the reference layers in double precision. */
  private static final double TOLERANCE = 1e-5;

  private static final int CHANNELS = 2;

  /** Not a multiple of any micro-batch. */
  private static final int BATCH = 37;

  private static final AnnotatedUnet RESNET =
      AnnotatedUnet.resnet(8, CHANNELS, List.of(1, 2), 2).withAttention(2, 4);
  private static final AnnotatedUnet CONVNEXT =
      AnnotatedUnet.convnext(8, CHANNELS, List.of(1, 2)).withAttention(2, 4);

  private final RandomArrays random = new RandomArrays(17);

  @BeforeAll
  static void fusedLayersRunHere() {
    assertThat(FusedKernels.obstacle()).isNull();
  }

  static Stream<AnnotatedUnet> networks() {
    return Stream.of(RESNET, CONVNEXT);
  }

  /** Noisy images, timesteps and targets. */
  private record Batch(INDArray x, INDArray t, INDArray target) {

    Batch first(int images) {
      return range(0, images);
    }

    Batch range(int first, int end) {
      return new Batch(
          x.get(NDArrayIndex.interval(first, end)),
          t.get(NDArrayIndex.interval(first, end)),
          target.get(NDArrayIndex.interval(first, end)));
    }

    Batch castTo(DataType type) {
      return new Batch(x.castTo(type), t.castTo(type), target.castTo(type));
    }
  }

  private Batch batch(int images, int height, int width) {
    INDArray t = random.gaussian(1, images);
    return new Batch(
            random.gaussian(1, images, CHANNELS, height, width),
            Nd4j.math().abs(t.mul(200)),
            random.gaussian(1, images, CHANNELS, height, width))
        .castTo(DataType.FLOAT);
  }

  private static Unet fused(AnnotatedUnet config, int threads) {
    Parameters weights = Unet.create(config, DataType.FLOAT, 5).parameters();
    return Unet.of(config, weights, new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads));
  }

  /** The same weights, in double precision. */
  private static Unet reference(Unet unet) {
    Parameters weights =
        Parameters.zeros(Unet.declarations(unet.config(), DataType.DOUBLE), DataType.DOUBLE);
    weights.flat().assign(unet.parameters().flat().castTo(DataType.DOUBLE));
    return Unet.of(unet.config(), weights, Execution.reference());
  }

  private static float[] floats(INDArray array) {
    return array.dup('c').ravel().toFloatVector();
  }

  /** Everything a network says about a batch, to the last bit. */
  private record Answers(float[] output, double loss, double trainingLoss, float[] gradient) {

    static Answers of(Unet unet, Batch batch) {
      Parameters gradient = unet.parameters().zerosLike();
      // What is there already is overwritten.
      gradient.flat().assign(3);
      double trainingLoss =
          unet.lossAndGradient(LossFunction.HUBER, batch.x, batch.t, batch.target, gradient);
      return new Answers(
          floats(unet.predict(batch.x, batch.t)),
          unet.loss(LossFunction.HUBER, batch.x, batch.t, batch.target),
          trainingLoss,
          floats(gradient.flat()));
    }

    void assertSame(Answers other, String what) {
      assertThat(Arrays.mismatch(other.output, output)).as("output, %s", what).isEqualTo(-1);
      assertThat(other.loss).as("loss, %s", what).isEqualTo(loss);
      assertThat(other.trainingLoss).as("training loss, %s", what).isEqualTo(trainingLoss);
      assertThat(Arrays.mismatch(other.gradient, gradient)).as("gradient, %s", what).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void resultsDoNotDependOnThreads(AnnotatedUnet config) {
    Map<Integer, Batch> batches = new LinkedHashMap<>();
    for (int images : new int[] {BATCH, 1, 2, 3, 4, 16, 17, 33}) {
      batches.put(images, batch(images, 8, 6));
    }
    Map<Integer, Answers> expected = new HashMap<>();
    for (int threads : new int[] {1, 2, 3, 8}) {
      try (Unet unet = fused(config, threads)) {
        batches.forEach(
            (images, batch) -> {
              Answers answers = Answers.of(unet, batch);
              expected
                  .computeIfAbsent(images, first -> answers)
                  .assertSame(answers, "%d images, %d threads".formatted(images, threads));
            });
      }
    }
  }

  /** Many more threads than cores, and than micro-batches: same bits, and nobody waits for ever. */
  @ParameterizedTest
  @MethodSource("networks")
  @Timeout(300)
  void resultsDoNotDependOnManyThreads(AnnotatedUnet config) {
    // 40 micro-batches and 8.
    for (int images : new int[] {33 * 16 - 5, 70}) {
      Batch batch = batch(images, 4, 4);
      try (Unet alone = fused(config, 1)) {
        Answers expected = Answers.of(alone, batch);
        for (int threads : new int[] {16, 64}) {
          try (Unet unet = fused(config, threads)) {
            for (int round = 0; round < 2; round++) {
              expected.assertSame(
                  Answers.of(unet, batch), "%d images, %d threads".formatted(images, threads));
            }
          }
        }
      }
    }
  }

  /** A plan for each thread, and a gradient that waits for all of them but one. */
  @Test
  void memoryGrowsByAPlanAndAGradientForEachThread() throws InterruptedException {
    Batch batch = batch(512, 4, 4);
    long one = nativeBytesOfAGradient(batch, 1);
    long gradient = 0;
    for (Parameter parameter : Unet.create(RESNET, DataType.FLOAT, 1).parameters().declarations()) {
      gradient += Float.BYTES * SpareBlocks.BLOCK * SpareBlocks.blocks(parameter.length());
    }
    for (int threads : new int[] {16, 64}) {
      int working = Math.min(threads, 32);
      assertThat(nativeBytesOfAGradient(batch, threads))
          .as("%d threads", threads)
          .isLessThanOrEqualTo(working * one + (threads - 1) * gradient);
    }
  }

  private static long nativeBytesOfAGradient(Batch batch, int threads) throws InterruptedException {
    try (Unet unet = fused(RESNET, threads)) {
      Parameters gradient = unet.parameters().zerosLike();
      long before = NativeMemory.bytesWithoutGarbage();
      for (int step = 0; step < 3; step++) {
        unet.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, gradient);
      }
      return Pointer.totalBytes() - before;
    }
  }

  /** Whatever was there before. */
  @Test
  void theGradientOfFrozenParametersIsZero() {
    LucidrainsUnet config =
        LucidrainsUnet.of(8, CHANNELS, List.of(1, 2))
            .withTime(new LucidrainsUnet.Time(LucidrainsUnet.Frequencies.RANDOM, 4));
    Parameters weights = Unet.create(config, DataType.FLOAT, 5).parameters();
    Batch batch = batch(3, 4, 4);
    try (Unet unet = Unet.of(config, weights, unet(2))) {
      Parameters gradient = unet.parameters().zerosLike();
      gradient.flat().assign(3);
      unet.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, gradient);
      for (Parameter parameter : gradient.declarations()) {
        boolean isFrozen = parameter.learning() == Parameter.Learning.FROZEN;
        assertThat(norm(gradient.get(parameter.name())) == 0)
            .as(parameter.name())
            .isEqualTo(isFrozen);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void sameCallsGiveTheSame(AnnotatedUnet config) {
    Batch batch = batch(BATCH, 8, 6);
    Batch other = batch(100, 8, 6);
    try (Unet unet = fused(config, 2);
        Unet again = fused(config, 2)) {
      Answers first = Answers.of(unet, batch);
      first.assertSame(Answers.of(unet, batch), "once more");
      Answers.of(unet, other);
      Answers.of(unet, other.first(3));
      first.assertSame(Answers.of(unet, batch), "after batches of other sizes");
      first.assertSame(Answers.of(again, batch), "in another network");
    }
  }

  /** What is predicted for an image does not depend on which others are predicted with it. */
  @ParameterizedTest
  @MethodSource("networks")
  void predictsEachImageAlone(AnnotatedUnet config) {
    Batch batch = batch(BATCH, 8, 6);
    try (Unet unet = fused(config, 2)) {
      INDArray together = unet.predict(batch.x, batch.t);
      for (int size : new int[] {1, 2, 3, 5, 16, 20}) {
        for (int first = 0; first + size <= BATCH; first += size) {
          Batch part = batch.range(first, first + size);
          float[] expected = floats(together.get(NDArrayIndex.interval(first, first + size)));
          assertThat(Arrays.mismatch(floats(unet.predict(part.x, part.t)), expected))
              .as("first difference in images %d to %d", first, first + size)
              .isEqualTo(-1);
        }
      }
    }
  }

  private static void assertAgrees(Unet unet, Batch batch, LossFunction loss) {
    Unet reference = reference(unet);
    Batch precise = batch.castTo(DataType.DOUBLE);
    INDArray y = reference.predict(precise.x, precise.t);
    assertThat(relativeError(unet.predict(batch.x, batch.t), y)).isLessThan(TOLERANCE);

    Parameters expected = reference.parameters().zerosLike();
    Parameters actual = unet.parameters().zerosLike();
    double expectedLoss =
        reference.lossAndGradient(loss, precise.x, precise.t, precise.target, expected);
    double actualLoss = unet.lossAndGradient(loss, batch.x, batch.t, batch.target, actual);
    double size = Math.max(1, Math.abs(expectedLoss));
    assertThat(Math.abs(actualLoss - expectedLoss)).isLessThan(TOLERANCE * size);
    assertThat(Math.abs(unet.loss(loss, batch.x, batch.t, batch.target) - expectedLoss))
        .isLessThan(TOLERANCE * size);

    List<String> wrong = new ArrayList<>();
    double largest = norm(expected.flat());
    for (Parameter parameter : expected.declarations()) {
      INDArray wanted = expected.get(parameter.name());
      double error = norm(actual.get(parameter.name()).castTo(DataType.DOUBLE).sub(wanted));
      // Some gradients are zero up to rounding, as of a bias before a normalisation.
      double scale = Math.max(norm(wanted), 1e-3 * largest);
      if (!(error <= 2 * TOLERANCE * scale)) {
        wrong.add("%s differs by %.3g of %.3g".formatted(parameter.name(), error, scale));
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static double norm(INDArray array) {
    return array.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }

  private static double relativeError(INDArray actual, INDArray expected) {
    return norm(actual.castTo(DataType.DOUBLE).sub(expected)) / norm(expected);
  }

  /** Micro-batches have up to 16 images here. */
  @ParameterizedTest
  @MethodSource("networks")
  void agreesWithTheReferenceOnBatchesOfAnySize(AnnotatedUnet config) {
    for (int images : new int[] {1, 2, 15, 16, 17, BATCH}) {
      try (Unet unet = fused(config, 2)) {
        assertAgrees(unet, batch(images, 4, 4), LossFunction.L2);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("networks")
  void agreesWithTheReferenceOnImagesOfAnySize(AnnotatedUnet config) {
    int[][] sizes = {{3, 2, 2}, {3, 2, 6}, {3, 12, 4}, {3, 14, 10}, {1, 64, 66}};
    try (Unet unet = fused(config, 2)) {
      for (int[] size : sizes) {
        assertAgrees(unet, batch(size[0], size[1], size[2]), LossFunction.L2);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void agreesWithTheReferenceInEveryLoss(LossFunction loss) {
    try (Unet unet = fused(RESNET, 2)) {
      assertAgrees(unet, batch(19, 4, 6), loss);
    }
  }

  static Stream<AnnotatedUnet> deeperNetworks() {
    return Stream.of(
        AnnotatedUnet.resnet(12, CHANNELS, List.of(1, 2, 3), 1).withAttention(1, 5),
        AnnotatedUnet.resnet(10, CHANNELS, List.of(1, 1, 2), 10).withAttention(3, 7),
        AnnotatedUnet.convnext(10, CHANNELS, List.of(1, 2, 2)).withAttention(2, 3));
  }

  @ParameterizedTest
  @MethodSource("deeperNetworks")
  void agreesWithTheReferenceInDeeperNetworks(AnnotatedUnet config) {
    try (Unet unet = fused(config, 3)) {
      assertAgrees(unet, batch(5, 12, 8), LossFunction.L1);
    }
  }

  /** The mean over a batch is the mean of its parts. */
  @Test
  void gradientOfABatchIsThatOfItsParts() {
    Batch batch = batch(40, 4, 4);
    try (Unet unet = fused(RESNET, 2)) {
      Parameters together = unet.parameters().zerosLike();
      unet.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, together);
      INDArray sum = Nd4j.zeros(DataType.DOUBLE, together.count());
      for (int i = 0; i < 40; i += 10) {
        Batch part = batch.range(i, i + 10);
        Parameters gradient = unet.parameters().zerosLike();
        unet.lossAndGradient(LossFunction.L2, part.x, part.t, part.target, gradient);
        sum.addi(gradient.flat().castTo(DataType.DOUBLE).mul(0.25));
      }
      assertThat(relativeError(together.flat(), sum)).isLessThan(TOLERANCE);
    }
  }

  /** Plans read the weights where they are, packed copies follow. */
  @Test
  void followsWeightsThatAreChangedInPlace() {
    Batch batch = batch(3, 4, 6);
    try (Unet unet = fused(RESNET, 2)) {
      float[] before = floats(unet.predict(batch.x, batch.t));
      List<Runnable> changes = new ArrayList<>();
      Parameters weights = unet.parameters();
      changes.add(() -> weights.flat().muli(0.9));
      changes.add(() -> weights.flat().putScalar(weights.count() - 1, 4));
      for (Parameter parameter : weights.declarations()) {
        // Each takes a way of its own: packed, read in place, or part of the cached time embedding.
        changes.add(() -> weights.get(parameter.name()).addi(0.01));
      }
      changes.add(() -> weights.get("time_mlp.1.weight").putScalar(new int[] {0, 0}, 3));
      for (Runnable change : changes) {
        change.run();
        float[] after = floats(unet.predict(batch.x, batch.t));
        assertThat(after).isNotEqualTo(before);
        try (Unet fresh = Unet.of(RESNET, copy(weights), unet(2))) {
          assertThat(after).isEqualTo(floats(fresh.predict(batch.x, batch.t)));
          assertThat(unet.loss(LossFunction.L2, batch.x, batch.t, batch.target))
              .isEqualTo(fresh.loss(LossFunction.L2, batch.x, batch.t, batch.target));
        }
        before = after;
      }
    }
  }

  /** As long as nobody has an array of the weights, their version alone tells of changes. */
  @Test
  void noticesChangesOfWeightsThatNobodyHolds() {
    Batch batch = batch(3, 4, 6);
    Parameters drawn = Unet.create(RESNET, DataType.FLOAT, 7).parameters();
    Parameters weights = Unet.create(RESNET, DataType.FLOAT, 1).parameters();
    try (Unet unet = Unet.of(RESNET, weights, unet(2))) {
      float[] before = floats(unet.predict(batch.x, batch.t));
      List<Runnable> changes =
          List.of(
              () -> weights.initialize(2),
              () -> weights.assign(drawn),
              () ->
                  weights.assignPyTorch(
                      Unet.create(RESNET, DataType.FLOAT, 3).parameters().toPyTorch()));
      for (Runnable change : changes) {
        change.run();
        float[] after = floats(unet.predict(batch.x, batch.t));
        assertThat(after).isNotEqualTo(before);
        assertThat(floats(unet.predict(batch.x, batch.t))).isEqualTo(after);
        assertThat(weights.isLent()).isFalse();
        Parameters copied = weights.zerosLike();
        copied.assign(weights);
        try (Unet fresh = Unet.of(RESNET, copied, unet(2))) {
          assertThat(after).isEqualTo(floats(fresh.predict(batch.x, batch.t)));
        }
        before = after;
      }
    }
  }

  /** An array that was asked for before the first prediction, and one from between two. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noticesChangesThroughAnArrayFromEarlier(boolean fromBefore) {
    Batch batch = batch(3, 4, 6);
    Parameters weights = Unet.create(RESNET, DataType.FLOAT, 1).parameters();
    try (Unet unet = Unet.of(RESNET, weights, unet(2))) {
      INDArray early = fromBefore ? weights.flat() : null;
      float[] first = floats(unet.predict(batch.x, batch.t));
      INDArray held = fromBefore ? early : weights.flat();
      assertThat(floats(unet.predict(batch.x, batch.t))).isEqualTo(first);
      held.muli(0.9);
      float[] second = floats(unet.predict(batch.x, batch.t));
      assertThat(second).isNotEqualTo(first);
      held.muli(0.9);
      assertThat(floats(unet.predict(batch.x, batch.t))).isNotEqualTo(second);
    }
  }

  private static Execution unet(int threads) {
    return new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads);
  }

  private static Parameters copy(Parameters weights) {
    Parameters copy = weights.zerosLike();
    copy.assign(weights);
    return copy;
  }

  /** As in training with a look at samples now and then. */
  @Test
  void predictionsBetweenStepsSeeTheNewestWeights() {
    Batch batch = batch(20, 4, 4);
    try (Unet unet = fused(RESNET, 2)) {
      Parameters gradient = unet.parameters().zerosLike();
      for (int step = 0; step < 4; step++) {
        unet.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, gradient);
        unet.parameters().flat().subi(gradient.flat().mul(0.1));
        if (step % 2 == 1) {
          continue;
        }
        try (Unet fresh = Unet.of(RESNET, copy(unet.parameters()), unet(1))) {
          assertThat(floats(unet.predict(batch.x, batch.t)))
              .isEqualTo(floats(fresh.predict(batch.x, batch.t)));
        }
      }
      try (Unet fresh = Unet.of(RESNET, copy(unet.parameters()), unet(1))) {
        Answers.of(fresh, batch).assertSame(Answers.of(unet, batch), "after four steps");
      }
    }
  }

  /** Predictions with the timesteps of the last call reuse what depends on them alone. */
  @Test
  void followsTheTimesteps() {
    Batch batch = batch(20, 4, 4);
    try (Unet unet = fused(RESNET, 2)) {
      Map<Double, float[]> expected = new HashMap<>();
      for (double t : new double[] {0, 1, 500, 1, 1, 0, 999, 500, 0}) {
        INDArray times = Nd4j.valueArrayOf(new long[] {20}, t, DataType.FLOAT);
        float[] y = floats(unet.predict(batch.x, times));
        float[] before = expected.putIfAbsent(t, y);
        if (before != null) {
          assertThat(y).isEqualTo(before);
        }
      }
      assertThat(expected.get(0.0)).isNotEqualTo(expected.get(1.0));
      INDArray last = Nd4j.zeros(DataType.FLOAT, 20);
      last.putScalar(19, 999);
      float[] mixed = floats(unet.predict(batch.x, last));
      int image = mixed.length / 20;
      for (int i = 0; i < mixed.length; i++) {
        assertThat(mixed[i]).isEqualTo(expected.get(i / image == 19 ? 999.0 : 0.0)[i]);
      }
    }
  }

  @Test
  void takesViewsAndOtherTypesAndLeavesThemAlone() {
    Batch batch = batch(5, 4, 6);
    try (Unet unet = fused(RESNET, 2)) {
      Answers expected = Answers.of(unet, batch);
      INDArray channelsLast = batch.x.permute(0, 2, 3, 1).dup('c').permute(0, 3, 1, 2);
      INDArray wide = Nd4j.zeros(DataType.FLOAT, 9, CHANNELS, 4, 6);
      INDArray inside = wide.get(NDArrayIndex.interval(2, 7));
      inside.assign(batch.target);
      Batch views = new Batch(channelsLast, batch.t.dup('f'), inside);
      expected.assertSame(Answers.of(unet, views), "views");
      assertThat(floats(channelsLast)).isEqualTo(floats(batch.x));
      assertThat(floats(inside)).isEqualTo(floats(batch.target));
      expected.assertSame(Answers.of(unet, batch.castTo(DataType.DOUBLE)), "DOUBLE");
    }
  }

  @Test
  void manyThreadsMayUseOneNetwork() throws Exception {
    List<Callable<Void>> tasks = new ArrayList<>();
    try (Unet alone = fused(RESNET, 1);
        Unet shared = fused(RESNET, 2)) {
      for (int i = 0; i < 8; i++) {
        Batch batch = batch(1 + 7 * (i % 4), i % 2 == 0 ? 4 : 6, 4);
        Answers expected = Answers.of(alone, batch);
        tasks.add(
            () -> {
              expected.assertSame(Answers.of(shared, batch), "shared");
              return null;
            });
        tasks.add(
            () -> {
              assertThat(floats(shared.predict(batch.x, batch.t))).isEqualTo(expected.output);
              return null;
            });
      }
      int threads = 6;
      ExecutorService executor = Executors.newFixedThreadPool(threads);
      CyclicBarrier start = new CyclicBarrier(threads);
      try {
        List<Future<Void>> futures = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
          int offset = 5 * thread;
          futures.add(
              executor.submit(
                  () -> {
                    start.await();
                    for (int i = 0; i < 3 * tasks.size(); i++) {
                      tasks.get((offset + i) % tasks.size()).call();
                    }
                    return null;
                  }));
        }
        for (Future<Void> future : futures) {
          future.get();
        }
      } finally {
        executor.shutdownNow();
      }
    }
  }

  @Test
  void stepsAllocateNoNativeMemory() {
    Batch batch = batch(BATCH, 8, 6);
    try (Unet unet = fused(RESNET, 2)) {
      Parameters gradient = unet.parameters().zerosLike();
      long bytes = 0;
      long objects = 0;
      int steady = 0;
      // A thread makes its plan when it first gets a part, which on a busy machine may be late; the
      // garbage collector may free some of ND4J's memory.
      for (int step = 0; step < 500 && steady < 50; step++) {
        unet.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, gradient);
        boolean grows = Pointer.totalBytes() > bytes || Pointer.totalCount() > objects;
        steady = grows ? 0 : steady + 1;
        bytes = Math.max(bytes, Pointer.totalBytes());
        objects = Math.max(objects, Pointer.totalCount());
      }
      assertThat(steady).isEqualTo(50);
    }
  }

  @Test
  void closingGivesNativeMemoryBack() {
    Batch batch = batch(BATCH, 8, 6);
    long bytes = 0;
    long held = 0;
    long physical = 0;
    for (int round = 0; round < 15; round++) {
      if (round == 5) {
        bytes = Pointer.totalBytes();
        physical = Pointer.physicalBytes();
      }
      long before = Pointer.totalBytes();
      try (Unet unet = fused(RESNET, 2)) {
        Answers.of(unet, batch);
        Answers.of(unet, batch.first(3));
        held = Math.max(held, Pointer.totalBytes() - before);
      }
    }
    // ND4J leaves some kilobytes a round to the garbage collector.
    assertThat(Pointer.totalBytes() - bytes).isLessThan(held / 8).isLessThan(1 << 19);
    assertThat(Pointer.physicalBytes() - physical).isLessThan(128L << 20);
  }

  @Test
  void refusesWaysToComputeThatThereAreNot() {
    refused(
        () -> new Execution(LayersChoice.AUTO, Precision.FLOAT32, 0),
        "A network cannot compute with 0 threads; at least 1 is needed.");
    refused(
        () -> new Execution(LayersChoice.REFERENCE, Precision.BFLOAT16, 1),
        "The reference layers cannot compute in bfloat16; choose the fused layers or float32.");
    Parameters weights = Unet.create(RESNET, DataType.DOUBLE, 1).parameters();
    refused(
        () -> Unet.of(RESNET, weights, unet(1)),
        "The fused layers compute in FLOAT, not in DOUBLE; choose the reference layers.");
  }

  @Test
  void refusesBfloat16WhereTheProcessorHasNone() {
    Assumptions.assumeFalse(Onednn.hasBfloat16(), "the processor has bfloat16");
    refused(
        () -> new Execution(LayersChoice.FUSED, Precision.BFLOAT16, 1),
        "This processor has no instructions for bfloat16 (AVX512-BF16 or AMX); choose float32.");
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("%s", message);
  }

  @Test
  void choosesFusedLayersForFloatsAlone() {
    assertThat(Execution.automatic().isFused(DataType.FLOAT)).isTrue();
    assertThat(Execution.automatic().isFused(DataType.DOUBLE)).isFalse();
    assertThat(Execution.automatic().threads())
        .isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(Execution.reference().isFused(DataType.FLOAT)).isFalse();
    assertThat(unet(1).isFused(DataType.FLOAT)).isTrue();
  }

  /** bfloat16 keeps three digits of each factor, and of what lies between operations. */
  @ParameterizedTest
  @MethodSource("networks")
  void staysCloseInBfloat16(AnnotatedUnet config) {
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    Batch batch = batch(BATCH, 8, 6);
    Batch preciseBatch = batch.castTo(DataType.DOUBLE);
    try (Unet single = fused(config, 1);
        Unet precise = reference(single);
        Unet rough =
            Unet.of(
                config,
                single.parameters(),
                new Execution(LayersChoice.FUSED, Precision.BFLOAT16, 2))) {
      INDArray y = precise.predict(preciseBatch.x, preciseBatch.t);
      assertThat(relativeError(rough.predict(batch.x, batch.t), y)).isBetween(1e-5, 2e-2);
      Parameters expected = precise.parameters().zerosLike();
      Parameters actual = single.parameters().zerosLike();
      double expectedLoss =
          precise.lossAndGradient(
              LossFunction.L2, preciseBatch.x, preciseBatch.t, preciseBatch.target, expected);
      double loss = rough.lossAndGradient(LossFunction.L2, batch.x, batch.t, batch.target, actual);
      assertThat(loss).isCloseTo(expectedLoss, withinPercentage(0.5));
      assertThat(relativeError(actual.flat(), expected.flat())).isBetween(1e-5, 2e-2);
    }
  }

  @Test
  void bfloat16DoesNotDependOnThreadsEither() {
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    Batch batch = batch(BATCH, 8, 6);
    Parameters weights = Unet.create(RESNET, DataType.FLOAT, 5).parameters();
    try (Unet one =
            Unet.of(RESNET, weights, new Execution(LayersChoice.FUSED, Precision.BFLOAT16, 1));
        Unet three =
            Unet.of(RESNET, weights, new Execution(LayersChoice.FUSED, Precision.BFLOAT16, 3))) {
      Answers.of(one, batch).assertSame(Answers.of(three, batch), "three threads");
    }
  }
}

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.objective.Distillation;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.NetworkTeacher;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.Teacher;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.LocalGradientStep;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Trainings whose whole steps run on a card, or on its emulation, against those of the host. */
class DeviceTrainingTest {

  private static final UnetConfig NETWORK =
      AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(2, 4);

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(LinearSchedule.paper().scaledTo(100), 100);

  private static final int SIZE = 8;
  private static final int BATCH = 6;

  @TempDir private Path folder;

  private static DeviceName device() {
    DeviceName card = DeviceName.parse("cuda");
    return Devices.obstacle(card).isEmpty() ? card : DeviceName.parse("emulated");
  }

  @BeforeEach
  void needsADevice() {
    assumeTrue(
        Devices.obstacle(device()).isEmpty(), () -> Devices.obstacle(device()).orElseThrow());
  }

  private static Execution onDevice(Precision precision) {
    return new Execution(LayersChoice.FUSED, precision, 1, device());
  }

  /** A card may be named several times; where there is one, all of them are that. */
  private static Execution onDevices(Precision precision, int... indices) {
    List<DeviceName> names = new ArrayList<>();
    for (int index : indices) {
      boolean one = device().kind().equals("cuda");
      names.add(new DeviceName(device().kind(), one ? 0 : index));
    }
    return new Execution(LayersChoice.FUSED, precision, 1, names);
  }

  private static Unet unet(Execution execution) {
    return Unet.create(NETWORK, DataType.FLOAT, 1, execution);
  }

  private static TrainingConfig config(long steps) {
    return new TrainingConfig(
        steps,
        AdamWConfig.defaults().withLearningRate(2e-3),
        new LearningRateSchedule(2, LearningRateSchedule.Decay.COSINE),
        0.5,
        0.9,
        ObjectiveConfig.simple(),
        42,
        1);
  }

  /** Bars in [-1,1], a function of the step. */
  private static DataSet batch(long step) {
    float[] values = new float[BATCH * SIZE * SIZE];
    for (int image = 0; image < BATCH; image++) {
      SplittableRandom random = new SplittableRandom(step * BATCH + image);
      int bar = random.nextInt(SIZE - 2);
      for (int i = 0; i < SIZE * SIZE; i++) {
        values[image * SIZE * SIZE + i] = i % SIZE >= bar && i % SIZE < bar + 3 ? 1 : -1;
      }
    }
    INDArray features = Nd4j.createFromArray(values).reshape('c', BATCH, 1, SIZE, SIZE);
    INDArray labels = Nd4j.zeros(BATCH, 3);
    for (int image = 0; image < BATCH; image++) {
      labels.putScalar(image, (image + step) % 3, 1);
    }
    return new DataSet(features, labels);
  }

  /** Losses and gradient norms of each step, and the weights and their averages in the end. */
  private record Course(
      List<Double> losses,
      List<Double> norms,
      float[] weights,
      float[] ema,
      List<float[]> furtherEmas) {}

  private static Course train(Execution execution, long steps) throws Exception {
    return train(execution, steps, 1);
  }

  private static Course train(Execution execution, long steps, int accumulate) throws Exception {
    return train(NETWORK, execution, config(steps).withAccumulate(accumulate));
  }

  private static Course train(UnetConfig network, Execution execution, TrainingConfig config)
      throws Exception {
    return train(network, execution, config, SCHEDULE);
  }

  private static Course train(
      UnetConfig network, Execution execution, TrainingConfig config, NoiseSchedule schedule)
      throws Exception {
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1, execution);
        Trainer trainer = new Trainer(unet, schedule, config, DeviceTrainingTest::batch)) {
      trainer.fit();
      return course(trainer);
    }
  }

  private static Course course(Trainer trainer) {
    List<Double> losses = new ArrayList<>();
    List<Double> norms = new ArrayList<>();
    for (LossHistory.Entry entry : trainer.history().entries()) {
      losses.add(entry.loss());
      norms.add(entry.gradientNorm());
    }
    Checkpoint end = trainer.checkpoint();
    return new Course(
        losses,
        norms,
        end.weights().flat().toFloatVector(),
        end.ema().flat().toFloatVector(),
        end.furtherEmas().values().stream().map(ema -> ema.flat().toFloatVector()).toList());
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.pow(a[i] - (double) b[i], 2);
      size += Math.pow(b[i], 2);
    }
    return Math.sqrt(sum / size);
  }

  /**
   * Making the first step's program takes a while, in which nothing but the step itself holds on to
   * its images; where the collector takes them, their memory goes to others. Only compiled code
   * lets go of a variable before its method ends, hence a machine of its own, whose quicker
   * compiler is enough for that.
   */
  @Test
  void holdsOnToTheImagesOfAStep() throws Exception {
    Path output = folder.resolve("loss");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-Xcomp",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                AmongOthers.class.getName(),
                output.toString())
            .inheritIO()
            .start();
    assertThat(process.waitFor()).isZero();
    assertThat(Double.parseDouble(Files.readString(output)))
        .isEqualTo(train(onDevice(Precision.FLOAT32), 1).losses().get(0));
  }

  /** Trains for a step while others take whatever memory is free, and writes the loss. */
  static final class AmongOthers {

    private AmongOthers() {}

    public static void main(String[] arguments) throws Exception {
      AtomicBoolean done = new AtomicBoolean();
      Thread others = new Thread(() -> takeMemory(done));
      others.start();
      try {
        double loss = train(onDevice(Precision.FLOAT32), 1).losses().get(0);
        Files.writeString(Path.of(arguments[0]), Double.toString(loss));
      } finally {
        done.set(true);
        others.join();
      }
    }

    private static void takeMemory(AtomicBoolean done) {
      Deque<INDArray> arrays = new ArrayDeque<>();
      while (!done.get()) {
        System.gc();
        LockSupport.parkNanos(100_000_000);
        for (int i = 0; i < 20; i++) {
          arrays.add(Nd4j.valueArrayOf(new long[] {BATCH, 1, SIZE, SIZE}, 1e20f));
        }
        while (arrays.size() > 2000) {
          arrays.remove().close();
        }
      }
    }
  }

  /** The noise is the same, so that only rounding differs. */
  @Test
  void trainsAsTheHostDoes() throws Exception {
    Course host = train(new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), 4);
    Course card = train(onDevice(Precision.FLOAT32), 4);
    assertThat(card.losses()).hasSize(4);
    for (int i = 0; i < 4; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(1e-4));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), within(1e-3));
    }
    // AdamW's first steps follow the sign of gradients, so that those near zero may go either way.
    assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
    assertThat(distance(card.ema(), host.ema())).isLessThan(2e-3);
  }

  /** Accumulated on one card, and shared out to two: masks belong to images, not to devices. */
  @Test
  void dropsWhatTheHostDrops() throws Exception {
    UnetConfig dropping = ((AnnotatedUnet) NETWORK).withDropout(0.3);
    Execution onHost = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    TrainingConfig config = config(1).withAccumulate(2);
    Course without = train(NETWORK, onHost, config);
    Course host = train(dropping, onHost, config);
    assertThat(Math.abs(host.losses().get(0) - without.losses().get(0))).isGreaterThan(1e-3);
    for (Execution execution :
        List.of(onDevice(Precision.FLOAT32), onDevices(Precision.FLOAT32, 0, 1))) {
      Course card = train(dropping, execution, config);
      assertThat(card.losses().get(0)).isCloseTo(host.losses().get(0), within(1e-4));
      assertThat(card.norms().get(0)).isCloseTo(host.norms().get(0), within(1e-3));
    }
  }

  /** Long enough that a network which does not learn is told from one that does. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"TFLOAT32", "BFLOAT16"})
  void learnsInEveryPrecision(Precision precision) throws Exception {
    Course host = train(new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), 12);
    Course card = train(onDevice(precision), 12);
    assertThat(host.losses().get(11)).isLessThan(0.9 * host.losses().get(0));
    for (int i = 0; i < 12; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(0.02));
    }
    assertThat(distance(card.weights(), host.weights())).isLessThan(0.05);
  }

  @Test
  void goesOnFromACheckpointToTheSameBits() throws Exception {
    goesOnToTheSameBits(onDevice(Precision.BFLOAT16), 4, 1);
  }

  /** From a checkpoint in the middle. */
  private void goesOnToTheSameBits(Execution execution, int steps, int accumulate)
      throws Exception {
    goesOnToTheSameBits(NETWORK, execution, config(steps).withAccumulate(accumulate));
  }

  private void goesOnToTheSameBits(UnetConfig network, Execution execution, TrainingConfig config)
      throws Exception {
    goesOnToTheSameBits(
        network,
        execution,
        config,
        unet -> new Trainer(unet, SCHEDULE, config, DeviceTrainingTest::batch));
  }

  private void goesOnToTheSameBits(
      UnetConfig network,
      Execution execution,
      TrainingConfig config,
      Function<Unet, Trainer> trainers)
      throws Exception {
    Course whole;
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1, execution);
        Trainer trainer = trainers.apply(unet)) {
      trainer.fit();
      whole = course(trainer);
    }
    Path file = folder.resolve("checkpoint.safetensors");
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1, execution);
        Trainer trainer = trainers.apply(unet)) {
      trainer.withListener(
          (running, report) -> {
            if (report.step() == config.steps() / 2) {
              running.checkpoint().write(file);
              running.requestStop();
            }
          });
      trainer.fit();
    }
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1, execution);
        Trainer trainer = trainers.apply(unet)) {
      trainer.resume(Checkpoint.read(file, unet.parameters()));
      trainer.fit();
      Course second = course(trainer);
      assertThat(second.weights()).isEqualTo(whole.weights());
      assertThat(second.ema()).isEqualTo(whole.ema());
      assertThat(second.furtherEmas()).usingRecursiveComparison().isEqualTo(whole.furtherEmas());
    }
  }

  /** Six images on four cards are one, two, one and two. */
  @Test
  void severalCardsTrainAsOneDoes() throws Exception {
    Course one = train(onDevice(Precision.FLOAT32), 4);
    for (int[] cards : new int[][] {{0, 1}, {0, 1, 2, 3}}) {
      Course several = train(onDevices(Precision.FLOAT32, cards), 4);
      for (int i = 0; i < 4; i++) {
        assertThat(several.losses().get(i)).isCloseTo(one.losses().get(i), within(1e-4));
        assertThat(several.norms().get(i)).isCloseTo(one.norms().get(i), within(1e-3));
      }
      assertThat(distance(several.weights(), one.weights())).isLessThan(2e-3);
      assertThat(distance(several.ema(), one.ema())).isLessThan(2e-3);
    }
  }

  /** More workers than images: the last of them have nothing to do but to follow. */
  @Test
  void moreCardsThanImagesAreNoMistake() throws Exception {
    int[] cards = {0, 1, 2, 3, 4, 5, 6, 7};
    Course one = train(onDevice(Precision.FLOAT32), 2);
    Course many = train(onDevices(Precision.FLOAT32, cards), 2);
    assertThat(many.losses().get(1)).isCloseTo(one.losses().get(1), within(1e-4));
  }

  /** What decides is the number of workers. */
  @Test
  void twoWorkersOnOneCardAreTwoCards() throws Exception {
    Course two = train(onDevices(Precision.BFLOAT16, 0, 1), 3);
    Course one = train(onDevices(Precision.BFLOAT16, 0, 0), 3);
    assertThat(one.losses()).isEqualTo(two.losses());
    assertThat(one.weights()).isEqualTo(two.weights());
    assertThat(one.ema()).isEqualTo(two.ema());
  }

  /** Gradients of the shards, each computed by itself and added on the host in their order. */
  @Test
  void theGradientIsTheSumOfTheShardsGradients() throws Exception {
    Course two = train(onDevices(Precision.FLOAT32, 0, 1), 1);
    TrainingConfig config = config(1);
    try (Unet unet = unet(onDevice(Precision.FLOAT32));
        LocalGradientStep local =
            new LocalGradientStep(
                unet,
                config.objective().create(SCHEDULE),
                config,
                DeviceTrainingTest::batch,
                new UniformTimesteps(SCHEDULE.timesteps()))) {
      Parameters first = unet.parameters().zerosLike();
      Parameters second = unet.parameters().zerosLike();
      local.compute(0, 0, 2, first);
      local.compute(0, 1, 2, second);
      float[] a = first.flat().toFloatVector();
      float[] b = second.flat().toFloatVector();
      double squares = 0;
      for (int i = 0; i < a.length; i++) {
        squares += Math.pow(a[i] + b[i], 2);
      }
      assertThat(two.norms().get(0)).isCloseTo(Math.sqrt(squares), withinPercentage(1e-6));
    }
  }

  /** An objective like any other, which no graph knows. */
  private record OfOnesOwn(Objective like) implements Objective {

    @Override
    public int timesteps() {
      return like.timesteps();
    }

    @Override
    public double[] lossAndGradient(
        Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
      return like.lossAndGradient(unet, batch, weights, gradient);
    }

    @Override
    public double[] losses(Unet unet, TrainingBatch batch) {
      return like.losses(unet, batch);
    }
  }

  /** Nor would the host see that all do the same. */
  @Test
  void whatOneCardLeavesToTheHostSeveralRefuse() {
    Objective own = new OfOnesOwn(ObjectiveConfig.simple().create(SCHEDULE));
    try (Unet unet = unet(onDevices(Precision.FLOAT32, 0, 1))) {
      assertThatThrownBy(() -> new Trainer(unet, own, config(1), DeviceTrainingTest::batch))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Several devices do not train together with an objective of one's own; name"
                  + " one device, or do without.");
    }
    try (Unet unet = unet(onDevice(Precision.FLOAT32));
        Trainer trainer = new Trainer(unet, own, config(1), DeviceTrainingTest::batch)) {
      assertThat(trainer.step()).isZero();
    }
  }

  /** A network that is given its own estimate of an image before it. */
  private static final AnnotatedUnet SELF_CONDITIONED =
      AnnotatedUnet.resnet(8, 2, List.of(1, 2), 4).withAttention(2, 4).withOutChannels(1);

  /**
   * On one card, and accumulated on two, by a network with dropout and classes that is given
   * another scale of noisy images.
   */
  private static Stream<Arguments> selfConditionings() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    return Stream.of(
        Arguments.of(1, SELF_CONDITIONED, simple),
        Arguments.of(1, SELF_CONDITIONED, simple.withParameterization(Parameterization.EDM)),
        Arguments.of(
            2,
            SELF_CONDITIONED.withDropout(0.3).withClassEmbeddings(4),
            simple.withParameterization(Parameterization.FLOW).withLabelDropout(0.3)));
  }

  /** Of four steps. */
  private static long toldSteps() {
    CounterRandom choices = new CounterRandom(config(4).seed(), Purpose.SELF_CONDITIONING);
    return LongStream.range(0, 4).filter(step -> choices.uniform(0, step, 0) < 0.5).count();
  }

  @ParameterizedTest
  @MethodSource("selfConditionings")
  void aNetworkIsToldItsOwnEstimateAsOnTheHost(
      int cards, UnetConfig network, ObjectiveConfig objective) throws Exception {
    assertThat(network.selfConditions()).isTrue();
    assertThat(toldSteps()).isBetween(1L, 3L);
    TrainingConfig config = config(4).withObjective(objective).withAccumulate(cards);
    Course host = train(network, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), config);
    EmulatedDeviceProvider.takeOpened();
    int[] indices = cards == 1 ? new int[] {0} : new int[] {0, 1};
    Course card = train(network, onDevices(Precision.FLOAT32, indices), config);
    for (int i = 0; i < 4; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), withinPercentage(0.1));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), withinPercentage(1));
    }
    assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
    assertThat(distance(card.ema(), host.ema())).isLessThan(2e-3);
    long state = 4L * Float.BYTES * card.weights().length;
    List<EmulatedDriver> opened = EmulatedDeviceProvider.takeOpened();
    assertThat(opened).allMatch(driver -> driver.downloaded() < state + 10_000);
    if (cards == 1 && !opened.isEmpty()) {
      // A step is one launch, told or not; one more packs the weights of the beginning.
      assertThat(opened.stream().mapToLong(EmulatedDriver::graphRuns).sum()).isEqualTo(1 + 4);
      assertThat(opened).allMatch(driver -> driver.forgotten() == 0);
    }
  }

  @Test
  void selfConditioningGoesOnFromACheckpointToTheSameBits() throws Exception {
    goesOnToTheSameBits(SELF_CONDITIONED.withDropout(0.3), onDevice(Precision.BFLOAT16), config(4));
  }

  private static final NoiseSchedule LEVELS = NoiseSchedule.of(EdmSchedule.paper(), 18);

  /** A network to distil from, with weights of its own. */
  private record Trained(
      UnetConfig network, Parameterization parameterization, NoiseSchedule schedule) {

    Unet unet(Execution execution) {
      return Unet.create(network, DataType.FLOAT, 5, execution);
    }

    NetworkTeacher teacher(Unet unet) {
      return Teacher.of(unet, parameterization, schedule);
    }
  }

  private static final Trained TRAINED = new Trained(NETWORK, Parameterization.V, SCHEDULE);

  /** A target that moves fast, so that one which does not is told from it. */
  private static ObjectiveConfig distilling(Distillation.Solver solver) {
    return ObjectiveConfig.consistency(new Distillation(solver, 0.5));
  }

  /**
   * On one card, from networks that also answer with variances or are larger; and accumulated on
   * two and four, by a network with dropout and classes, from one that is given another scale of
   * noisy images.
   */
  private static Stream<Arguments> distillations() {
    AnnotatedUnet network = (AnnotatedUnet) NETWORK;
    AnnotatedUnet ofClasses = network.withClassEmbeddings(4);
    ObjectiveConfig heun = distilling(Distillation.Solver.HEUN);
    return Stream.of(
        Arguments.of(
            1,
            network,
            new Trained(network.withOutChannels(2), Parameterization.V, SCHEDULE),
            heun),
        Arguments.of(
            1,
            network,
            new Trained(
                AnnotatedUnet.resnet(12, 1, List.of(1, 2), 4).withAttention(2, 4),
                Parameterization.EPSILON,
                SCHEDULE),
            distilling(Distillation.Solver.EULER).withLoss(LossFunction.L1)),
        Arguments.of(
            2,
            ofClasses.withDropout(0.3),
            new Trained(ofClasses, Parameterization.FLOW, SCHEDULE),
            heun.withLabelDropout(0.3)),
        Arguments.of(4, network, new Trained(network, Parameterization.EDM, LEVELS), heun));
  }

  private static Course distil(
      UnetConfig network, Trained trained, Execution execution, TrainingConfig config)
      throws Exception {
    try (Unet teacher = trained.unet(execution);
        Unet unet = Unet.create(network, DataType.FLOAT, 1, execution);
        Trainer trainer = distilling(unet, trained.teacher(teacher), config)) {
      trainer.fit();
      return course(trainer);
    }
  }

  private static Trainer distilling(Unet unet, Teacher teacher, TrainingConfig config) {
    return new Trainer(
        unet, config.objective().distillation(LEVELS, teacher), config, DeviceTrainingTest::batch);
  }

  @ParameterizedTest
  @MethodSource("distillations")
  void aNetworkIsDistilledAsOnTheHost(
      int cards, UnetConfig network, Trained trained, ObjectiveConfig objective) throws Exception {
    TrainingConfig config = config(4).withObjective(objective).withAccumulate(Math.min(cards, 2));
    Execution onHost = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    Course host = distil(network, trained, onHost, config);
    EmulatedDeviceProvider.takeOpened();
    int[] indices = IntStream.range(0, cards).toArray();
    Course card = distil(network, trained, onDevices(Precision.FLOAT32, indices), config);
    for (int i = 0; i < 4; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), withinPercentage(0.1));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), withinPercentage(1));
    }
    assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
    assertThat(card.furtherEmas()).hasSize(1);
    assertThat(distance(card.furtherEmas().get(0), host.furtherEmas().get(0))).isLessThan(2e-3);
    long state = 5L * Float.BYTES * card.weights().length;
    List<EmulatedDriver> opened = EmulatedDeviceProvider.takeOpened();
    assertThat(opened).allMatch(driver -> driver.downloaded() < state + 10_000);
    if (!opened.isEmpty()) {
      assertThat(opened).allMatch(driver -> driver.forgotten() == 0);
      // A step is one launch; one more packs the weights of the beginning.
      assertThat(cards > 1 || opened.stream().mapToLong(EmulatedDriver::graphRuns).sum() == 1 + 4)
          .isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aDistillationGoesOnFromACheckpointToTheSameBits(int cards) throws Exception {
    Execution execution =
        onDevices(Precision.BFLOAT16, cards == 1 ? new int[] {0} : new int[] {0, 1});
    TrainingConfig config = config(4).withObjective(distilling(Distillation.Solver.HEUN));
    try (Unet teacher = TRAINED.unet(execution)) {
      goesOnToTheSameBits(
          NETWORK, execution, config, unet -> distilling(unet, TRAINED.teacher(teacher), config));
    }
  }

  /** On the card as on the host: of larger images, as five levels need. */
  @Test
  void aTeacherOfOtherImagesIsRefused() {
    Trained ofLarge =
        new Trained(
            AnnotatedUnet.resnet(4, 1, List.of(1, 1, 1, 1, 1), 4), Parameterization.V, SCHEDULE);
    TrainingConfig config = config(1).withObjective(distilling(Distillation.Solver.EULER));
    for (Execution execution :
        List.of(
            new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1),
            onDevice(Precision.FLOAT32),
            onDevices(Precision.FLOAT32, 0, 1))) {
      assertThatThrownBy(() -> distil(NETWORK, ofLarge, execution, config))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be multiples of 16");
    }
  }

  /** Whom the card does not know it leaves to the host, which asks him as ever. */
  @Test
  void aTeacherOfOnesOwnIsAskedByTheHost() throws Exception {
    TrainingConfig config = config(2).withObjective(distilling(Distillation.Solver.EULER));
    Execution onHost = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    Course host = distil(NETWORK, TRAINED, onHost, config);
    try (Unet teacher = TRAINED.unet(onHost)) {
      Teacher elsewhere = TRAINED.teacher(teacher);
      Teacher own = (xt, levels, labels) -> elsewhere.x0(xt, levels, labels);
      for (Teacher unknown : List.of(own, elsewhere)) {
        try (Unet unet = unet(onDevice(Precision.FLOAT32));
            Trainer trainer = distilling(unet, unknown, config)) {
          trainer.fit();
          assertThat(course(trainer).losses().get(1))
              .isCloseTo(host.losses().get(1), withinPercentage(0.1));
        }
      }
      try (Unet unet = unet(onDevices(Precision.FLOAT32, 0, 1))) {
        assertThatThrownBy(() -> distilling(unet, own, config))
            .hasMessageContaining("with a decoder or a teacher of one's own; name one device");
        assertThatThrownBy(() -> distilling(unet, elsewhere, config))
            .hasMessageContaining("with a teacher that computes elsewhere or knows other images");
      }
    }
  }

  @Test
  void severalCardsGoOnFromACheckpointToTheSameBits() throws Exception {
    goesOnToTheSameBits(onDevices(Precision.BFLOAT16, 0, 1), 2, 1);
  }

  /** Batches that together are one. */
  @Test
  void accumulatesAsTheHostDoes() throws Exception {
    Execution onHost = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    Course host = train(onHost, 3, 2);
    for (Execution execution :
        List.of(onDevice(Precision.FLOAT32), onDevices(Precision.FLOAT32, 0, 1))) {
      Course card = train(execution, 3, 2);
      for (int i = 0; i < 3; i++) {
        assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(1e-4));
        assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), within(1e-3));
      }
      assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
    }
    assertThat(host.losses()).isNotEqualTo(train(onHost, 3, 1).losses());
  }

  @Test
  void accumulationGoesOnFromACheckpointToTheSameBits() throws Exception {
    goesOnToTheSameBits(onDevice(Precision.BFLOAT16), 2, 3);
  }

  /** What is predicted, the loss of an error and how timesteps are drawn. */
  private static Stream<Arguments> objectives() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    return Stream.of(
        Arguments.of(
            simple
                .withParameterization(Parameterization.V)
                .withWeighting(new LossWeighting.MinSnr(5))),
        Arguments.of(simple.withParameterization(Parameterization.X0).withLoss(LossFunction.HUBER)),
        Arguments.of(
            simple
                .withLoss(LossFunction.L2)
                .withWeighting(new LossWeighting.P2(1, 1))
                .withTimesteps(TimestepSampling.IMPORTANCE)));
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void everySimpleObjectiveIsTrainedAsOnTheHost(ObjectiveConfig objective) throws Exception {
    TrainingConfig config = config(3).withObjective(objective);
    Course host = train(NETWORK, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), config);
    EmulatedDeviceProvider.takeOpened();
    Course card = train(NETWORK, onDevice(Precision.FLOAT32), config);
    for (int i = 0; i < 3; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), withinPercentage(0.1));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), withinPercentage(1));
    }
    // A gradient that came home each time would be a multiple of this.
    long state = 4L * Float.BYTES * card.weights().length;
    for (EmulatedDriver driver : EmulatedDeviceProvider.takeOpened()) {
      assertThat(driver.downloaded()).isLessThan(state + 10_000);
    }
  }

  /** So short that every fourth image is at the last step, which ends on pixels. */
  private static final NoiseSchedule SHORT = SCHEDULE.respace(4).schedule();

  private static UnetConfig answering(ObjectiveConfig objective) {
    return ((AnnotatedUnet) NETWORK).withOutChannels(objective.outChannels(1));
  }

  /** On one card, or accumulated on two. */
  private static Stream<Arguments> bounds() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    return Stream.of(
        Arguments.of(1, simple.withTerms(LossTerms.HYBRID).withLoss(LossFunction.HUBER)),
        Arguments.of(
            2,
            simple
                .withTerms(LossTerms.HYBRID)
                .withParameterization(Parameterization.V)
                .withWeighting(new LossWeighting.MinSnr(5))),
        Arguments.of(2, simple.withTerms(LossTerms.VLB).withTimesteps(TimestepSampling.IMPORTANCE)),
        Arguments.of(1, simple.withTerms(LossTerms.VLB).withParameterization(Parameterization.X0)));
  }

  @ParameterizedTest
  @MethodSource("bounds")
  void theBoundIsTrainedAsOnTheHost(int cards, ObjectiveConfig objective) throws Exception {
    UnetConfig network = answering(objective);
    TrainingConfig config = config(3).withObjective(objective).withAccumulate(cards);
    Execution onHost = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    Course host = train(network, onHost, config, SHORT);
    EmulatedDeviceProvider.takeOpened();
    int[] indices = cards == 1 ? new int[] {0} : new int[] {0, 1};
    Course card = train(network, onDevices(Precision.FLOAT32, indices), config, SHORT);
    for (int i = 0; i < 3; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), withinPercentage(0.1));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), withinPercentage(1));
    }
    assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
    long state = 4L * Float.BYTES * card.weights().length;
    List<EmulatedDriver> opened = EmulatedDeviceProvider.takeOpened();
    assertThat(opened).allMatch(driver -> driver.downloaded() < state + 10_000);
    if (cards == 1 && !opened.isEmpty()) {
      // A step is one launch; one more packs the weights of the beginning.
      assertThat(opened.stream().mapToLong(EmulatedDriver::graphRuns).sum()).isEqualTo(1 + 3);
    }
  }

  @Test
  void theBoundGoesOnFromACheckpointToTheSameBits() throws Exception {
    ObjectiveConfig objective = ObjectiveConfig.simple().withTerms(LossTerms.HYBRID);
    goesOnToTheSameBits(
        answering(objective),
        onDevice(Precision.BFLOAT16),
        config(4).withObjective(objective).withFurtherEmaDecays(List.of(0.25)));
  }

  /** Accumulated on two cards, so that offsets must be those of the images' places. */
  @Test
  void offsetNoiseAndFurtherAveragesAreThoseOfTheHost() throws Exception {
    TrainingConfig config =
        config(3)
            .withAccumulate(2)
            .withObjective(ObjectiveConfig.simple().withOffsetNoise(0.5))
            .withFurtherEmaDecays(List.of(0.25, 0.75));
    Course host = train(NETWORK, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), config);
    EmulatedDeviceProvider.takeOpened();
    Course card = train(NETWORK, onDevices(Precision.FLOAT32, 0, 1), config);
    for (int i = 0; i < 3; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(1e-4));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), within(1e-3));
    }
    for (int i = 0; i < 2; i++) {
      float[] expected = host.furtherEmas().get(i);
      assertThat(distance(card.furtherEmas().get(i), expected)).isLessThan(5e-4);
      assertThat(distance(card.weights(), expected)).isGreaterThan(1e-3);
    }
    long state = 6L * Float.BYTES * card.weights().length;
    assertThat(EmulatedDeviceProvider.takeOpened())
        .allMatch(driver -> driver.downloaded() < state + 10_000);
  }

  private static final String FREQUENCIES = "time_mlp.0.weights";

  /** The values of one parameter among those of all. */
  private static float[] part(Parameters layout, String name, float[] all) {
    Parameters values = layout.zerosLike();
    values.flat().assign(Nd4j.createFromArray(all));
    return values.get(name).toFloatVector();
  }

  /** Its first layer's frequencies are drawn and not trained; all else decays fast. */
  @Test
  void whatIsFixedDoesNotDecay() throws Exception {
    UnetConfig network =
        LucidrainsUnet.of(8, 1, List.of(1, 2))
            .withAttention(
                List.of(
                    new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.LINEAR, 2, 4),
                    new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 2, 4)),
                new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 2, 4))
            .withTime(new LucidrainsUnet.Time(LucidrainsUnet.Frequencies.RANDOM, 8));
    TrainingConfig config =
        config(2)
            .withOptimizer(new AdamWConfig(2e-3, 0.9, 0.999, 1e-8, 50))
            .withAccumulate(2)
            .withFurtherEmaDecays(List.of(0.25));
    Course host = train(network, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), config);
    Parameters drawn = Unet.create(network, DataType.FLOAT, 1).parameters();
    float[] fixed = drawn.get(FREQUENCIES).toFloatVector();
    assertThat(fixed).hasSize(4);
    for (int[] cards : new int[][] {{0}, {0, 1}}) {
      EmulatedDeviceProvider.takeOpened();
      Course card = train(network, onDevices(Precision.FLOAT32, cards), config);
      for (int i = 0; i < 2; i++) {
        assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(1e-4));
        assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), withinPercentage(1));
      }
      assertThat(distance(card.weights(), host.weights())).isLessThan(5e-3);
      assertThat(part(drawn, FREQUENCIES, card.weights())).isEqualTo(fixed);
      assertThat(part(drawn, FREQUENCIES, card.ema())).containsExactly(fixed, within(1e-6f));
      long state = 5L * Float.BYTES * card.weights().length;
      assertThat(EmulatedDeviceProvider.takeOpened())
          .allMatch(driver -> driver.downloaded() < state + 10_000);
    }
    goesOnToTheSameBits(network, onDevice(Precision.BFLOAT16), config);
  }

  /** Classes, some of which are not told, by the place of their images in the whole. */
  @Test
  void classesAreToldByTheirImagesPlace() throws Exception {
    UnetConfig network = ((AnnotatedUnet) NETWORK).withClassEmbeddings(4);
    TrainingConfig config =
        config(2).withAccumulate(2).withObjective(ObjectiveConfig.simple().withLabelDropout(0.3));
    Course host = train(network, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1), config);
    Course card = train(network, onDevices(Precision.FLOAT32, 0, 1), config);
    for (int i = 0; i < 2; i++) {
      assertThat(card.losses().get(i)).isCloseTo(host.losses().get(i), within(1e-4));
      assertThat(card.norms().get(i)).isCloseTo(host.norms().get(i), within(1e-3));
    }
    assertThat(distance(card.weights(), host.weights())).isLessThan(2e-3);
  }

  /** Images go to the card and come back; weights stay there, and all kernels are one launch. */
  @Test
  void aStepOfSamplingCopiesImagesAlone() {
    assumeTrue(device().kind().equals("emulated"), "counted on emulated cards");
    EmulatedDeviceProvider.takeOpened();
    INDArray x = batch(3).getFeatures();
    try (Unet unet = unet(onDevice(Precision.BFLOAT16))) {
      unet.predict(x, Nd4j.valueArrayOf(new long[] {BATCH}, 4f, DataType.FLOAT));
      EmulatedDriver driver = EmulatedDeviceProvider.takeOpened().get(0);
      int allocations = driver.allocations();
      for (int t = 3; t >= 0; t--) {
        long uploaded = driver.uploaded();
        long downloaded = driver.downloaded();
        long graphRuns = driver.graphRuns();
        unet.predict(x, Nd4j.valueArrayOf(new long[] {BATCH}, (float) t, DataType.FLOAT));
        assertThat(driver.uploaded() - uploaded).isEqualTo(4 * (x.length() + BATCH));
        assertThat(driver.downloaded() - downloaded).isEqualTo(4 * x.length());
        assertThat(driver.graphRuns() - graphRuns).isEqualTo(1);
      }
      assertThat(driver.allocations()).isEqualTo(allocations);
    }
  }

  /** Nothing is allocated from step to step, and nothing is left when all is closed. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void memoryIsFlatAndGivenBack(int cards) throws Exception {
    assumeTrue(device().kind().equals("emulated"), "counted on emulated cards");
    EmulatedDeviceProvider.takeOpened();
    List<EmulatedDriver> opened = new ArrayList<>();
    List<Integer> counts = new ArrayList<>();
    try (Unet unet = unet(onDevices(Precision.FLOAT32, cards == 1 ? new int[1] : new int[2]));
        Trainer trainer = new Trainer(unet, SCHEDULE, config(8), DeviceTrainingTest::batch)) {
      trainer.withValidation(batch(100));
      trainer.withListener(
          (running, report) -> {
            if (report.step() % 3 == 0) {
              // As a grid of samples does.
              running.emaUnet().predict(batch(0).getFeatures(), Nd4j.zeros(BATCH));
            }
            opened.addAll(EmulatedDeviceProvider.takeOpened());
            counts.add(opened.stream().mapToInt(EmulatedDriver::allocations).sum());
          });
      trainer.fit();
    }
    // The network and the average of its weights, and what helps.
    assertThat(opened).hasSize(1 + cards);
    assertThat(counts).hasSize(8);
    assertThat(counts.subList(3, 8)).containsOnly(counts.get(3));
    assertThat(opened).allSatisfy(driver -> assertThat(driver.forgotten()).isZero());
  }

  /** The device has a copy of the weights, and must notice whoever writes to them. */
  @Test
  void seesWeightsThatAreWrittenTo() {
    INDArray x = batch(3).getFeatures();
    INDArray t = Nd4j.createFromArray(0f, 10f, 20f, 30f, 40f, 99f);
    try (Unet card = unet(onDevice(Precision.FLOAT32));
        Unet host =
            Unet.of(
                NETWORK,
                card.parameters(),
                new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1))) {
      assertThat(difference(card, host, x, t)).isLessThan(1e-4);
      String name = card.parameters().declarations().get(0).name();
      INDArray kept = card.parameters().get(name);
      kept.muli(1.5);
      assertThat(difference(card, host, x, t)).isLessThan(1e-4);
      card.parameters().flat().muli(0.9);
      assertThat(difference(card, host, x, t)).isLessThan(1e-4);
      kept.muli(2);
      card.parameters().changed();
      assertThat(difference(card, host, x, t)).isLessThan(1e-4);
    }
  }

  private static double difference(Unet card, Unet host, INDArray x, INDArray t) {
    INDArray expected = host.predict(x, t);
    return card.predict(x, t).sub(expected).norm2Number().doubleValue()
        / expected.norm2Number().doubleValue();
  }
}

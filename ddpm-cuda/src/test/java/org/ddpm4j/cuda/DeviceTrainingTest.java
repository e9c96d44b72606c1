package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
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
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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
    return new DataSet(features, Nd4j.zeros(BATCH, 1));
  }

  /** Losses and gradient norms of each step, and the weights and their average in the end. */
  private record Course(List<Double> losses, List<Double> norms, float[] weights, float[] ema) {}

  private static Course train(Execution execution, long steps) throws Exception {
    try (Unet unet = unet(execution);
        Trainer trainer = new Trainer(unet, SCHEDULE, config(steps), DeviceTrainingTest::batch)) {
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
        losses, norms, end.weights().flat().toFloatVector(), end.ema().flat().toFloatVector());
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
   * lets go of a variable before its method ends, hence a machine of its own.
   */
  @Test
  void holdsOnToTheImagesOfAStep() throws Exception {
    String step = "org.ddpm4j.diffusion.training.DeviceTrainingStep::run";
    Path output = folder.resolve("loss");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-Xcomp",
                "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=compileonly," + step,
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
        LockSupport.parkNanos(10_000_000);
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
    Course whole = train(onDevice(Precision.BFLOAT16), 4);
    Path file = folder.resolve("checkpoint.safetensors");
    try (Unet unet = unet(onDevice(Precision.BFLOAT16));
        Trainer trainer = new Trainer(unet, SCHEDULE, config(4), DeviceTrainingTest::batch)) {
      trainer.withListener(
          (running, report) -> {
            if (report.step() == 2) {
              running.checkpoint().write(file);
              running.requestStop();
            }
          });
      trainer.fit();
    }
    try (Unet unet = unet(onDevice(Precision.BFLOAT16));
        Trainer trainer = new Trainer(unet, SCHEDULE, config(4), DeviceTrainingTest::batch)) {
      trainer.resume(Checkpoint.read(file, unet.parameters()));
      trainer.fit();
      Course second = course(trainer);
      assertThat(second.weights()).isEqualTo(whole.weights());
      assertThat(second.ema()).isEqualTo(whole.ema());
    }
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

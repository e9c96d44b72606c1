package org.ddpm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.cpu.Onednn;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Trains the annotated diffusion model as PyTorch did for {@code training_curve.json}, which tells
 * the hyper-parameters. Weights, batches, timesteps and noise are drawn otherwise.
 */
@Tag("slow")
class TrainingCurveTest {

  /** The steps that a mean of the fixture is taken over. */
  private static final int WINDOW = 20;

  private static final int MEAN_TOLERANCE_PERCENT = 10;

  /** Asks for bfloat16 on a processor that has it, too, which takes some minutes more. */
  private static final String ALSO_BFLOAT16 = "ddpm4j.curve.bfloat16";

  /** On a card where there is one, in all precisions. */
  static Stream<Precision> precisions() {
    if (Devices.fastest().isPresent()) {
      return Stream.of(Precision.values());
    }
    return Boolean.getBoolean(ALSO_BFLOAT16) && Onednn.hasBfloat16()
        ? Stream.of(Precision.FLOAT32, Precision.BFLOAT16)
        : Stream.of(Precision.FLOAT32);
  }

  /**
   * As many as the fixture has, which takes some minutes without a card; without one, those after
   * which most is learnt, unless a property asks for more.
   */
  private static int steps() {
    int steps = Integer.getInteger("ddpm4j.curve.steps", Devices.fastest().isPresent() ? 300 : 160);
    if (steps < WINDOW || steps % WINDOW != 0) {
      throw new IllegalArgumentException(
          "ddpm4j.curve.steps is %d; give a multiple of %d.".formatted(steps, WINDOW));
    }
    return steps;
  }

  @ParameterizedTest
  @MethodSource("precisions")
  void isWherePyTorchIs(Precision precision) throws IOException {
    JsonNode expected = fixture();
    double[] losses = train(precision, steps());
    int windows = losses.length / WINDOW;
    double mean = Arrays.stream(losses, losses.length - WINDOW, losses.length).sum() / WINDOW;
    JsonNode expectedMeans = expected.get("mean_of_20");
    assertThat(expectedMeans).hasSizeGreaterThanOrEqualTo(windows);
    assertThat(mean)
        .as("the mean loss of the last %d of %d steps", WINDOW, losses.length)
        .isCloseTo(
            expectedMeans.get(windows - 1).doubleValue(), withinPercentage(MEAN_TOLERANCE_PERCENT));
  }

  private static JsonNode fixture() throws IOException {
    try (InputStream json = TrainingCurveTest.class.getResourceAsStream("training_curve.json")) {
      return new ObjectMapper().readTree(json);
    }
  }

  private static double[] train(Precision precision, int steps) throws IOException {
    ImageDataSet clothes =
        FashionMnist.load(Split.TRAIN, DataSources.ofHost().withNetwork(Network.FORBIDDEN));
    BatchOptions options = BatchOptions.forTraining(128, 1).withFlip(HorizontalFlip.RANDOM);
    ImageDataSetIterator batches = new ImageDataSetIterator(clothes, options);
    AnnotatedUnet architecture = AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1);
    TrainingConfig config =
        new TrainingConfig(
            steps,
            AdamWConfig.defaults(),
            new LearningRateSchedule(0, LearningRateSchedule.Decay.CONSTANT),
            Double.POSITIVE_INFINITY,
            0,
            ObjectiveConfig.simple(),
            1,
            WINDOW);
    double[] losses = new double[steps];
    int threads = Runtime.getRuntime().availableProcessors();
    Execution execution = new Execution(LayersChoice.FUSED, precision, threads, DeviceName.AUTO);
    try (Unet unet =
        Unet.of(
            architecture, Unet.create(architecture, DataType.FLOAT, 1).parameters(), execution)) {
      NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 600);
      try (Trainer trainer = new Trainer(unet, schedule, config, batches::batch)) {
        trainer
            .withListener((running, report) -> losses[(int) report.step() - 1] = report.loss())
            .fit();
      }
    }
    return losses;
  }
}

package org.ddpm4j.diffusion.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class SamplingListenerTest {

  private static final int STEPS = 4;

  /** Says that all images are white. */
  private static final Denoiser WHITE =
      (xt, level) -> new Denoiser.Estimate(xt.mul(0).addi(1), xt.dup());

  private final List<String> seen = new ArrayList<>();
  private final List<SamplingProgress> progress = new ArrayList<>();

  private static DiffusionPipeline pipeline() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    Sampler sampler = SamplerConfig.of(SamplerType.DDIM).create(schedule, STEPS, X0Constraint.NONE);
    return new DiffusionPipeline(WHITE, sampler, new ImageShape(1, 3, 2));
  }

  private static SamplingOptions options(int batchSize, SamplingListener listener) {
    return SamplingOptions.defaults().withBatchSize(batchSize).withListener(listener);
  }

  @Test
  void knowsWhichImagesAndHowFar() {
    SamplingListener listener =
        (now, x, x0) -> {
          assertThat(x.size(0)).isEqualTo(x0.size(0)).isEqualTo(now.end() - now.first());
          progress.add(now);
        };
    pipeline().sample(5, 1, options(2, listener));
    assertThat(progress)
        .extracting(SamplingProgress::first)
        .containsExactly(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4);
    assertThat(progress)
        .extracting(SamplingProgress::end)
        .containsExactly(2, 2, 2, 2, 4, 4, 4, 4, 5, 5, 5, 5);
    assertThat(progress)
        .extracting(SamplingProgress::step)
        .containsExactly(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4);
    assertThat(progress).allMatch(now -> now.count() == 5 && now.steps() == STEPS);
    // Twentieths: of 5 images 4 steps each.
    assertThat(progress)
        .extracting(now -> Math.round(now.fraction() * 20))
        .containsExactly(2L, 4L, 6L, 8L, 10L, 12L, 14L, 16L, 17L, 18L, 19L, 20L);
    assertThat(progress.get(11).fraction()).isEqualTo(1);
  }

  @Test
  void watchingChangesNothing() {
    INDArray watched = pipeline().sample(5, 1, options(2, (now, x, x0) -> {}));
    assertThat(watched).isEqualTo(pipeline().sample(5, 1));
  }

  @Test
  void observersStillSeeTheStepsOfEachBatch() {
    pipeline().sample(3, 1, 2, (stepsDone, x, x0) -> seen.add(stepsDone + "/" + x.size(0)));
    assertThat(seen).containsExactly("1/2", "2/2", "3/2", "4/2", "1/1", "2/1", "3/1", "4/1");
  }

  @Test
  void twoListenersAreToldInOrder() {
    SamplingListener both =
        ((SamplingListener) (now, x, x0) -> seen.add("first"))
            .and((now, x, x0) -> seen.add("second"));
    pipeline().sample(1, 1, options(1, both));
    assertThat(seen)
        .isEqualTo(
            IntStream.range(0, 2 * STEPS).mapToObj(i -> i % 2 == 0 ? "first" : "second").toList());
  }

  @Test
  void previewsShowTheEstimate() {
    List<BufferedImage> pictures = new ArrayList<>();
    SamplingListener preview =
        new X0Preview(
            3,
            Normalization.SYMMETRIC,
            (now, picture) -> {
              progress.add(now);
              pictures.add(picture);
            });
    pipeline().sample(4, 1, options(3, preview));
    assertThat(progress).extracting(SamplingProgress::step).containsExactly(3, 4, 3, 4);
    assertThat(progress).extracting(SamplingProgress::first).containsExactly(0, 0, 3, 3);
    // Three images of 2 columns in a row; one alone; lines of a pixel around each.
    assertThat(pictures).extracting(BufferedImage::getWidth).containsExactly(10, 10, 4, 4);
    assertThat(pictures).extracting(BufferedImage::getHeight).containsExactly(5, 5, 5, 5);
    // The state is noise until the last step, the estimate is white from the first.
    assertThat(pictures.get(0).getRaster().getSample(1, 1, 0)).isEqualTo(255);
    assertThat(pictures.get(0).getRaster().getSample(0, 0, 0)).isZero();
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> new X0Preview(0, Normalization.SYMMETRIC, (now, picture) -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A preview every 0 steps is not possible; it must be at least 1.");
    assertThatThrownBy(() -> SamplingOptions.defaults().withBatchSize(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Images cannot be drawn in batches of 0; it must be at least 1.");
    assertThatThrownBy(() -> new SamplingProgress(0, 2, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Step 1 of 1 for the images 0 to 1 of 1");
    assertThatThrownBy(() -> pipeline().sample(0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0 images cannot be drawn in batches of 64; both must be at least 1.");
  }
}

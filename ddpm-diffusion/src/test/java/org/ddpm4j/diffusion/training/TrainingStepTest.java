package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** What a trainer asks of steps that are done elsewhere. */
class TrainingStepTest {

  /** Steps with a state of their own, as on a device: the host sees what is brought home. */
  private static final class Elsewhere implements TrainingStep {

    private final TrainingState home;
    private final TrainingState own;
    private final Unet unet;
    private final HostTrainingStep steps;
    private boolean closed;

    Elsewhere(Task task) {
      home = task.state();
      own = TrainingState.of(copy(home.weights()));
      unet = Unet.of(task.unet().config(), own.weights(), task.unet().execution());
      steps =
          HostTrainingStep.of(
              new Task(unet, task.objective(), task.config(), task.data(), task.timesteps(), own));
    }

    private static Parameters copy(Parameters from) {
      Parameters copy = from.zerosLike();
      copy.assign(from);
      return copy;
    }

    private static void copy(TrainingState from, TrainingState to) {
      to.weights().assign(from.weights());
      to.ema().assign(from.ema());
      to.firstMoment().assign(from.firstMoment());
      to.secondMoment().assign(from.secondMoment());
    }

    @Override
    public Result run(long step, double learningRateFactor, double emaDecay) {
      return steps.run(step, learningRateFactor, emaDecay);
    }

    @Override
    public void bringHome() {
      copy(own, home);
    }

    @Override
    public void startFromHome() {
      copy(home, own);
    }

    @Override
    public void close() {
      steps.close();
      unet.close();
      closed = true;
    }
  }

  private static Trainer elsewhere(long steps, BatchSource data, List<Elsewhere> made) {
    TrainingConfig config = TinyTraining.config(steps);
    Objective objective = config.objective().create(TinyTraining.SCHEDULE);
    return new Trainer(
            TinyTraining.unet(),
            objective,
            config,
            data,
            task -> {
              made.add(new Elsewhere(task));
              return made.get(made.size() - 1);
            })
        .withValidation(TinyTraining.images(1000, 6));
  }

  @Test
  void stepsElsewhereEndWithTheSameBits() throws IOException {
    List<Elsewhere> made = new ArrayList<>();
    List<Checkpoint> middle = new ArrayList<>();
    try (Trainer here = TinyTraining.trainer(9);
        Trainer there = elsewhere(9, TinyTraining::batch, made)) {
      here.fit();
      there.withListener(
          (trainer, report) -> {
            if (report.step() == 5) {
              middle.add(copy(trainer.checkpoint()));
            }
          });
      INDArray start = there.unet().parameters().flat().dup();
      there.fit();
      // The validation loss of the last report brought everything home.
      assertThat(there.unet().parameters().flat()).isNotEqualTo(start);
      assertSame(there, here);

      try (Trainer resumed = elsewhere(9, TinyTraining::batch, made)) {
        resumed.resume(middle.get(0)).fit();
        assertSame(resumed, here);
      }
    }
    assertThat(made).hasSize(2).allMatch(steps -> steps.closed);
  }

  private static void assertSame(Trainer found, Trainer expected) {
    Checkpoint a = found.checkpoint();
    Checkpoint b = expected.checkpoint();
    assertThat(a.step()).isEqualTo(b.step());
    assertThat(a.weights().flat()).isEqualTo(b.weights().flat());
    assertThat(a.ema().flat()).isEqualTo(b.ema().flat());
    assertThat(a.firstMoment().flat()).isEqualTo(b.firstMoment().flat());
    assertThat(a.secondMoment().flat()).isEqualTo(b.secondMoment().flat());
    assertThat(a.history()).isEqualTo(b.history());
    assertThat(found.emaUnet().parameters().flat())
        .isEqualTo(expected.emaUnet().parameters().flat());
  }

  /** A checkpoint is a view of the state. */
  private static Checkpoint copy(Checkpoint of) {
    return new Checkpoint(
        of.version(),
        of.step(),
        Elsewhere.copy(of.weights()),
        Elsewhere.copy(of.ema()),
        Elsewhere.copy(of.firstMoment()),
        Elsewhere.copy(of.secondMoment()),
        of.history(),
        of.window(),
        of.timesteps());
  }

  /** Nothing is brought home that nobody asks for, and then all of it. */
  @Test
  void weightsComeHomeWhenTheyAreAskedFor() throws IOException {
    List<Elsewhere> made = new ArrayList<>();
    try (Trainer trainer = elsewhere(100, TinyTraining::batch, made)) {
      Unet handed = trainer.emaUnet();
      INDArray before = handed.parameters().flat().dup();
      trainer.withListener(
          (t, report) -> {
            if (report.step() < 4) {
              assertThat(handed.parameters().flat()).isEqualTo(before);
            }
            if (report.step() == 3) {
              t.bringHome();
              assertThat(handed.parameters().flat()).isEqualTo(made.get(0).own.ema().flat());
              assertThat(handed.parameters().flat()).isNotEqualTo(before);
              t.requestStop();
            }
          });
      trainer.fit();
      assertThat(trainer.step()).isEqualTo(3);
    }
  }

  @Test
  void divergenceElsewhereLeavesTheWeightsOfTheStepBefore() throws IOException {
    BatchSource data =
        step -> {
          DataSet batch = TinyTraining.batch(step);
          if (step == 2) {
            batch.getFeatures().putScalar(3, Float.POSITIVE_INFINITY);
          }
          return batch;
        };
    try (Trainer trainer = elsewhere(9, data, new ArrayList<>())) {
      List<INDArray> weights = new ArrayList<>();
      trainer.withListener((t, report) -> weights.add(t.unet().parameters().flat().dup()));
      assertThatThrownBy(trainer::fit)
          .isInstanceOf(TrainingDivergedException.class)
          .hasMessageStartingWith("Training diverged at step 3: the loss is ");
      assertThat(trainer.step()).isEqualTo(2);
      assertThat(trainer.unet().parameters().flat()).isEqualTo(weights.get(1));
    }
  }

  @Test
  void closingEndsWhatTheTrainerOwnsAndNoMore() throws IOException {
    INDArray x = TinyTraining.images(0, 2).getFeatures();
    INDArray t = Nd4j.createFromArray(1, 2);
    try (Unet unet = TinyTraining.unet()) {
      Trainer trainer =
          new Trainer(unet, TinyTraining.SCHEDULE, TinyTraining.config(2), TinyTraining::batch);
      trainer.fit();
      Unet ema = trainer.emaUnet();
      INDArray expected = ema.predict(x, t);
      try (Unet trained = trainer.trainedUnet()) {
        trainer.close();
        trainer.close();
        assertThatThrownBy(() -> ema.predict(x, t))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("is closed");
        assertThat(trained.predict(x, t)).isEqualTo(expected);
      }
      assertThat(unet.predict(x, t).shape()).containsExactly(2, 1, 8, 8);
    }
  }
}

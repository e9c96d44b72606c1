package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Consistency distillation (Song et al. 2023, algorithm 2 and eq. 7): where a teacher's step leads
 * from one noise level to the next lower one, the network is to say the same image of both ends.
 * What it says of the lower end is told by a moving average of its weights, the target (eq. 8), and
 * is not differentiated. At the least noise every network is the identity ({@link
 * Parameterization#CONSISTENCY}), so that the images of all levels come to be those where the
 * teacher's probability flow ends.
 *
 * <p>Dropout is the student's alone: teacher and target answer without.
 *
 * <p>The timesteps of this objective are the lower ends, 0..T-2. All levels weigh alike.
 *
 * @param schedule whose timesteps are the levels; their ratios rise
 * @param teacher of which the network learns
 * @param target says what the network is to say of the lower end; empty where the network itself
 *     does, as long as {@link #withTarget} has named no other
 * @param distillation how the teacher steps, and the target's decay
 * @param loss what an error of the image costs, L1 or L2
 */
public record ConsistencyDistillation(
    NoiseSchedule schedule,
    Teacher teacher,
    Optional<Teacher> target,
    Distillation distillation,
    LossFunction loss)
    implements Objective {

  private static final Parameterization STUDENT = Parameterization.CONSISTENCY;

  /**
   * Checks that there is a step to make.
   *
   * @throws IllegalArgumentException if the chain has a single timestep, or the loss is another
   */
  public ConsistencyDistillation {
    Objects.requireNonNull(teacher, "teacher");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(distillation, "distillation");
    if (schedule.timesteps() < 2) {
      throw new IllegalArgumentException(
          "A consistency model is distilled between neighbouring noise levels; the chain has but"
              + " one, and needs two or more timesteps.");
    }
    if (loss != LossFunction.L1 && loss != LossFunction.L2) {
      throw new IllegalArgumentException(
          Text.format("A consistency model is distilled by the loss l1 or l2, not %s.", loss));
    }
  }

  /**
   * Without a target of its own.
   *
   * @param schedule whose timesteps are the levels
   * @param teacher of which the network learns
   * @param distillation how
   * @param loss what an error of the image costs
   * @throws IllegalArgumentException if the chain has a single timestep, or the loss is another
   */
  public ConsistencyDistillation(
      NoiseSchedule schedule, Teacher teacher, Distillation distillation, LossFunction loss) {
    this(schedule, teacher, Optional.empty(), distillation, loss);
  }

  /**
   * The same with another target.
   *
   * @param average the network with the moving average of the weights; asked at each step
   * @return a new objective
   */
  public ConsistencyDistillation withTarget(Unet average) {
    return new ConsistencyDistillation(
        schedule, teacher, Optional.of(Teacher.of(average, STUDENT, schedule)), distillation, loss);
  }

  @Override
  public int timesteps() {
    return schedule.timesteps() - 1;
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    int[] upper = upper(batch);
    double[] factors = new double[weights.length];
    Arrays.setAll(factors, i -> weights[i] * weight(upper[i]));
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch noisy = at(batch, upper, temporaries);
      INDArray aim = target(unet, noisy, temporaries);
      INDArray imageWeights = temporaries.add(Nd4j.createFromArray(factors));
      double[] losses =
          unet.lossAndGradient(
              loss,
              noisy.noisy(schedule, STUDENT, temporaries).input().withDropout(batch.dropout()),
              aim,
              imageWeights,
              gradient);
      return weigh(losses, upper);
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    int[] upper = upper(batch);
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch noisy = at(batch, upper, temporaries);
      INDArray aim = target(unet, noisy, temporaries);
      return weigh(
          unet.losses(loss, noisy.noisy(schedule, STUDENT, temporaries).input(), aim), upper);
    }
  }

  private static int[] upper(TrainingBatch batch) {
    return Arrays.stream(batch.t()).map(t -> t + 1).toArray();
  }

  /** The same images with the same noise at other timesteps. */
  private static TrainingBatch at(TrainingBatch batch, int[] t, Temporaries temporaries) {
    INDArray eps = batch.givenEps().orElseGet(() -> temporaries.add(batch.eps()));
    return new TrainingBatch(batch.x0(), batch.labels(), t, batch.random(), Optional.of(eps));
  }

  /**
   * How much an error of what the network says is one of the image: {@code |∂f/∂F|}, squared for
   * squared errors. What is far from the image at the least noise does not matter there.
   */
  private double weight(int t) {
    double slope = Math.abs(STUDENT.x0Slope(schedule, t));
    return loss == LossFunction.L2 ? slope * slope : slope;
  }

  private double[] weigh(double[] losses, int[] t) {
    for (int i = 0; i < losses.length; i++) {
      losses[i] *= weight(t[i]);
    }
    return losses;
  }

  /** What the network would say of the upper end if it agreed with the target at the lower one. */
  private INDArray target(Unet unet, TrainingBatch noisy, Temporaries temporaries) {
    int[] upper = noisy.t();
    List<NoiseLevel> from = levels(upper);
    List<NoiseLevel> to = levels(Arrays.stream(upper).map(t -> t - 1).toArray());
    INDArray xt =
        temporaries.add(
            Parameterization.EPSILON.input(
                schedule, noisy.x0(), noisy.givenEps().orElseThrow(), upper));
    INDArray below = temporaries.add(step(xt, from, to, noisy.labels()));
    INDArray x0 =
        temporaries.add(
            target
                .orElseGet(() -> Teacher.of(unet, STUDENT, schedule))
                .x0(below, to, noisy.labels()));
    // With x_t, the image tells the noise, and both tell what the network should say.
    INDArray eps =
        temporaries.add(
            Temporaries.sum(
                List.of(xt, x0),
                List.of(
                    factors(from, level -> 1 / level.sigma()),
                    factors(from, level -> -level.alpha() / level.sigma()))));
    return temporaries.add(STUDENT.target(schedule, x0, eps, upper));
  }

  private List<NoiseLevel> levels(int... t) {
    return Arrays.stream(t).mapToObj(i -> NoiseLevel.of(schedule, i)).toList();
  }

  /**
   * A step of the teacher's probability flow {@code dz/dρ = (z - x0(z, ρ))/ρ}, {@code z = x/α}
   * (Karras et al. 2022, eq. 1 and algorithm 1).
   *
   * @param xt noisy images that keep the variance, {@code [N,C,H,W]}; not changed
   * @param from how noisy each is
   * @param to where each is to go
   * @param labels of the images
   * @return the less noisy images, the caller's to close
   */
  INDArray step(
      INDArray xt, List<NoiseLevel> from, List<NoiseLevel> to, Optional<INDArray> labels) {
    INDArray first = teacher.x0(xt, from, labels);
    // Euler's step z_e = z_a ρ_b/ρ_a + x0_a (1 - ρ_b/ρ_a), in units of x: towards the image.
    INDArray euler =
        Temporaries.sum(
            List.of(xt, first),
            List.of(
                factors(from, to, (a, b) -> b.alpha() / a.alpha() * b.rho() / a.rho()),
                factors(from, to, (a, b) -> b.alpha() * (1 - b.rho() / a.rho()))));
    if (distillation.solver() == Distillation.Solver.EULER) {
      first.close();
      return euler;
    }
    // Heun's z_b = z_a + h ((z_a - x0_a)/ρ_a + (z_e - x0_e)/ρ_b) with h = (ρ_b - ρ_a)/2.
    INDArray second = teacher.x0(euler, to, labels);
    INDArray end =
        Temporaries.sum(
            List.of(xt, first, euler, second),
            List.of(
                factors(from, to, (a, b) -> b.alpha() / a.alpha() * (1 + half(a, b) / a.rho())),
                factors(from, to, (a, b) -> -b.alpha() * half(a, b) / a.rho()),
                factors(from, to, (a, b) -> half(a, b) / b.rho()),
                factors(from, to, (a, b) -> -b.alpha() * half(a, b) / b.rho())));
    first.close();
    euler.close();
    second.close();
    return end;
  }

  private static double half(NoiseLevel from, NoiseLevel to) {
    return (to.rho() - from.rho()) / 2;
  }

  private static double[] factors(List<NoiseLevel> levels, ToDoubleFunction<NoiseLevel> factor) {
    return levels.stream().mapToDouble(factor).toArray();
  }

  private static double[] factors(
      List<NoiseLevel> from,
      List<NoiseLevel> to,
      ToDoubleBiFunction<NoiseLevel, NoiseLevel> factor) {
    return IntStream.range(0, from.size())
        .mapToDouble(i -> factor.applyAsDouble(from.get(i), to.get(i)))
        .toArray();
  }
}

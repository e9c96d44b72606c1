package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.ImageLoss;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.TrainingProgram;
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
    implements GraphObjective {

  private static final Parameterization STUDENT = Parameterization.CONSISTENCY;

  /**
   * Checks that there is a step to make.
   *
   * @throws IllegalArgumentException if the chain has a single timestep, or the loss is another
   */
  public ConsistencyDistillation {
    Objects.requireNonNull(schedule, "schedule");
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
    Arrays.setAll(factors, i -> weights[i] * weight(batch.t()[i]));
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
      return weigh(losses, batch.t());
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    int[] upper = upper(batch);
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch noisy = at(batch, upper, temporaries);
      INDArray aim = target(unet, noisy, temporaries);
      return weigh(
          unet.losses(loss, noisy.noisy(schedule, STUDENT, temporaries).input(), aim), batch.t());
    }
  }

  private static int[] upper(TrainingBatch batch) {
    return Arrays.stream(batch.t()).map(ConsistencyDistillation::upper).toArray();
  }

  private static int upper(int t) {
    return t + 1;
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
  @Override
  public double weight(int t) {
    double slope = Math.abs(STUDENT.x0Slope(schedule, upper(t)));
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
    INDArray euler =
        Temporaries.sum(List.of(xt, first), columns(from, to, ConsistencyDistillation::euler));
    if (distillation.solver() == Distillation.Solver.EULER) {
      first.close();
      return euler;
    }
    INDArray second = teacher.x0(euler, to, labels);
    INDArray end =
        Temporaries.sum(
            List.of(xt, first, euler, second), columns(from, to, ConsistencyDistillation::heun));
    first.close();
    euler.close();
    second.close();
    return end;
  }

  /**
   * Euler's step z_e = z_a ρ_b/ρ_a + x0_a (1 - ρ_b/ρ_a), in units of x: towards the image.
   *
   * @return the factors of x_a and x0_a
   */
  private static double[] euler(NoiseLevel a, NoiseLevel b) {
    return new double[] {
      b.alpha() / a.alpha() * b.rho() / a.rho(), b.alpha() * (1 - b.rho() / a.rho())
    };
  }

  /**
   * Heun's z_b = z_a + h ((z_a - x0_a)/ρ_a + (z_e - x0_e)/ρ_b) with h = (ρ_b - ρ_a)/2.
   *
   * @return the factors of x_a, x0_a, x_e and x0_e
   */
  private static double[] heun(NoiseLevel a, NoiseLevel b) {
    double half = (b.rho() - a.rho()) / 2;
    return new double[] {
      b.alpha() / a.alpha() * (1 + half / a.rho()),
      -b.alpha() * half / a.rho(),
      half / b.rho(),
      -b.alpha() * half / b.rho()
    };
  }

  private static double[] factors(List<NoiseLevel> levels, ToDoubleFunction<NoiseLevel> factor) {
    return levels.stream().mapToDouble(factor).toArray();
  }

  /** Of each image a row; what is returned has a column of them in each array. */
  private static List<double[]> columns(
      List<NoiseLevel> from,
      List<NoiseLevel> to,
      BiFunction<NoiseLevel, NoiseLevel, double[]> rows) {
    List<double[]> all =
        IntStream.range(0, from.size()).mapToObj(i -> rows.apply(from.get(i), to.get(i))).toList();
    return IntStream.range(0, all.get(0).length)
        .mapToObj(k -> all.stream().mapToDouble(row -> row[k]).toArray())
        .toList();
  }

  @Override
  public Parameterization parameterization() {
    return STUDENT;
  }

  @Override
  public Optional<ImageLoss> graphLoss() {
    return networks().map(networks -> loss);
  }

  /** The networks that are asked, in their order; empty if another is among them. */
  private Optional<List<NetworkTeacher>> networks() {
    if (teacher instanceof NetworkTeacher first
        && target.orElse(null) instanceof NetworkTeacher last) {
      return Optional.of(
          switch (distillation.solver()) {
            case EULER -> List.of(first, last);
            case HEUN -> List.of(first, first, last);
          });
    }
    return Optional.empty();
  }

  /** At the upper end. */
  @Override
  public double time(int t) {
    return GraphObjective.super.time(upper(t));
  }

  @Override
  public float[] diffusionFactors(int... t) {
    return GraphObjective.super.diffusionFactors(
        Arrays.stream(t).map(ConsistencyDistillation::upper).toArray());
  }

  @Override
  public List<Unet> targetNetworks() {
    return networks()
        .map(networks -> networks.stream().map(NetworkTeacher::unet).toList())
        .orElse(List.of());
  }

  @Override
  public Optional<TrainingProgram.AnsweredTarget> answeredTarget(int... t) {
    return networks().map(networks -> answeredTarget(networks, t));
  }

  private TrainingProgram.AnsweredTarget answeredTarget(List<NetworkTeacher> networks, int... t) {
    int count = networks.size();
    List<TrainingProgram.Question> questions =
        IntStream.rangeClosed(1, count)
            .mapToObj(
                terms ->
                    new TrainingProgram.Question(new float[t.length], new float[t.length * terms]))
            .toList();
    float[] factors = new float[t.length * (1 + count)];
    for (int i = 0; i < t.length; i++) {
      NoiseLevel from = NoiseLevel.of(schedule, upper(t[i]));
      NoiseLevel to = NoiseLevel.of(schedule, t[i]);
      Asking asking = new Asking(networks, questions, i);
      Combination xt = Combination.given().times(1 / STUDENT.inputFactor(from));
      Combination x0 = asking.x0(step(asking, xt, from, to), to);
      // With x_t, the image tells the noise, and both tell what the network should say.
      Combination eps = xt.mix(1 / from.sigma(), x0, -from.alpha() / from.sigma());
      double[] wanted = STUDENT.targetFactors(schedule, upper(t[i]));
      x0.mix(wanted[0], eps, wanted[1]).put(factors, i, 1 + count);
    }
    return new TrainingProgram.AnsweredTarget(questions, factors);
  }

  /** As {@link #step(INDArray, List, List, Optional)}. */
  private Combination step(Asking asking, Combination xt, NoiseLevel from, NoiseLevel to) {
    Combination first = asking.x0(xt, from);
    double[] ofEuler = euler(from, to);
    Combination euler = xt.mix(ofEuler[0], first, ofEuler[1]);
    if (distillation.solver() == Distillation.Solver.EULER) {
      return euler;
    }
    Combination second = asking.x0(euler, to);
    double[] ofHeun = heun(from, to);
    return xt.mix(ofHeun[0], first, ofHeun[1]).mix(1, euler.mix(ofHeun[2], second, ofHeun[3]), 1);
  }

  /** Asks one network after the other for an image. */
  private static final class Asking {

    private final List<NetworkTeacher> networks;
    private final List<TrainingProgram.Question> questions;
    private final int image;
    private int asked;

    Asking(List<NetworkTeacher> networks, List<TrainingProgram.Question> questions, int image) {
      this.networks = networks;
      this.questions = questions;
      this.image = image;
    }

    /** What the next network will estimate. */
    Combination x0(Combination xt, NoiseLevel level) {
      NetworkTeacher network = networks.get(asked);
      TrainingProgram.Question question = questions.get(asked);
      asked++;
      question.timesteps()[image] = (float) network.time(level);
      xt.times(network.inputFactor(level)).put(question.factors(), image, asked);
      double[] factors = network.x0Factors(level);
      return xt.mix(factors[0], Combination.answer(asked), factors[1]);
    }
  }
}

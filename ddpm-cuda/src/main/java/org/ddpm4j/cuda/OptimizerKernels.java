package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingRequest;

/** AdamW with clipping and a moving average on flat buffers, by {@code optimizer.cu}. */
final class OptimizerKernels {

  /** What {@link #update} reads of a step: doubles. */
  static final int STEP_DOUBLES = 5;

  /** What {@link #update} writes: the norms of gradient and update, doubles. */
  static final int OUTCOME_DOUBLES = 2;

  private static final String FILE = "optimizer.cu";
  private static final int PARTS = 512;
  private static final int THREADS = 256;

  private OptimizerKernels() {}

  /**
   * Flat buffers of one length, 16-byte aligned.
   *
   * @param ema the moving average of the weights, or null
   * @param furtherEmas of other decays
   * @param fixed what does not decay; its gradient is zero
   */
  record Buffers(
      Tensor weights,
      Tensor gradient,
      Tensor firstMoment,
      Tensor secondMoment,
      Tensor ema,
      List<Tensor> furtherEmas,
      List<TrainingRequest.Range> fixed) {}

  /** What stays the same from step to step. */
  record Constants(double beta1, double beta2, double epsilon, double maxGradientNorm) {}

  /**
   * The doubles of a step, as the kernels read them.
   *
   * @param step zero-based
   * @param furtherEmaDecays of this step, in the order of the averages
   */
  static double[] step(
      Constants constants,
      long step,
      double learningRate,
      double weightDecay,
      double emaDecay,
      List<Double> furtherEmaDecays) {
    double[] usual = {
      learningRate,
      1 - Math.pow(constants.beta1(), step + 1.0),
      1 - Math.pow(constants.beta2(), step + 1.0),
      weightDecay,
      emaDecay
    };
    return DoubleStream.concat(
            Arrays.stream(usual), furtherEmaDecays.stream().mapToDouble(Double::doubleValue))
        .toArray();
  }

  /**
   * A step, unless a norm is not finite.
   *
   * @param step address of {@value #STEP_DOUBLES} doubles and one for each further average, see
   *     {@link #step}
   * @param outcome address for {@value #OUTCOME_DOUBLES} doubles, the norm of the gradient before
   *     clipping and that of the gradient's part of the update; if one of them is not finite,
   *     weights, moments and average are as they were
   * @param clears whether the gradient becomes zero, in any case
   */
  static Kernel update(
      CudaContext context,
      Buffers buffers,
      Constants constants,
      long step,
      long outcome,
      boolean clears) {
    long gradientParts = context.scratch(2L * PARTS * Double.BYTES);
    long directionParts = gradientParts + (long) PARTS * Double.BYTES;
    long n = buffers.weights().length();
    Launch launch = Launch.of(PARTS, THREADS);
    Kernel norm =
        context.launchFloat(FILE, "square_sums", launch, buffers.gradient(), gradientParts, n);
    Kernel direction =
        context.launchFloat(
            FILE,
            "adamw_direction",
            launch,
            buffers.gradient(),
            buffers.firstMoment(),
            buffers.secondMoment(),
            gradientParts,
            directionParts,
            step,
            n,
            constants.beta1(),
            constants.beta2(),
            constants.epsilon(),
            constants.maxGradientNorm());
    List<TrainingRequest.Range> fixed = buffers.fixed();
    long ends =
        fixed.isEmpty()
            ? 0
            : context.constant(
                fixed.stream().flatMapToLong(range -> LongStream.of(range.first(), range.end())));
    Kernel update =
        context.launchFloat(
            FILE,
            "adamw_update",
            launch,
            buffers.weights(),
            buffers.gradient(),
            buffers.firstMoment(),
            buffers.secondMoment(),
            buffers.ema(),
            gradientParts,
            directionParts,
            step,
            outcome,
            n,
            constants.beta1(),
            constants.beta2(),
            constants.epsilon(),
            constants.maxGradientNorm(),
            ends,
            fixed.size(),
            clears ? 1 : 0);
    List<Kernel> all = new ArrayList<>(List.of(norm, direction, update));
    for (int i = 0; i < buffers.furtherEmas().size(); i++) {
      all.add(
          context.launchFloat(
              FILE,
              "further_average",
              launch,
              buffers.weights(),
              buffers.furtherEmas().get(i),
              step + (long) (STEP_DOUBLES + i) * Double.BYTES,
              outcome,
              n));
    }
    return Kernel.sequence(all);
  }
}

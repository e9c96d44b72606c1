package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.BoundPerImageGradient;
import org.ddpm4j.kernels.ops.BoundTerm;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link BoundPerImage} and its gradient on a CPU, in double. */
final class BoundKernels {

  private final Optional<LossFunction> simple;
  private final List<BoundLoss.Pixels> pixels;
  private final FloatBuffer answers;
  private final FloatBuffer targets;
  private final FloatBuffer images;
  private final FloatBuffer coefficients;
  private final int count;
  private final int channels;
  private final int positions;
  private final int row;

  private BoundKernels(BoundLoss loss, List<CpuTensor> inputs) {
    simple = loss.simple();
    pixels = loss.pixels();
    answers = inputs.get(0).buffer();
    targets = inputs.get(1).buffer();
    images = inputs.get(2).buffer();
    coefficients = inputs.get(3).buffer();
    count = inputs.get(1).size(0);
    channels = inputs.get(1).size(1);
    positions = inputs.get(1).size(2) * inputs.get(1).size(3);
    row = inputs.get(0).size(3);
  }

  static Kernel forward(
      BoundPerImage op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    BoundKernels kernels = new BoundKernels(op.loss(), inputs);
    FloatBuffer losses = outputs.get(0).buffer();
    return () -> {
      for (int n = 0; n < kernels.count; n++) {
        losses.put(n, (float) kernels.loss(n));
      }
    };
  }

  static Kernel backward(
      BoundPerImageGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    if (outputs.get(0) == null) {
      return () -> {};
    }
    BoundKernels kernels = new BoundKernels(op.loss(), inputs);
    FloatBuffer gradient = inputs.get(4).buffer();
    FloatBuffer slopes = outputs.get(0).buffer();
    return () -> {
      for (int n = 0; n < kernels.count; n++) {
        kernels.gradient(n, gradient.get(n), slopes);
      }
    };
  }

  private int elements() {
    return channels * positions;
  }

  private double loss(int image) {
    BoundLoss.Coefficients its = BoundLoss.Coefficients.read(coefficients, image);
    double sum = 0;
    for (int channel = 0; channel < channels; channel++) {
      for (int position = 0; position < positions; position++) {
        int outside = (image * channels + channel) * positions + position;
        int inside = (image * positions + position) * row + channel;
        double prediction = answers.get(inside);
        double target = targets.get(outside);
        sum += its.boundFactor() * term(its, channel, inside, outside).nats();
        if (simple.isPresent()) {
          sum += its.errorFactor() * simple.get().value(prediction, target);
        }
      }
    }
    return sum / elements();
  }

  private void gradient(int image, double ofLoss, FloatBuffer slopes) {
    BoundLoss.Coefficients its = BoundLoss.Coefficients.read(coefficients, image);
    double factor = ofLoss / elements();
    for (int channel = 0; channel < channels; channel++) {
      for (int position = 0; position < positions; position++) {
        int outside = (image * channels + channel) * positions + position;
        int inside = (image * positions + position) * row + channel;
        BoundTerm term = term(its, channel, inside, outside);
        double byPrediction =
            simple.isPresent()
                ? its.errorFactor()
                    * simple.get().predictionSlope(answers.get(inside), targets.get(outside))
                : its.boundFactor() * its.errorScale() * term.byError();
        slopes.put(inside, (float) (factor * byPrediction));
        if (isLearned()) {
          double byVariance = its.boundFactor() * its.halfLogRange() * term.byLogRatio();
          slopes.put(inside + channels, (float) (factor * byVariance));
        }
      }
    }
  }

  private boolean isLearned() {
    return row > channels;
  }

  private BoundTerm term(BoundLoss.Coefficients its, int channel, int inside, int outside) {
    double z = its.errorScale() * ((double) answers.get(inside) - targets.get(outside));
    double v = isLearned() ? answers.get(inside + channels) : 0;
    double logRatio = its.halfLogRange() * (1 + v);
    if (!its.isLast()) {
      return BoundTerm.divergence(z, logRatio);
    }
    if (pixels.isEmpty()) {
      return BoundTerm.density(z, logRatio, its.inverseDeviation());
    }
    BoundLoss.Pixels values = pixels.get(pixels.size() == 1 ? 0 : channel);
    return BoundTerm.probability(z, logRatio, its.inverseDeviation(), images.get(outside), values);
  }
}

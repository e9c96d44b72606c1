package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.ddpm4j.diffusion.bound.Decoder;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.BoundPerImageGradient;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/** The last step of the bound, on bins of pixels, emulated, against the decoder. */
class BoundKernelsTest extends OnEmulatedCard {

  private static final int C = 2;
  private static final int H = 4;
  private static final int W = 9;

  private static final DiscretizedGaussian DECODER =
      new DiscretizedGaussian(
          new double[] {-1, -2.1}, new double[] {1, 2.625}, new double[] {2 / 255.0, 0.315});

  /** Errors of about half a deviation to hundreds, bins of a hundredth to several of them. */
  private static final double[][] IMAGES = {
    {0.5, 1, 100}, {30, 0.5, 20}, {400, 2, 500}, {2, 0.125, 3}, {5, 0.25, 1000}
  };

  BoundKernelsTest() {
    super(6);
  }

  private static <T extends DynamicCustomOp> T set(T op) {
    op.addIArgument(-1);
    for (BoundLoss.Pixels pixels : DECODER.pixels()) {
      op.addTArgument(pixels.lower(), pixels.step(), pixels.last());
    }
    return op;
  }

  /** Every third pixel is at one of the ends, which are open. */
  private float[] images() {
    float[] x0 = new float[IMAGES.length * C * H * W];
    for (int i = 0; i < x0.length; i++) {
      BoundLoss.Pixels pixels = DECODER.pixels().get(i / (H * W) % C);
      int level = i % 3 == 0 ? (i / 3 % 2) * pixels.last() : random.nextInt(pixels.last() + 1);
      x0[i] = (float) (pixels.lower() + level * pixels.step());
    }
    return x0;
  }

  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FLOAT32", "BFLOAT16"})
  void binsOfPixels(Precision precision) {
    int images = IMAGES.length;
    float[] rows = new float[images * BoundLoss.Coefficients.COUNT];
    for (int n = 0; n < images; n++) {
      double[] its = IMAGES[n];
      new BoundLoss.Coefficients(its[0], its[1], its[2], true, 3, 0).put(rows, n);
    }
    float[] x0 = images();
    CudaContext context = new CudaContext(driver, null, precision);
    Tensor answer = tensors.randomMap(precision, images, H, W, 2 * C);
    Tensor target = tensors.randomFloats(1, images, C, H, W);
    List<Tensor> inputs =
        List.of(
            answer,
            target,
            tensors.floats(x0, images, C, H, W),
            tensors.floats(rows, images, BoundLoss.Coefficients.COUNT));
    Tensor losses = tensors.randomFloats(1, images);
    Tensor gradient = tensors.randomFloats(1, images);
    Tensor slopes = tensors.map(Precision.FLOAT32, images, H, W, 2 * C);
    BoundKernels.forward(set(new BoundPerImage()), context, inputs, List.of(losses)).run();
    BoundKernels.backward(
            set(new BoundPerImageGradient()),
            context,
            List.of(inputs.get(0), inputs.get(1), inputs.get(2), inputs.get(3), gradient),
            List.of(slopes))
        .run();
    double[] y = tensors.values(answer);
    double[] wanted = tensors.stored(target);
    double[] g = tensors.stored(gradient);
    double[] foundLosses = tensors.stored(losses);
    double[] foundSlopes = tensors.values(slopes);
    for (int n = 0; n < images; n++) {
      double[] its = IMAGES[n];
      double sum = 0;
      for (int i = 0; i < C * H * W; i++) {
        int channel = i / (H * W);
        int inside = (n * H * W + i % (H * W)) * 2 * C + channel;
        int outside = n * C * H * W + i;
        double error = its[0] * (y[inside] - wanted[outside]) / its[2];
        double logVariance = its[1] * (1 + y[inside + C]) - 2 * Math.log(its[2]);
        Decoder.LogLikelihood expected =
            DECODER.logLikelihood(channel, x0[outside], x0[outside] + error, logVariance);
        sum -= 3 * expected.nats() / (C * H * W);
        double factor = -3 * g[n] / (C * H * W);
        check(foundSlopes[inside], factor * expected.meanDerivative() * its[0] / its[2]);
        check(foundSlopes[inside + C], factor * expected.logVarianceDerivative() * its[1]);
      }
      assertThat(foundLosses[n]).isCloseTo(sum, within(1e-6 * Math.abs(sum)));
    }
    context.close();
  }

  private static void check(double actual, double expected) {
    // The coefficients and the result are floats.
    assertThat(actual).isCloseTo(expected, within(1e-5 * Math.abs(expected) + 1e-12));
  }

  @Test
  void aPixelOutsideIsNoNumber() {
    float[] rows = new float[BoundLoss.Coefficients.COUNT];
    new BoundLoss.Coefficients(1, 1, 1, true, 1, 0).put(rows, 0);
    float[] x0 = new float[C];
    x0[0] = 1.5f;
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    Tensor losses = tensors.randomFloats(1, 1);
    BoundKernels.forward(
            set(new BoundPerImage()),
            context,
            List.of(
                tensors.randomMap(Precision.FLOAT32, 1, 1, 1, 2 * C),
                tensors.randomFloats(1, 1, C, 1, 1),
                tensors.floats(x0, 1, C, 1, 1),
                tensors.floats(rows, 1, rows.length)),
            List.of(losses))
        .run();
    assertThat(tensors.stored(losses)).containsExactly(Double.NaN);
    context.close();
  }
}

package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link GroupNormGradient} on a CPU. */
final class GroupNormGradientKernel {

  private GroupNormGradientKernel() {}

  static Kernel kernel(
      GroupNormGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor dx = outputs.get(0);
    Sums sums = new Sums(x.size(0), x.size(3));
    Kernel images =
        SharedKernel.ofImages(
            context,
            2 * SharedKernel.FLOPS_OF_NORMALISATION * x.length(),
            x.size(0),
            (own, first, end) ->
                new Computation(
                    own,
                    op.groups(),
                    op.epsilon(),
                    op.function(),
                    List.of(
                        x.images(first, end),
                        inputs.get(1),
                        inputs.get(2),
                        inputs.get(3).images(first, end)),
                    dx == null ? null : dx.images(first, end),
                    sums.images(first, end)));
    return Kernel.sequence(List.of(images, () -> sums.addTo(outputs.get(1), outputs.get(2))));
  }

  /**
   * Of each image, for each channel.
   *
   * @param gradients Σ dz
   * @param products Σ dz·x̂
   */
  private record Sums(double[][] gradients, double[][] products) {

    Sums(int images, int channels) {
      this(new double[images][channels], new double[images][channels]);
    }

    /** The same arrays for some images. */
    Sums images(int first, int end) {
      return new Sums(
          Arrays.copyOfRange(gradients, first, end), Arrays.copyOfRange(products, first, end));
    }

    /** To those of γ and β, either of which may be null, image by image. */
    void addTo(CpuTensor scale, CpuTensor shift) {
      if (scale != null) {
        ParameterGradients.add(scale, total(products));
      }
      if (shift != null) {
        ParameterGradients.add(shift, total(gradients));
      }
    }

    private static double[] total(double[][] ofImages) {
      double[] total = new double[ofImages[0].length];
      for (double[] ofImage : ofImages) {
        for (int c = 0; c < total.length; c++) {
          total[c] += ofImage[c];
        }
      }
      return total;
    }
  }

  /**
   * With z the normalised, scaled and shifted input, dz its gradient, x̂ the normalised input and M
   * the number of elements of a group, the gradient of x is {@code (γ·dz - Σγ·dz/M -
   * x̂·Σγ·dz·x̂/M)} times the inverse deviation.
   */
  private static final class Computation implements Kernel {

    private final Activation function;
    private final List<CpuTensor> inputs;
    private final Sums ofImages;
    private final int images;
    private final int channels;
    private final int groups;
    private final int perGroup;
    private final double elements;
    private final ChannelTiles tiles;
    private final GroupNormKernel.Normalisation normalisation;
    private final FloatImages features;
    private final FloatImages slopes;
    private final FloatImages featureSlopes;
    private final int together;
    private final List<Normalised> normalised = new ArrayList<>();
    private final Kernel[] functionGradients;
    private final float[] x;
    private final float[] gradient;
    private final float[] repeatedMeans;
    private final float[] sums;
    private final float[] products;
    private final float[] perChannel;
    private final float[] factorsOfGradient;
    private final float[] factorsOfX;
    private final float[] summands;
    private final double[] ofX;
    private final double[] constant;

    /** What is kept of one of the images that go through the function's gradient together. */
    private record Normalised(CpuTensor z, CpuTensor dz, double[] mean, double[] inverse) {}

    Computation(
        CpuContext context,
        int groups,
        double epsilon,
        Activation function,
        List<CpuTensor> inputs,
        CpuTensor dx,
        Sums ofImages) {
      this.function = function;
      this.inputs = inputs;
      this.ofImages = ofImages;
      this.groups = groups;
      CpuTensor batch = inputs.get(0);
      images = batch.size(0);
      channels = batch.size(3);
      perGroup = channels / groups;
      int positions = batch.size(1) * batch.size(2);
      elements = (double) positions * channels / groups;
      tiles = new ChannelTiles(positions, channels);
      normalisation = new GroupNormKernel.Normalisation(positions, channels, groups, epsilon);
      List<CpuTensor> scratch =
          context.scratch(
              FloatImages.groupLength(batch),
              FloatImages.groupLength(batch),
              FloatImages.scratch(batch),
              FloatImages.scratch(inputs.get(3)));
      CpuTensor z = scratch.get(0);
      CpuTensor dz = scratch.get(1);
      features = FloatImages.reading(context, batch, scratch.get(2));
      slopes = FloatImages.reading(context, inputs.get(3), scratch.get(3));
      // Nobody needs z any more when the first slopes of the features are known.
      featureSlopes = dx == null ? null : FloatImages.writing(context, dx, z);
      together = FloatImages.together(batch);
      long length = tiles.total();
      for (int k = 0; k < together; k++) {
        normalised.add(
            new Normalised(
                z.part(k * length, length),
                dz.part(k * length, length),
                new double[groups],
                new double[groups]));
      }
      functionGradients = functionGradients(context, z, dz);
      x = tiles.array();
      gradient = tiles.array();
      repeatedMeans = tiles.array();
      sums = tiles.array();
      products = tiles.array();
      factorsOfGradient = tiles.array();
      factorsOfX = tiles.array();
      summands = tiles.array();
      perChannel = new float[channels];
      ofX = new double[groups];
      constant = new double[groups];
    }

    /** One for each group of images. */
    private Kernel[] functionGradients(CpuContext context, CpuTensor z, CpuTensor dz) {
      Kernel[] kernels = new Kernel[images / together];
      if (function == Activation.IDENTITY) {
        return kernels;
      }
      memory.desc layout = Onednn.dense((long) together * tiles.total());
      eltwise_backward primitive = OnednnFunctions.backward(function, layout);
      for (int i = 0; i < kernels.length; i++) {
        kernels[i] =
            context
                .call(primitive)
                .with(DNNL_ARG_SRC, context.memory(layout, z))
                .with(DNNL_ARG_DIFF_DST, context.memory(layout, slopes.group(i * together)))
                .with(DNNL_ARG_DIFF_SRC, context.memory(layout, dz));
      }
      return kernels;
    }

    @Override
    public void run() {
      normalisation.take(inputs.get(1), inputs.get(2));
      for (int first = 0; first < images; first += together) {
        for (int k = 0; k < together; k++) {
          normalise(first + k, normalised.get(k));
        }
        if (function != Activation.IDENTITY) {
          functionGradients[first / together].run();
        }
        for (int k = 0; k < together; k++) {
          image(first + k, normalised.get(k));
        }
      }
    }

    private void normalise(int n, Normalised to) {
      CpuTensor image = features.load(n);
      slopes.load(n);
      normalisation.compute(image);
      System.arraycopy(normalisation.statistics.mean, 0, to.mean(), 0, groups);
      System.arraycopy(normalisation.statistics.inverseDeviation, 0, to.inverse(), 0, groups);
      if (function != Activation.IDENTITY) {
        normalisation.apply(image, to.z());
      }
    }

    private void image(int n, Normalised of) {
      FloatBuffer image = features.target(n).buffer();
      FloatBuffer gradients =
          (function == Activation.IDENTITY ? slopes.target(n) : of.dz()).buffer();
      double[] sum = ofImages.gradients()[n];
      double[] product = ofImages.products()[n];
      sumOverPositions(image, gradients, of, sum, product);
      if (featureSlopes != null) {
        repeatFactors(of, sum, product);
        inputGradient(image, gradients, featureSlopes.target(n).buffer());
        featureSlopes.store(n);
      }
    }

    private void sumOverPositions(
        FloatBuffer image, FloatBuffer gradients, Normalised of, double[] sum, double[] product) {
      for (int g = 0; g < groups; g++) {
        Arrays.fill(perChannel, g * perGroup, (g + 1) * perGroup, (float) of.mean()[g]);
      }
      tiles.repeat(perChannel, repeatedMeans);
      Arrays.fill(sums, 0);
      Arrays.fill(products, 0);
      tiles.forEach(
          (offset, length) -> {
            image.get(offset, x, 0, length);
            gradients.get(offset, gradient, 0, length);
            Loops.addCentredProducts(sums, products, gradient, x, repeatedMeans, length);
          });
      tiles.sum(sums, sum);
      tiles.sum(products, product);
      for (int g = 0; g < groups; g++) {
        double inverse = of.inverse()[g];
        for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
          product[c] *= inverse;
        }
      }
    }

    private void inputGradient(FloatBuffer image, FloatBuffer gradients, FloatBuffer dx) {
      tiles.forEach(
          (offset, length) -> {
            image.get(offset, x, 0, length);
            gradients.get(offset, gradient, 0, length);
            Loops.combine(gradient, factorsOfGradient, x, factorsOfX, summands, length);
            dx.put(offset, gradient, 0, length);
          });
    }

    private void repeatFactors(Normalised of, double[] sum, double[] product) {
      float[] scale = normalisation.scale();
      for (int g = 0; g < groups; g++) {
        double inverse = of.inverse()[g];
        double sumOfGroup = 0;
        double productOfGroup = 0;
        for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
          sumOfGroup += scale[c] * sum[c];
          productOfGroup += scale[c] * product[c];
          perChannel[c] = (float) (inverse * scale[c]);
        }
        // Rounded here: beside a large mean the rounding would count.
        ofX[g] = (float) (-inverse * inverse * productOfGroup / elements);
        constant[g] = -inverse * sumOfGroup / elements - ofX[g] * of.mean()[g];
      }
      tiles.repeat(perChannel, factorsOfGradient);
      repeat(ofX, factorsOfX);
      repeat(constant, summands);
    }

    private void repeat(double[] perGroupValues, float[] piece) {
      for (int g = 0; g < groups; g++) {
        Arrays.fill(perChannel, g * perGroup, (g + 1) * perGroup, (float) perGroupValues[g]);
      }
      tiles.repeat(perChannel, piece);
    }
  }
}

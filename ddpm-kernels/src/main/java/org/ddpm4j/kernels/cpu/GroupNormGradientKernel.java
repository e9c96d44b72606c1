package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.nio.FloatBuffer;
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
    return new Computation(context, op.groups(), op.epsilon(), op.function(), inputs, outputs);
  }

  /**
   * With z the normalised, scaled and shifted input, dz its gradient, x̂ the normalised input and M
   * the number of elements of a group, the gradient of x is {@code (γ·dz - Σγ·dz/M -
   * x̂·Σγ·dz·x̂/M)} times the inverse deviation.
   */
  private static final class Computation implements Kernel {

    private final Activation function;
    private final List<CpuTensor> inputs;
    private final List<CpuTensor> outputs;
    private final int images;
    private final int channels;
    private final int groups;
    private final double elements;
    private final ChannelTiles tiles;
    private final GroupNormKernel.Normalisation normalisation;
    private final FloatImages features;
    private final FloatImages slopes;
    private final FloatImages featureSlopes;
    private final CpuTensor z;
    private final CpuTensor dz;
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
    private final double[] sum;
    private final double[] product;
    private final double[] scaleGradient;
    private final double[] shiftGradient;

    Computation(
        CpuContext context,
        int groups,
        double epsilon,
        Activation function,
        List<CpuTensor> inputs,
        List<CpuTensor> outputs) {
      this.function = function;
      this.inputs = inputs;
      this.outputs = outputs;
      this.groups = groups;
      CpuTensor batch = inputs.get(0);
      images = batch.size(0);
      channels = batch.size(3);
      int positions = batch.size(1) * batch.size(2);
      elements = (double) positions * channels / groups;
      tiles = new ChannelTiles(positions, channels);
      normalisation = new GroupNormKernel.Normalisation(positions, channels, groups, epsilon);
      List<CpuTensor> scratch =
          context.scratch(
              tiles.total(),
              tiles.total(),
              FloatImages.scratch(batch),
              FloatImages.scratch(inputs.get(3)));
      z = scratch.get(0);
      dz = scratch.get(1);
      features = FloatImages.reading(context, batch, scratch.get(2));
      slopes = FloatImages.reading(context, inputs.get(3), scratch.get(3));
      // Nobody needs z any more when the first slopes of the features are known.
      featureSlopes =
          outputs.get(0) == null ? null : FloatImages.writing(context, outputs.get(0), z);
      functionGradients = functionGradients(context);
      x = tiles.array();
      gradient = tiles.array();
      repeatedMeans = tiles.array();
      sums = tiles.array();
      products = tiles.array();
      factorsOfGradient = tiles.array();
      factorsOfX = tiles.array();
      summands = tiles.array();
      perChannel = new float[channels];
      sum = new double[channels];
      product = new double[channels];
      scaleGradient = new double[channels];
      shiftGradient = new double[channels];
    }

    private Kernel[] functionGradients(CpuContext context) {
      Kernel[] kernels = new Kernel[images];
      if (function == Activation.IDENTITY) {
        return kernels;
      }
      memory.desc layout = Onednn.dense(tiles.total());
      eltwise_backward primitive = OnednnFunctions.backward(function, layout);
      for (int n = 0; n < images; n++) {
        kernels[n] =
            context
                .call(primitive)
                .with(DNNL_ARG_SRC, context.memory(layout, z))
                .with(DNNL_ARG_DIFF_DST, context.memory(layout, slopes.target(n)))
                .with(DNNL_ARG_DIFF_SRC, context.memory(layout, dz));
      }
      return kernels;
    }

    @Override
    public void run() {
      Arrays.fill(scaleGradient, 0);
      Arrays.fill(shiftGradient, 0);
      for (int n = 0; n < images; n++) {
        CpuTensor image = features.load(n);
        CpuTensor slopesOfImage = slopes.load(n);
        normalisation.compute(image, inputs.get(1).buffer(), inputs.get(2).buffer());
        if (function == Activation.IDENTITY) {
          image(n, image, slopesOfImage);
        } else {
          normalisation.apply(image, z);
          functionGradients[n].run();
          image(n, image, dz);
        }
      }
      if (outputs.get(1) != null) {
        ParameterGradients.add(outputs.get(1), scaleGradient);
      }
      if (outputs.get(2) != null) {
        ParameterGradients.add(outputs.get(2), shiftGradient);
      }
    }

    private void image(int n, CpuTensor image, CpuTensor gradients) {
      sumOverPositions(image.buffer(), gradients.buffer());
      if (featureSlopes != null) {
        inputGradient(image.buffer(), gradients.buffer(), featureSlopes.target(n).buffer());
        featureSlopes.store(n);
      }
    }

    private void sumOverPositions(FloatBuffer image, FloatBuffer gradients) {
      int perGroup = channels / groups;
      for (int c = 0; c < channels; c++) {
        perChannel[c] = (float) normalisation.statistics.mean[c / perGroup];
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
      for (int c = 0; c < channels; c++) {
        product[c] *= normalisation.statistics.inverseDeviation[c / perGroup];
        shiftGradient[c] += sum[c];
        scaleGradient[c] += product[c];
      }
    }

    private void inputGradient(FloatBuffer image, FloatBuffer gradients, FloatBuffer dx) {
      repeatFactors();
      tiles.forEach(
          (offset, length) -> {
            image.get(offset, x, 0, length);
            gradients.get(offset, gradient, 0, length);
            Loops.combine(gradient, factorsOfGradient, x, factorsOfX, summands, length);
            dx.put(offset, gradient, 0, length);
          });
    }

    private void repeatFactors() {
      int perGroup = channels / groups;
      FloatBuffer scale = inputs.get(1).buffer();
      double[] mean = normalisation.statistics.mean;
      double[] inverse = normalisation.statistics.inverseDeviation;
      double[] ofX = new double[groups];
      double[] constant = new double[groups];
      for (int g = 0; g < groups; g++) {
        double sumOfGroup = 0;
        double productOfGroup = 0;
        for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
          sumOfGroup += scale.get(c) * sum[c];
          productOfGroup += scale.get(c) * product[c];
        }
        ofX[g] = -inverse[g] * inverse[g] * productOfGroup / elements;
        constant[g] = -inverse[g] * sumOfGroup / elements - ofX[g] * mean[g];
      }
      for (int c = 0; c < channels; c++) {
        perChannel[c] = (float) (inverse[c / perGroup] * scale.get(c));
      }
      tiles.repeat(perChannel, factorsOfGradient);
      for (int c = 0; c < channels; c++) {
        perChannel[c] = (float) ofX[c / perGroup];
      }
      tiles.repeat(perChannel, factorsOfX);
      for (int c = 0; c < channels; c++) {
        perChannel[c] = (float) constant[c / perGroup];
      }
      tiles.repeat(perChannel, summands);
    }
  }
}

package org.ddpm4j.kernels.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AttentionGradient;
import org.ddpm4j.kernels.ops.AttentionOfParts;
import org.ddpm4j.kernels.ops.AttentionOfPartsGradient;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2dGradient;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.EmbeddingGradient;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.LossPerImageGradient;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.MaxPoolGradient;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.ops.MeanGradient;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannelGradient;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** What computes each operation on a CPU. */
final class CpuKernels {

  private static final Map<Class<?>, Factory<FusedOp>> FACTORIES = new HashMap<>();

  private CpuKernels() {}

  /** Makes the kernel of an operation. */
  @FunctionalInterface
  interface Factory<T extends FusedOp> {
    Kernel kernel(T op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs);
  }

  static {
    put(AddPerChannel.class, AddPerChannelKernel::kernel);
    put(Affine.class, AffineKernel::kernel);
    put(Attention.class, AttentionKernel::kernel);
    put(AttentionGradient.class, AttentionGradientKernel::kernel);
    put(AttentionOfParts.class, AttentionOfPartsKernel::kernel);
    put(AttentionOfPartsGradient.class, AttentionOfPartsGradientKernel::kernel);
    put(AveragePool.class, AveragePoolKernel::kernel);
    put(AveragePoolGradient.class, AveragePoolGradientKernel::kernel);
    put(ChannelsFirst.class, ChannelsFirstKernel::kernel);
    put(ChannelsLast.class, ChannelsLastKernel::kernel);
    put(ConcatChannels.class, ConcatChannelsKernel::kernel);
    put(Conv2d.class, Conv2dKernel::kernel);
    put(Conv2dGradient.class, Conv2dGradientKernel::kernel);
    put(ConvTranspose2d.class, ConvTranspose2dKernel::kernel);
    put(ConvTranspose2dGradient.class, ConvTranspose2dGradientKernel::kernel);
    put(DepthwiseConv2d.class, DepthwiseConv2dKernel::kernel);
    put(DepthwiseConv2dGradient.class, DepthwiseConv2dGradientKernel::kernel);
    put(Eltwise.class, EltwiseKernel::kernel);
    put(EltwiseGradient.class, EltwiseGradientKernel::kernel);
    put(Embedding.class, EmbeddingKernel::kernel);
    put(EmbeddingGradient.class, EmbeddingGradientKernel::kernel);
    put(GroupNorm.class, GroupNormKernel::kernel);
    put(GroupNormGradient.class, GroupNormGradientKernel::kernel);
    put(Linear.class, LinearKernel::kernel);
    put(LinearAttention.class, LinearAttentionKernel::kernel);
    put(LinearAttentionGradient.class, LinearAttentionGradientKernel::kernel);
    put(LinearGradient.class, LinearGradientKernel::kernel);
    put(LossPerImage.class, LossPerImageKernel::kernel);
    put(LossPerImageGradient.class, LossPerImageGradientKernel::kernel);
    put(MaxPool.class, MaxPoolKernel::kernel);
    put(MaxPoolGradient.class, MaxPoolGradientKernel::kernel);
    put(Mean.class, MeanKernel::kernel);
    put(MeanGradient.class, MeanGradientKernel::kernel);
    put(ScaleShiftPerChannel.class, ScaleShiftPerChannelKernel::kernel);
    put(ScaleShiftPerChannelGradient.class, ScaleShiftPerChannelGradientKernel::kernel);
    put(SinusoidalEmbedding.class, SinusoidalEmbeddingKernel::kernel);
    put(SplitChannels.class, SplitChannelsKernel::kernel);
    put(SumPerChannel.class, SumPerChannelKernel::kernel);
    put(TimeFraction.class, TimeFractionKernel::kernel);
    put(UpsampleNearest.class, UpsampleNearestKernel::kernel);
    put(UpsampleNearestGradient.class, UpsampleNearestGradientKernel::kernel);
    put(
        Add.class,
        (op, context, inputs, outputs) -> new PairwiseKernel(inputs, outputs.get(0), Loops::add));
    put(
        Multiply.class,
        (op, context, inputs, outputs) ->
            new PairwiseKernel(inputs, outputs.get(0), Loops::multiply));
  }

  private static <T extends FusedOp> void put(Class<T> type, Factory<T> factory) {
    FACTORIES.put(
        type,
        (op, context, inputs, outputs) -> factory.kernel(type.cast(op), context, inputs, outputs));
  }

  /** Whether there is a kernel for operations of this class. */
  static boolean has(Class<? extends FusedOp> type) {
    return FACTORIES.containsKey(type);
  }

  static Kernel kernel(
      FusedOp op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    Factory<FusedOp> factory = FACTORIES.get(op.getClass());
    if (factory == null) {
      throw new UnsupportedOperationException(
          "There is no kernel for %s on a CPU.".formatted(op.opName()));
    }
    return factory.kernel(op, context, inputs, outputs);
  }
}

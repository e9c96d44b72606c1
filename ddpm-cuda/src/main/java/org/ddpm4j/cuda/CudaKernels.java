package org.ddpm4j.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.AddPositions;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AttentionGradient;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.BoundPerImageGradient;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2dGradient;
import org.ddpm4j.kernels.ops.DividePerImage;
import org.ddpm4j.kernels.ops.DropMemory;
import org.ddpm4j.kernels.ops.DropMemoryGradient;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.EmbeddingGradient;
import org.ddpm4j.kernels.ops.FourierEmbedding;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.ops.LayerNorm;
import org.ddpm4j.kernels.ops.LayerNormGradient;
import org.ddpm4j.kernels.ops.LearnedSinusoids;
import org.ddpm4j.kernels.ops.LearnedSinusoidsGradient;
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
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.ops.PackedAttentionGradient;
import org.ddpm4j.kernels.ops.PrependMemory;
import org.ddpm4j.kernels.ops.PrependMemoryGradient;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.ops.RmsNormGradient;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannelGradient;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** What computes each operation on a card. */
final class CudaKernels {

  private static final Map<Class<?>, Factory<FusedOp>> FACTORIES = new HashMap<>();

  private CudaKernels() {}

  /** Makes the kernel of an operation. */
  @FunctionalInterface
  interface Factory<T extends FusedOp> {
    Kernel kernel(T op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs);
  }

  static {
    put(Add.class, ElementwiseKernels::add);
    put(AddPositions.class, ElementwiseKernels::addPositions);
    put(AddPerChannel.class, PerChannelKernels::add);
    put(Affine.class, ElementwiseKernels::affine);
    put(PackedAttention.class, AttentionKernels::forward);
    put(PackedAttentionGradient.class, AttentionKernels::backward);
    put(Attention.class, AttentionKernels::forward);
    put(AttentionGradient.class, AttentionKernels::backward);
    put(AveragePool.class, PoolingKernels::averagePool);
    put(AveragePoolGradient.class, PoolingKernels::averagePoolGradient);
    put(BoundPerImage.class, BoundKernels::forward);
    put(BoundPerImageGradient.class, BoundKernels::backward);
    put(ChannelsFirst.class, ElementwiseKernels::channelsFirst);
    put(ChannelsLast.class, ElementwiseKernels::channelsLast);
    put(ConcatChannels.class, ConcatKernels::concat);
    put(Conv2d.class, ConvolutionKernels::forward);
    put(Conv2dGradient.class, ConvolutionKernels::backward);
    put(ConvTranspose2d.class, ConvolutionKernels::forward);
    put(ConvTranspose2dGradient.class, ConvolutionKernels::backward);
    put(DepthwiseConv2d.class, DepthwiseKernels::forward);
    put(DepthwiseConv2dGradient.class, DepthwiseKernels::backward);
    put(DividePerImage.class, ElementwiseKernels::dividePerImage);
    put(Dropout.class, DropoutKernels::dropout);
    put(DropMemory.class, MemoryKernels::drop);
    put(DropMemoryGradient.class, MemoryKernels::dropGradient);
    put(Eltwise.class, ElementwiseKernels::eltwise);
    put(EltwiseGradient.class, ElementwiseKernels::eltwiseGradient);
    put(Embedding.class, ElementwiseKernels::embedding);
    put(EmbeddingGradient.class, ElementwiseKernels::embeddingGradient);
    put(FourierEmbedding.class, ElementwiseKernels::fourierEmbedding);
    put(GroupNorm.class, GroupNormKernels::forward);
    put(GroupNormGradient.class, GroupNormKernels::backward);
    put(LayerNorm.class, LayerNormKernels::forward);
    put(LayerNormGradient.class, LayerNormKernels::backward);
    put(LearnedSinusoids.class, ElementwiseKernels::learnedSinusoids);
    put(LearnedSinusoidsGradient.class, ElementwiseKernels::learnedSinusoidsGradient);
    put(Linear.class, LinearKernels::forward);
    put(LinearAttention.class, LinearAttentionKernels::forward);
    put(LinearAttentionGradient.class, LinearAttentionKernels::backward);
    put(LinearGradient.class, LinearKernels::backward);
    put(LossPerImage.class, LossKernels::perImage);
    put(LossPerImageGradient.class, LossKernels::perImageGradient);
    put(MaxPool.class, PoolingKernels::maxPool);
    put(MaxPoolGradient.class, PoolingKernels::maxPoolGradient);
    put(Mean.class, LossKernels::mean);
    put(MeanGradient.class, LossKernels::meanGradient);
    put(Multiply.class, ElementwiseKernels::multiply);
    put(PrependMemory.class, MemoryKernels::prepend);
    put(PrependMemoryGradient.class, MemoryKernels::prependGradient);
    put(RmsNorm.class, RmsNormKernels::forward);
    put(RmsNormGradient.class, RmsNormKernels::backward);
    put(ScaleShiftPerChannel.class, PerChannelKernels::scaleShift);
    put(ScaleShiftPerChannelGradient.class, PerChannelKernels::scaleShiftGradient);
    put(SinusoidalEmbedding.class, ElementwiseKernels::sinusoidalEmbedding);
    put(SplitChannels.class, ConcatKernels::split);
    put(SumPerChannel.class, PerChannelKernels::sum);
    put(TimeFraction.class, ElementwiseKernels::timeFraction);
    put(UpsampleNearest.class, PoolingKernels::upsampleNearest);
    put(UpsampleNearestGradient.class, PoolingKernels::upsampleNearestGradient);
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

  static Kernel kernel(FusedOp op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Factory<FusedOp> factory = FACTORIES.get(op.getClass());
    if (factory == null) {
      throw new UnsupportedOperationException(
          String.format(Locale.ROOT, "There is no kernel for %s on a card.", op.opName()));
    }
    return factory.kernel(op, context, inputs, outputs);
  }
}

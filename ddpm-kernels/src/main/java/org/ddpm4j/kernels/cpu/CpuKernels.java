package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
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

/** What computes each operation on a CPU. */
final class CpuKernels {

  private static final Map<Class<?>, Factory<FusedOp>> FACTORIES = new HashMap<>();

  /** Those whose kernels read and write bfloat16 as well as floats, in any mixture. */
  private static final Set<Class<?>> OF_EITHER_TYPE = new HashSet<>();

  /** Those whose kernels take everything in bfloat16, or everything in floats. */
  private static final Set<Class<?>> OF_ONE_TYPE = new HashSet<>();

  /** Those that write to blank tensors what they add to others. */
  private static final Set<Class<?>> OVERWRITING =
      Set.of(Conv2dGradient.class, ConvTranspose2dGradient.class, LinearGradient.class);

  private CpuKernels() {}

  /** Makes the kernel of an operation. */
  @FunctionalInterface
  interface Factory<T extends FusedOp> {
    Kernel kernel(T op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs);
  }

  static {
    put(AddPerChannel.class, AddPerChannelKernel::kernel);
    put(AddPositions.class, AddPositionsKernel::kernel);
    put(Affine.class, AffineKernel::kernel);
    putUniform(PackedAttention.class, PackedAttentionKernel::kernel);
    putUniform(PackedAttentionGradient.class, PackedAttentionGradientKernel::kernel);
    putUniform(Attention.class, AttentionKernel::kernel);
    putUniform(AttentionGradient.class, AttentionGradientKernel::kernel);
    put(AveragePool.class, (op, context, in, out) -> Windows2x2.sums(in.get(0), out.get(0), 0.25f));
    put(
        AveragePoolGradient.class,
        (op, context, in, out) -> Windows2x2.repetitions(in.get(0), out.get(0), 0.25f));
    put(BoundPerImage.class, BoundKernels::forward);
    put(BoundPerImageGradient.class, BoundKernels::backward);
    put(ChannelsFirst.class, LayoutKernels::channelsFirst);
    put(ChannelsLast.class, LayoutKernels::channelsLast);
    putEither(ConcatChannels.class, ConcatChannelsKernel::kernel);
    putEither(Conv2d.class, Conv2dKernel::kernel);
    putEither(Conv2dGradient.class, Conv2dGradientKernel::kernel);
    putEither(ConvTranspose2d.class, ConvTranspose2dKernel::kernel);
    putEither(ConvTranspose2dGradient.class, ConvTranspose2dGradientKernel::kernel);
    put(DepthwiseConv2d.class, DepthwiseConv2dKernel::kernel);
    put(DepthwiseConv2dGradient.class, DepthwiseConv2dGradientKernel::kernel);
    put(DividePerImage.class, DividePerImageKernel::kernel);
    put(DropMemory.class, MemoryKernels::drop);
    put(DropMemoryGradient.class, MemoryKernels::dropGradient);
    put(Dropout.class, DropoutKernel::kernel);
    putUniform(Eltwise.class, EltwiseKernel::kernel);
    putUniform(EltwiseGradient.class, EltwiseGradientKernel::kernel);
    put(Embedding.class, EmbeddingKernel::kernel);
    put(EmbeddingGradient.class, EmbeddingGradientKernel::kernel);
    put(FourierEmbedding.class, FourierEmbeddingKernel::kernel);
    putEither(GroupNorm.class, GroupNormKernel::kernel);
    putEither(GroupNormGradient.class, GroupNormGradientKernel::kernel);
    put(LayerNorm.class, LayerNormKernel::kernel);
    put(LayerNormGradient.class, LayerNormKernel::gradient);
    put(LearnedSinusoids.class, LearnedSinusoidsKernels::forward);
    put(LearnedSinusoidsGradient.class, LearnedSinusoidsKernels::gradient);
    put(Linear.class, LinearKernel::kernel);
    putUniform(LinearAttention.class, LinearAttentionKernel::kernel);
    putUniform(LinearAttentionGradient.class, LinearAttentionGradientKernel::kernel);
    put(LinearGradient.class, LinearGradientKernel::kernel);
    put(LossPerImage.class, LossPerImageKernel::kernel);
    put(LossPerImageGradient.class, LossPerImageGradientKernel::kernel);
    put(MaxPool.class, MaxPoolKernel::kernel);
    put(MaxPoolGradient.class, MaxPoolGradientKernel::kernel);
    put(Mean.class, MeanKernel::kernel);
    put(MeanGradient.class, MeanGradientKernel::kernel);
    put(PrependMemory.class, MemoryKernels::prepend);
    put(PrependMemoryGradient.class, MemoryKernels::prependGradient);
    putEither(RmsNorm.class, RmsNormKernel::kernel);
    put(RmsNormGradient.class, RmsNormGradientKernel::kernel);
    put(ScaleShiftPerChannel.class, ScaleShiftPerChannelKernel::kernel);
    put(ScaleShiftPerChannelGradient.class, ScaleShiftPerChannelGradientKernel::kernel);
    put(SinusoidalEmbedding.class, SinusoidalEmbeddingKernel::kernel);
    putEither(SplitChannels.class, SplitChannelsKernel::kernel);
    put(SumPerChannel.class, SumPerChannelKernel::kernel);
    put(TimeFraction.class, TimeFractionKernel::kernel);
    put(
        UpsampleNearest.class,
        (op, context, in, out) -> Windows2x2.repetitions(in.get(0), out.get(0), 1));
    put(
        UpsampleNearestGradient.class,
        (op, context, in, out) -> Windows2x2.sums(in.get(0), out.get(0), 1));
    putUniform(Add.class, AddKernel::kernel);
    put(
        Multiply.class,
        (op, context, inputs, outputs) ->
            new PairwiseKernel(inputs, outputs.get(0), Loops::multiply));
  }

  private static <T extends FusedOp> void putEither(Class<T> type, Factory<T> factory) {
    put(type, factory);
    OF_EITHER_TYPE.add(type);
  }

  private static <T extends FusedOp> void putUniform(Class<T> type, Factory<T> factory) {
    put(type, factory);
    OF_ONE_TYPE.add(type);
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

  /** Whether the operation's kernel heeds {@link CpuTensor#isBlank}. */
  static boolean overwrites(FusedOp op) {
    return OVERWRITING.contains(op.getClass());
  }

  static Kernel kernel(
      FusedOp op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    Factory<FusedOp> factory = FACTORIES.get(op.getClass());
    if (factory == null) {
      throw new UnsupportedOperationException(
          String.format(Locale.ROOT, "There is no kernel for %s on a CPU.", op.opName()));
    }
    return takes(op.getClass(), inputs, outputs)
        ? factory.kernel(op, context, inputs, outputs)
        : onFloats(factory, op, context, inputs, outputs);
  }

  private static boolean takes(Class<?> type, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    long types =
        Stream.concat(inputs.stream(), outputs.stream())
            .filter(Objects::nonNull)
            .map(CpuTensor::type)
            .distinct()
            .count();
    return OF_EITHER_TYPE.contains(type) || types == 1 && OF_ONE_TYPE.contains(type);
  }

  /** A kernel that knows floats alone, between copies of what is in bfloat16. */
  private static Kernel onFloats(
      Factory<FusedOp> factory,
      FusedOp op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    List<CpuTensor> rounded =
        Stream.concat(inputs.stream(), outputs.stream())
            .filter(tensor -> tensor != null && !tensor.isFloat())
            .toList();
    if (rounded.isEmpty()) {
      return factory.kernel(op, context, inputs, outputs);
    }
    Iterator<CpuTensor> scratch =
        context.outerScratch(rounded.stream().mapToLong(CpuTensor::length).toArray()).iterator();
    List<Kernel> steps = new ArrayList<>();
    List<CpuTensor> floatInputs = new ArrayList<>();
    for (CpuTensor input : inputs) {
      CpuTensor floats = floats(input, scratch);
      if (floats != input) {
        steps.add(context.copying(input, floats));
      }
      floatInputs.add(floats);
    }
    List<CpuTensor> floatOutputs = new ArrayList<>();
    outputs.forEach(output -> floatOutputs.add(floats(output, scratch)));
    steps.add(factory.kernel(op, context, floatInputs, floatOutputs));
    for (int i = 0; i < outputs.size(); i++) {
      if (floatOutputs.get(i) != outputs.get(i)) {
        steps.add(context.copying(floatOutputs.get(i), outputs.get(i)));
      }
    }
    return Kernel.sequence(steps);
  }

  private static CpuTensor floats(CpuTensor tensor, Iterator<CpuTensor> scratch) {
    return tensor == null || tensor.isFloat() ? tensor : scratch.next().part(0, tensor.shape());
  }
}

package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.imports.converters.ImportClassMapping;

/** All operations of this package. */
public final class FusedOps {

  private FusedOps() {}

  /**
   * One of each, without settings.
   *
   * @return the prototypes from which SameDiff makes copies
   */
  public static List<FusedOp> prototypes() {
    return List.of(
        new Add(),
        new AddPerChannel(),
        new AddPositions(),
        new Affine(),
        new PackedAttention(),
        new PackedAttentionGradient(),
        new Attention(),
        new AttentionGradient(),
        new AveragePool(),
        new AveragePoolGradient(),
        new BoundPerImage(),
        new BoundPerImageGradient(),
        new ChannelsFirst(),
        new ChannelsLast(),
        new ConcatChannels(),
        new Conv2d(),
        new Conv2dGradient(),
        new ConvTranspose2d(),
        new ConvTranspose2dGradient(),
        new DepthwiseConv2d(),
        new DepthwiseConv2dGradient(),
        new DividePerImage(),
        new DropMemory(),
        new DropMemoryGradient(),
        new Dropout(),
        new Eltwise(),
        new EltwiseGradient(),
        new Embedding(),
        new EmbeddingGradient(),
        new FourierEmbedding(),
        new GroupNorm(),
        new GroupNormGradient(),
        new LayerNorm(),
        new LayerNormGradient(),
        new LearnedSinusoids(),
        new LearnedSinusoidsGradient(),
        new Linear(),
        new LinearAttention(),
        new LinearAttentionGradient(),
        new LinearGradient(),
        new LossPerImage(),
        new LossPerImageGradient(),
        new MaxPool(),
        new MaxPoolGradient(),
        new Mean(),
        new MeanGradient(),
        new Multiply(),
        new PrependMemory(),
        new PrependMemoryGradient(),
        new RmsNorm(),
        new RmsNormGradient(),
        new ScaleShiftPerChannel(),
        new ScaleShiftPerChannelGradient(),
        new SinusoidalEmbedding(),
        new SplitChannels(),
        new SumPerChannel(),
        new TimeFraction(),
        new UpsampleNearest(),
        new UpsampleNearestGradient());
  }

  /** Tells SameDiff of all operations, so that it can read them from serialised graphs. */
  public static void register() {
    prototypes().forEach(op -> ImportClassMapping.getOpNameMapping().put(op.opName(), op));
  }
}

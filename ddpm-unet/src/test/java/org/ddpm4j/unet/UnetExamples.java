package org.ddpm4j.unet;

import java.util.List;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.Unet2D.Block;
import org.ddpm4j.unet.model.Unet2D.Level;

/** Small networks that together have every block and every choice of {@link Unet2D}. */
final class UnetExamples {

  private UnetExamples() {}

  static Unet2D plain() {
    return Unet2D.of(
            3,
            List.of(
                new Level(32, Block.PLAIN, Block.PLAIN), new Level(32, Block.PLAIN, Block.PLAIN)))
        .withSampleSize(new Unet2D.ImageSize(16, 8));
  }

  /** As the networks of Ho et al. 2020, with classes. */
  static Unet2D attentive() {
    return Unet2D.of(
            1,
            List.of(
                new Level(32, Block.PLAIN, Block.PLAIN),
                new Level(64, Block.ATTENTION, Block.ATTENTION)))
        .withTime(new Unet2D.Time(20, 1, Frequencies.Order.SINES_FIRST))
        .withClassEmbeddings(4)
        .withAttentionHeadDim(null)
        .withResampling(
            new Unet2D.Resampling(
                Unet2D.HalvingPadding.END,
                Unet2D.Resampler.CONVOLUTION,
                Unet2D.Resampler.CONVOLUTION));
  }

  static Unet2D resampledByResnets() {
    List<Level> levels =
        List.of(
            new Level(8, Block.ATTENTION, Block.ATTENTION),
            new Level(12, Block.RESNET, Block.RESNET),
            new Level(8, Block.PLAIN, Block.PLAIN));
    return new Unet2D(
        new Unet2D.Images(null, 2, 4, Unet2D.InputScale.CENTERED),
        levels,
        new Unet2D.Time(16, 0, Frequencies.Order.COSINES_FIRST),
        Unet2D.Classes.LIKE_TIMESTEPS,
        new Unet2D.ResnetBlocks(
            1, Activation.MISH, 4, 1e-4, Unet2D.TimeConditioning.SCALE_SHIFT, 0.1),
        3,
        new Unet2D.Middle(Unet2D.MiddleBlocks.RESNETS_AND_ATTENTION, 1.5, 2),
        new Unet2D.Resampling(
            Unet2D.HalvingPadding.ALL_SIDES, Unet2D.Resampler.RESNET, Unet2D.Resampler.RESNET));
  }

  /** Linear and full attention with memories, an estimate beside the image, learned times. */
  static LucidrainsUnet lucidrains() {
    return LucidrainsUnet.of(8, 1, List.of(1, 2, 1))
        .withSelfConditioning()
        .withTime(new LucidrainsUnet.Time(LucidrainsUnet.Frequencies.LEARNED, 6))
        .withAttention(
            List.of(
                new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.LINEAR, 2, 4),
                new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 1, 8),
                new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.LINEAR, 1, 3)),
            new LucidrainsUnet.Attention(LucidrainsUnet.AttentionKind.FULL, 2, 4));
  }

  /** The other one of his, which is told classes. */
  static LucidrainsUnet lucidrainsOfClasses() {
    return LucidrainsUnet.ofClasses(8, 2, List.of(1, 2), 3)
        .withTime(new LucidrainsUnet.Time(LucidrainsUnet.Frequencies.RANDOM, 4))
        .withOutChannels(4);
  }

  /** NCSN++: filters, the image carried along, Fourier features of noise levels. */
  static Unet2D filtered() {
    return Unet2D.of(
            3,
            List.of(
                new Unet2D.Level(32, Unet2D.Block.SKIP, Unet2D.Block.SKIP_ATTENTION),
                new Unet2D.Level(32, Unet2D.Block.SKIP_ATTENTION, Unet2D.Block.SKIP)),
            8)
        .withTime(new Unet2D.Time(8, 0, Frequencies.Order.SINES_FIRST, Unet2D.TimeFeatures.FOURIER))
        .withResnets(
            new Unet2D.ResnetBlocks(
                1, Activation.SILU, null, 1e-6, Unet2D.TimeConditioning.SHIFT, 0));
  }

  static DiffusionTransformer transformer() {
    return new DiffusionTransformer(
        new DiffusionTransformer.Images(8, 2, 4, 4),
        new DiffusionTransformer.Blocks(2, 3, 4, Activation.GELU, 1e-5, 0),
        3);
  }
}

package org.ddpm4j.unet.model;

import java.util.List;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;

/**
 * Encoder and decoder of an {@link AutoencoderConfig}, under the names of diffusers' modules. The
 * convolutions beside the latents belong to the one or the other.
 */
final class AutoencoderGraph {

  private static final Convolution SAME_1 = Convolution.same(1);
  private static final Convolution SAME_3 = Convolution.same(3);

  /** Of every normalisation; no key of the files says another. */
  private static final double EPSILON = 1e-6;

  private final AutoencoderConfig config;
  private final Modules modules;
  private final AutoencoderConfig.Blocks blocks;
  private final List<AutoencoderConfig.Level> levels;

  AutoencoderGraph(AutoencoderConfig config, Modules modules) {
    this.config = config;
    this.modules = modules;
    this.blocks = config.blocks();
    this.levels = config.levels();
  }

  /** The channels of the encoder's answer, the convolution behind it included. */
  static int encodedChannels(AutoencoderConfig.Latents latents) {
    return latents instanceof AutoencoderConfig.Gaussian
        ? 2 * latents.channels()
        : latents.stateChannels();
  }

  FeatureMap encoder(FeatureMap image) {
    AutoencoderConfig.Latents latents = config.latents();
    FeatureMap x = modules.conv2d("encoder.conv_in", image, levels.get(0).channels(), SAME_3);
    for (int i = 0; i < levels.size(); i++) {
      AutoencoderConfig.Level level = levels.get(i);
      String name = "encoder.down_blocks." + i;
      x = resnets(name, x, level.channels(), blocks.perLevel(), level.down());
      if (i + 1 < levels.size()) {
        x =
            modules.conv2d(
                name + ".downsamplers.0.conv",
                x,
                level.channels(),
                Unet2D.HalvingPadding.END.shape());
      }
    }
    x = middle("encoder.mid_block", x);
    x = norm("encoder.conv_norm_out", x, Activation.SILU);
    boolean isGaussian = latents instanceof AutoencoderConfig.Gaussian;
    int width = isGaussian ? 2 * latents.channels() : latents.channels();
    x = modules.conv2d("encoder.conv_out", x, width, SAME_3);
    boolean without =
        latents instanceof AutoencoderConfig.Gaussian gaussian
            && gaussian.behindEncoder() == AutoencoderConfig.Convolution.NONE;
    return without ? x : modules.conv2d("quant_conv", x, encodedChannels(latents), SAME_1);
  }

  FeatureMap decoder(FeatureMap latent) {
    AutoencoderConfig.Latents latents = config.latents();
    boolean without =
        latents instanceof AutoencoderConfig.Gaussian gaussian
            && gaussian.beforeDecoder() == AutoencoderConfig.Convolution.NONE;
    FeatureMap x =
        without ? latent : modules.conv2d("post_quant_conv", latent, latents.channels(), SAME_1);
    int last = levels.size() - 1;
    x = modules.conv2d("decoder.conv_in", x, levels.get(last).channels(), SAME_3);
    x = middle("decoder.mid_block", x);
    for (int i = 0; i < levels.size(); i++) {
      AutoencoderConfig.Level level = levels.get(last - i);
      String name = "decoder.up_blocks." + i;
      x = resnets(name, x, level.channels(), blocks.perLevel() + 1, level.up());
      if (i < last) {
        x =
            modules.conv2d(
                name + ".upsamplers.0.conv",
                modules.layers().upsampleNearest2(x),
                level.channels(),
                SAME_3);
      }
    }
    x = norm("decoder.conv_norm_out", x, Activation.SILU);
    return modules.conv2d("decoder.conv_out", x, config.images().outChannels(), SAME_3);
  }

  private FeatureMap resnets(
      String name, FeatureMap x, int width, int count, AutoencoderConfig.Block block) {
    for (int i = 0; i < count; i++) {
      x = resnet(name + ".resnets." + i, x, width);
      if (block == AutoencoderConfig.Block.ATTENTION) {
        x = attention(name + ".attentions." + i, x);
      }
    }
    return x;
  }

  private FeatureMap middle(String name, FeatureMap x) {
    x = resnet(name + ".resnets.0", x, x.channels());
    if (blocks.middle() == AutoencoderConfig.MiddleBlocks.RESNETS_AND_ATTENTION) {
      x = attention(name + ".attentions.0", x);
    }
    return resnet(name + ".resnets.1", x, x.channels());
  }

  /** As the U-Net's, but nobody tells it a time. */
  private FeatureMap resnet(String name, FeatureMap x, int width) {
    FeatureMap h = norm(name + ".norm1", x, blocks.activation());
    h = modules.conv2d(name + ".conv1", h, width, SAME_3);
    h = norm(name + ".norm2", h, blocks.activation());
    h = modules.conv2d(name + ".conv2", h, width, SAME_3);
    FeatureMap shortcut =
        x.channels() == width ? x : modules.conv2d(name + ".conv_shortcut", x, width, SAME_1);
    return modules.layers().add(h, shortcut);
  }

  private FeatureMap attention(String name, FeatureMap x) {
    return AttentionBlock.residual(modules, name, x, blocks.groups(), EPSILON, null);
  }

  private FeatureMap norm(String name, FeatureMap x, Activation activation) {
    return modules.groupNorm(name, x, blocks.groups(), EPSILON, activation);
  }
}

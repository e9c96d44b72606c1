package org.ddpm4j.unet.model;

import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;

/** Attention between the positions of features, as the blocks of diffusers' networks have it. */
final class AttentionBlock {

  private AttentionBlock() {}

  /**
   * The sum of features and of what attention makes of them.
   *
   * @param modules of the graph
   * @param name of the module
   * @param x {@code [N,H,W,C]}
   * @param groups of the normalisation before it; null for none
   * @param epsilon of that normalisation
   * @param headDim features of a head; null for one head of all channels
   * @return {@code [N,H,W,C]}
   */
  static FeatureMap residual(
      Modules modules, String name, FeatureMap x, Integer groups, double epsilon, Integer headDim) {
    Layers layers = modules.layers();
    FeatureMap h =
        groups == null
            ? x
            : modules.groupNorm(name + ".group_norm", x, groups, epsilon, Activation.IDENTITY);
    int heads = headDim == null ? 1 : x.channels() / headDim;
    int width = headDim == null ? x.channels() : heads * headDim;
    FeatureMap mixed =
        layers.attention(
            modules.linear(name + ".to_q", h, width),
            modules.linear(name + ".to_k", h, width),
            modules.linear(name + ".to_v", h, width),
            heads);
    return layers.add(modules.linear(name + ".to_out.0", mixed, x.channels()), x);
  }
}

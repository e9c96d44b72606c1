package org.ddpm4j.unet.model;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.ddpm4j.unet.model.LucidrainsUnet.Attention;
import org.ddpm4j.unet.model.LucidrainsUnet.AttentionKind;
import org.nd4j.autodiff.samediff.SDVariable;

/** A {@link LucidrainsUnet} on the variables of one graph. */
final class LucidrainsUnetGraph {

  /** Squares of two by two positions become one. */
  private static final Convolution UNSHUFFLE = new Convolution(2, 2, 0);

  private static final Convolution HALVE = new Convolution(4, 2, 1);

  private final LucidrainsUnet config;
  private final Modules modules;
  private final Layers layers;
  private final boolean isConditional;

  /** Of the time and, beside it, of the class: what every block is told. */
  private final SDVariable told;

  private final int toldWidth;

  LucidrainsUnetGraph(LucidrainsUnet config, Modules modules, SDVariable t, SDVariable labels) {
    this.config = config;
    this.modules = modules;
    this.layers = modules.layers();
    this.isConditional = config.classEmbeddings() > 0;
    int width = 4 * config.dim();
    SDVariable time = twoLayers("time_mlp.1", "time_mlp.3", times(t), timeWidth(), width);
    this.toldWidth = isConditional ? 2 * width : width;
    SDVariable all = isConditional ? layers.concat(time, classes(labels, width), width) : time;
    this.told = layers.activation(all, Activation.SILU);
  }

  private SDVariable times(SDVariable t) {
    int width = config.time().width();
    return switch (config.time().frequencies()) {
      case SINUSOIDAL -> layers.sinusoidalEmbedding(t, new Frequencies(width, 1));
      case LEARNED ->
          modules.learnedSinusoids("time_mlp.0", t, width / 2, Parameter.Learning.TRAINED);
      case RANDOM ->
          modules.learnedSinusoids("time_mlp.0", t, width / 2, Parameter.Learning.FROZEN);
    };
  }

  private int timeWidth() {
    boolean isSinusoidal = config.time().frequencies() == LucidrainsUnet.Frequencies.SINUSOIDAL;
    return isSinusoidal ? config.time().width() : 1 + config.time().width();
  }

  private SDVariable classes(SDVariable labels, int width) {
    SDVariable rows =
        modules.embedding("classes_emb", labels, config.classEmbeddings(), config.dim());
    return twoLayers("classes_mlp.0", "classes_mlp.2", rows, config.dim(), width);
  }

  private SDVariable twoLayers(String first, String second, SDVariable x, int in, int width) {
    SDVariable hidden = modules.linear(first, x, in, width, Activation.GELU);
    return modules.linear(second, hidden, width, width, Activation.IDENTITY);
  }

  FeatureMap unet(FeatureMap image) {
    List<Integer> widths = config.widths();
    int levels = config.dimMults().size();
    FeatureMap first = modules.conv2d("init_conv", image, config.initDim(), Convolution.same(7));
    FeatureMap x = first;

    Deque<FeatureMap> skips = new ArrayDeque<>();
    for (int level = 0; level < levels; level++) {
      String name = "downs." + level;
      x = block(name + ".0", x, widths.get(level));
      skips.push(x);
      x = block(name + ".1", x, widths.get(level));
      x = attention(name + ".2", x, config.attentions().get(level));
      skips.push(x);
      x = down(name + ".3", x, widths.get(level + 1), level == levels - 1);
    }

    x = block("mid_block1", x, x.channels());
    x = attention("mid_attn", x, config.middle());
    x = block("mid_block2", x, x.channels());

    for (int level = levels - 1; level >= 0; level--) {
      String name = "ups." + (levels - 1 - level);
      int width = widths.get(level + 1);
      x = block(name + ".0", layers.concatChannels(x, skips.pop()), width);
      x = block(name + ".1", layers.concatChannels(x, skips.pop()), width);
      x = attention(name + ".2", x, config.attentions().get(level));
      x = up(name + ".3", x, widths.get(level), level == 0);
    }

    x = block("final_res_block", layers.concatChannels(x, first), config.initDim());
    return modules.conv2d("final_conv", x, config.outChannels(), Convolution.same(1));
  }

  private FeatureMap down(String name, FeatureMap x, int width, boolean isLast) {
    if (isLast) {
      return modules.conv2d(name, x, width, Convolution.same(3));
    }
    return isConditional
        ? modules.conv2d(name, x, width, HALVE)
        : modules.conv2d(name + ".1", x, width, UNSHUFFLE);
  }

  private FeatureMap up(String name, FeatureMap x, int width, boolean isLast) {
    return isLast
        ? modules.conv2d(name, x, width, Convolution.same(3))
        : modules.conv2d(name + ".1", layers.upsampleNearest2(x), width, Convolution.same(3));
  }

  private FeatureMap block(String name, FeatureMap x, int width) {
    SDVariable scalesAndShifts =
        modules.linear(name + ".mlp.1", told, toldWidth, 2 * width, Activation.IDENTITY);
    FeatureMap h = normalised(name + ".block1", x, width);
    h = layers.scaleShiftPerChannel(h, scalesAndShifts);
    h = h.with(layers.activation(h.values(), Activation.SILU));
    h = normalised(name + ".block2", modules.dropout(h, config.dropout()), width);
    h = h.with(layers.activation(h.values(), Activation.SILU));
    FeatureMap shortcut =
        x.channels() == width
            ? x
            : modules.conv2d(name + ".res_conv", x, width, Convolution.same(1));
    return layers.add(h, shortcut);
  }

  private FeatureMap normalised(String name, FeatureMap x, int width) {
    FeatureMap h = modules.conv2d(name + ".proj", x, width, Convolution.same(3));
    int groups = config.resnetBlockGroups();
    return groups == LucidrainsUnet.ROOT_MEAN_SQUARE
        ? modules.rmsNorm(name + ".norm", h)
        : modules.groupNorm(
            name + ".norm", h, groups, LucidrainsUnet.GROUP_EPSILON, Activation.IDENTITY);
  }

  /** In the network for classes, modules within modules bear the names. */
  private FeatureMap attention(String name, FeatureMap x, Attention attention) {
    return isConditional
        ? attention(name + ".fn.norm", name + ".fn.fn", x, attention)
        : attention(name + ".norm", name, x, attention);
  }

  private FeatureMap attention(String norm, String name, FeatureMap x, Attention attention) {
    boolean isLinear = attention.kind() == AttentionKind.LINEAR;
    FeatureMap qkv =
        modules.pointwiseWithoutBias(
            name + ".to_qkv", modules.rmsNorm(norm, x), 3 * attention.features());
    FeatureMap mixed = mixed(name, qkv, attention, isLinear);
    if (isLinear) {
      mixed = modules.conv2d(name + ".to_out.0", mixed, x.channels(), Convolution.same(1));
      mixed = modules.rmsNorm(name + ".to_out.1", mixed);
    } else {
      mixed = modules.conv2d(name + ".to_out", mixed, x.channels(), Convolution.same(1));
    }
    return layers.add(mixed, x);
  }

  private FeatureMap mixed(String name, FeatureMap qkv, Attention attention, boolean isLinear) {
    if (config.memories() == 0) {
      return mixed(qkv, attention, isLinear);
    }
    WeightLayout layout = isLinear ? WeightLayout.TRANSPOSED_MEMORY : WeightLayout.MEMORY;
    FeatureMap longer =
        modules.prependMemory(name, qkv, config.memories(), attention.heads(), layout);
    return layers.dropMemory(mixed(longer, attention, isLinear), qkv.height(), qkv.width());
  }

  private FeatureMap mixed(FeatureMap qkv, Attention attention, boolean isLinear) {
    return isLinear
        ? layers.linearAttention(qkv, attention.heads())
        : layers.attention(qkv, attention.heads());
  }
}

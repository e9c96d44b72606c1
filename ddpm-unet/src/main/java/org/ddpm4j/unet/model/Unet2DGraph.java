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
import org.nd4j.autodiff.samediff.SDVariable;

/** A {@link Unet2D} on the variables of one graph, under the names of diffusers' modules. */
final class Unet2DGraph {

  private static final Convolution SAME_3 = Convolution.same(3);

  private final Unet2D config;
  private final Modules modules;
  private final Layers layers;
  private final Unet2D.ResnetBlocks resnets;

  /** The embedding of the time and of the class behind an activation, {@code [N,time.width]}. */
  private final SDVariable condition;

  /** What a residual block does to the size of the features. */
  private enum Size {
    KEPT,
    HALVED,
    DOUBLED
  }

  Unet2DGraph(Unet2D config, Modules modules, SDVariable t, SDVariable labels) {
    this.config = config;
    this.modules = modules;
    this.layers = modules.layers();
    this.resnets = config.resnets();
    SDVariable time = embedding("time_embedding", t);
    SDVariable both =
        switch (config.classes().embedding()) {
          case NONE -> time;
          case TABLE ->
              layers.add(
                  time,
                  modules.embedding(
                      "class_embedding", labels, config.classes().count(), config.time().width()));
          case LIKE_TIMESTEPS -> layers.add(time, embedding("class_embedding", labels));
        };
    this.condition = layers.activation(both, resnets.activation());
  }

  private SDVariable embedding(String name, SDVariable number) {
    Unet2D.Time time = config.time();
    int sinusoids = config.levels().get(0).channels();
    SDVariable x =
        layers.sinusoidalEmbedding(
            number, new Frequencies(sinusoids, time.freqShift(), time.order()));
    x = modules.linear(name + ".linear_1", x, sinusoids, time.width(), Activation.SILU);
    return modules.linear(name + ".linear_2", x, time.width(), time.width(), Activation.IDENTITY);
  }

  FeatureMap unet(FeatureMap image) {
    List<Unet2D.Level> levels = config.levels();
    int finest = levels.get(0).channels();
    FeatureMap x = modules.conv2d("conv_in", scaled(image), finest, SAME_3);
    Deque<FeatureMap> skips = new ArrayDeque<>(List.of(x));
    for (int i = 0; i < levels.size(); i++) {
      x = down("down_blocks." + i, x, levels.get(i), i + 1 == levels.size(), skips);
    }
    x = middle(x);
    for (int i = 0; i < levels.size(); i++) {
      Unet2D.Level level = levels.get(levels.size() - 1 - i);
      x = up("up_blocks." + i, x, level, i + 1 == levels.size(), skips);
    }
    x = modules.groupNorm("conv_norm_out", x, resnets.groups(), resnets.epsilon(), Activation.SILU);
    return modules.conv2d("conv_out", x, config.outChannels(), SAME_3);
  }

  private FeatureMap scaled(FeatureMap image) {
    return switch (config.images().scale()) {
      case AS_IT_IS -> image;
      case CENTERED -> image.with(layers.affine(image.values(), 2, -1));
    };
  }

  private FeatureMap down(
      String name, FeatureMap x, Unet2D.Level level, boolean isLast, Deque<FeatureMap> skips) {
    for (int layer = 0; layer < resnets.perLevel(); layer++) {
      x = resnet(name + ".resnets." + layer, x, level.channels(), Size.KEPT);
      if (level.down() == Unet2D.Block.ATTENTION) {
        x = attention(name + ".attentions." + layer, x, resnets.groups());
      }
      skips.push(x);
    }
    if (!isLast) {
      x = halved(name + ".downsamplers.0", x, level.down());
      skips.push(x);
    }
    return x;
  }

  private FeatureMap halved(String name, FeatureMap x, Unet2D.Block block) {
    return switch (resampler(block, config.resampling().down())) {
      case CONVOLUTION ->
          modules.conv2d(name + ".conv", x, x.channels(), config.resampling().padding().shape());
      case RESNET -> resnet(name, x, x.channels(), Size.HALVED);
    };
  }

  private static Unet2D.Resampler resampler(Unet2D.Block block, Unet2D.Resampler ofAttention) {
    return switch (block) {
      case PLAIN -> Unet2D.Resampler.CONVOLUTION;
      case ATTENTION -> ofAttention;
      case RESNET -> Unet2D.Resampler.RESNET;
    };
  }

  private FeatureMap middle(FeatureMap x) {
    if (config.middle().blocks() == Unet2D.MiddleBlocks.NONE) {
      return x;
    }
    x = divided(resnet("mid_block.resnets.0", x, x.channels(), Size.KEPT));
    if (config.middle().blocks() == Unet2D.MiddleBlocks.RESNETS_AND_ATTENTION) {
      x = divided(attention("mid_block.attentions.0", x, middleGroups()));
    }
    return divided(resnet("mid_block.resnets.1", x, x.channels(), Size.KEPT));
  }

  private FeatureMap divided(FeatureMap x) {
    double factor = config.middle().scaleFactor();
    return factor == 1 ? x : x.with(layers.affine(x.values(), 1 / factor, 0));
  }

  /** Null for no normalisation. */
  private Integer middleGroups() {
    Integer groups = config.middle().attentionGroups();
    if (groups != null) {
      return groups;
    }
    return switch (resnets.conditioning()) {
      case SHIFT -> resnets.groups();
      case SCALE_SHIFT -> null;
    };
  }

  private FeatureMap up(
      String name, FeatureMap x, Unet2D.Level level, boolean isLast, Deque<FeatureMap> skips) {
    for (int layer = 0; layer <= resnets.perLevel(); layer++) {
      x = layers.concatChannels(x, skips.pop());
      x = resnet(name + ".resnets." + layer, x, level.channels(), Size.KEPT);
      if (level.up() == Unet2D.Block.ATTENTION) {
        x = attention(name + ".attentions." + layer, x, resnets.groups());
      }
    }
    return isLast ? x : doubled(name + ".upsamplers.0", x, level.up());
  }

  private FeatureMap doubled(String name, FeatureMap x, Unet2D.Block block) {
    return switch (resampler(block, config.resampling().up())) {
      case CONVOLUTION ->
          modules.conv2d(name + ".conv", layers.upsampleNearest2(x), x.channels(), SAME_3);
      case RESNET -> resnet(name, x, x.channels(), Size.DOUBLED);
    };
  }

  private FeatureMap resnet(String name, FeatureMap x, int width, Size size) {
    FeatureMap h = norm(name + ".norm1", x, resnets.activation());
    h = modules.conv2d(name + ".conv1", resized(h, size), width, SAME_3);
    h = conditioned(name, h);
    h = modules.conv2d(name + ".conv2", h, width, SAME_3);
    FeatureMap shortcut = resized(x, size);
    if (x.channels() != width) {
      shortcut = modules.conv2d(name + ".conv_shortcut", shortcut, width, Convolution.same(1));
    }
    return layers.add(h, shortcut);
  }

  private FeatureMap resized(FeatureMap x, Size size) {
    return switch (size) {
      case KEPT -> x;
      case HALVED -> layers.avgPool2(x);
      case DOUBLED -> layers.upsampleNearest2(x);
    };
  }

  private FeatureMap conditioned(String name, FeatureMap h) {
    return switch (resnets.conditioning()) {
      case SHIFT -> {
        SDVariable shift = projectedCondition(name, h.channels());
        yield norm(name + ".norm2", layers.addPerChannel(h, shift), resnets.activation());
      }
      case SCALE_SHIFT -> {
        SDVariable scalesAndShifts = projectedCondition(name, 2 * h.channels());
        FeatureMap normalised = norm(name + ".norm2", h, Activation.IDENTITY);
        FeatureMap scaled = layers.scaleShiftPerChannel(normalised, scalesAndShifts);
        yield scaled.with(layers.activation(scaled.values(), resnets.activation()));
      }
    };
  }

  private SDVariable projectedCondition(String name, int width) {
    return modules.linear(
        name + ".time_emb_proj", condition, config.time().width(), width, Activation.IDENTITY);
  }

  private FeatureMap norm(String name, FeatureMap x, Activation activation) {
    return modules.groupNorm(name, x, resnets.groups(), resnets.epsilon(), activation);
  }

  /** Groups are null for no normalisation. */
  private FeatureMap attention(String name, FeatureMap x, Integer groups) {
    return AttentionBlock.residual(
        modules, name, x, groups, resnets.epsilon(), config.attentionHeadDim());
  }
}

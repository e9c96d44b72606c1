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

  /** Timesteps or noise levels, {@code [N]}. */
  private final SDVariable t;

  /** By what the sums in levels that carry the image are divided; 1 elsewhere. */
  private static final double FILTERED_SCALE = Math.sqrt(2);

  /** The deviation of the random frequencies of Fourier features. */
  private static final double FOURIER_SCALE = 16;

  /** What a residual block does to the size of the features. */
  private enum Size {
    KEPT,
    HALVED,
    DOUBLED
  }

  /**
   * A residual block.
   *
   * @param size what it does to it
   * @param filtered whether it resamples by the filter (1,3,3,1), in whose levels sums are divided,
   *     and shortcuts of blocks that resample have a convolution in any case
   * @param groups of the first normalisation
   * @param groupsOut of the second
   */
  private record Form(Size size, boolean filtered, int groups, int groupsOut) {}

  Unet2DGraph(Unet2D config, Modules modules, SDVariable t, SDVariable labels) {
    this.config = config;
    this.modules = modules;
    this.layers = modules.layers();
    this.resnets = config.resnets();
    this.t = t;
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
    int finest = config.levels().get(0).channels();
    int count;
    SDVariable x;
    switch (time.features()) {
      case POSITIONAL -> {
        count = finest;
        x =
            layers.sinusoidalEmbedding(
                number, new Frequencies(count, time.freqShift(), time.order()));
      }
      case FOURIER -> {
        count = 2 * finest;
        x = modules.fourierEmbedding("time_proj", number, finest, FOURIER_SCALE);
      }
      default -> throw new IllegalStateException("There are no features " + time.features() + ".");
    }
    x = modules.linear(name + ".linear_1", x, count, time.width(), Activation.SILU);
    return modules.linear(name + ".linear_2", x, time.width(), time.width(), Activation.IDENTITY);
  }

  FeatureMap unet(FeatureMap image) {
    List<Unet2D.Level> levels = config.levels();
    int finest = levels.get(0).channels();
    FeatureMap carried = scaled(image);
    FeatureMap x = modules.conv2d("conv_in", carried, finest, SAME_3);
    Deque<FeatureMap> skips = new ArrayDeque<>(List.of(x));
    for (int i = 0; i < levels.size(); i++) {
      Unet2D.Level level = levels.get(i);
      boolean isLast = i + 1 == levels.size();
      if (level.down().isSkip() && !isLast) {
        carried = layers.avgPool2(layers.blur(carried));
      }
      x = down("down_blocks." + i, x, carried, level, isLast, skips);
    }
    x = middle(x);
    FeatureMap sum = null;
    for (int i = 0; i < levels.size(); i++) {
      Unet2D.Level level = levels.get(levels.size() - 1 - i);
      String name = "up_blocks." + i;
      boolean isLast = i + 1 == levels.size();
      x = up(name, x, level, skips);
      if (level.up().isSkip()) {
        sum = carriedUp(name, x, sum, isLast);
      }
      x = isLast ? x : doubled(name, x, level.up());
    }
    x = norm("conv_norm_out", x, resnets.groupsOf(x.channels()), Activation.SILU);
    x = modules.conv2d("conv_out", x, config.outChannels(), SAME_3);
    x = sum == null ? x : layers.add(x, sum);
    return switch (config.time().features()) {
      case POSITIONAL -> x;
      case FOURIER -> layers.dividePerImage(x, t);
    };
  }

  /** What a level adds to the image that is carried up, which is null below the first. */
  private FeatureMap carriedUp(String name, FeatureMap x, FeatureMap sum, boolean isLast) {
    FeatureMap larger = sum == null ? null : layers.blur(layers.upsampleNearest2(sum));
    if (isLast) {
      return larger;
    }
    FeatureMap h =
        norm(name + ".skip_norm", x, Unet2D.filteredGroups(x.channels()), Activation.SILU);
    h = modules.conv2d(name + ".skip_conv", h, Unet2D.CARRIED_CHANNELS, SAME_3);
    return larger == null ? h : layers.add(larger, h);
  }

  private FeatureMap scaled(FeatureMap image) {
    return switch (config.images().scale()) {
      case AS_IT_IS -> image;
      case CENTERED -> image.with(layers.affine(image.values(), 2, -1));
    };
  }

  private FeatureMap down(
      String name,
      FeatureMap x,
      FeatureMap carried,
      Unet2D.Level level,
      boolean isLast,
      Deque<FeatureMap> skips) {
    boolean filtered = level.down().isSkip();
    int width = level.channels();
    for (int layer = 0; layer < resnets.perLevel(); layer++) {
      Form form =
          filtered
              ? filtered(Size.KEPT, Unet2D.filteredGroups(x.channels()), width)
              : plain(Size.KEPT, x.channels(), width);
      x = resnet(name + ".resnets." + layer, x, width, form);
      if (level.down().hasAttention()) {
        x = attention(name + ".attentions." + layer, x, filtered);
      }
      skips.push(x);
    }
    if (!isLast) {
      x = filtered ? halved(name, x, carried) : halved(name, x, level.down());
      skips.push(x);
    }
    return x;
  }

  private FeatureMap halved(String name, FeatureMap x, FeatureMap carried) {
    int width = x.channels();
    Form form = filtered(Size.HALVED, Unet2D.filteredGroups(width), width);
    FeatureMap h = resnet(name + ".resnet_down", x, width, form);
    return layers.add(modules.conv2d(name + ".skip_conv", carried, width, Convolution.same(1)), h);
  }

  private FeatureMap halved(String name, FeatureMap x, Unet2D.Block block) {
    int width = x.channels();
    return switch (resampler(block, config.resampling().down())) {
      case CONVOLUTION ->
          modules.conv2d(
              name + ".downsamplers.0.conv", x, width, config.resampling().padding().shape());
      case RESNET -> resnet(name + ".downsamplers.0", x, width, plain(Size.HALVED, width, width));
    };
  }

  private Form plain(Size size, int channels, int width) {
    return new Form(size, false, resnets.groupsOf(channels), resnets.groupsOf(width));
  }

  private static Form filtered(Size size, int groups, int width) {
    return new Form(size, true, groups, Unet2D.filteredGroups(width));
  }

  private static Unet2D.Resampler resampler(Unet2D.Block block, Unet2D.Resampler ofAttention) {
    return switch (block) {
      case PLAIN -> Unet2D.Resampler.CONVOLUTION;
      case ATTENTION -> ofAttention;
      case RESNET, SKIP, SKIP_ATTENTION -> Unet2D.Resampler.RESNET;
    };
  }

  private FeatureMap middle(FeatureMap x) {
    if (config.middle().blocks() == Unet2D.MiddleBlocks.NONE) {
      return x;
    }
    Form form = plain(Size.KEPT, x.channels(), x.channels());
    x = divided(resnet("mid_block.resnets.0", x, x.channels(), form));
    if (config.middle().blocks() == Unet2D.MiddleBlocks.RESNETS_AND_ATTENTION) {
      x = divided(attention("mid_block.attentions.0", x, middleGroups(x.channels())));
    }
    return divided(resnet("mid_block.resnets.1", x, x.channels(), form));
  }

  private FeatureMap divided(FeatureMap x) {
    return divided(x, config.middle().scaleFactor());
  }

  private FeatureMap divided(FeatureMap x, double divisor) {
    return divisor == 1 ? x : x.with(layers.affine(x.values(), 1 / divisor, 0));
  }

  /** Null for no normalisation. */
  private Integer middleGroups(int channels) {
    Integer groups = config.middle().attentionGroups();
    if (groups != null) {
      return groups;
    }
    return switch (resnets.conditioning()) {
      case SHIFT -> resnets.groupsOf(channels);
      case SCALE_SHIFT -> null;
    };
  }

  private FeatureMap up(String name, FeatureMap x, Unet2D.Level level, Deque<FeatureMap> skips) {
    boolean filtered = level.up().isSkip();
    int width = level.channels();
    for (int layer = 0; layer <= resnets.perLevel(); layer++) {
      FeatureMap skip = skips.pop();
      int below = x.channels();
      x = layers.concatChannels(x, skip);
      Form form =
          filtered
              ? filtered(
                  Size.KEPT, Unet2D.filteredGroups(level.up(), below, skip.channels()), width)
              : plain(Size.KEPT, x.channels(), width);
      x = resnet(name + ".resnets." + layer, x, width, form);
      if (level.up() == Unet2D.Block.ATTENTION) {
        x = attention(name + ".attentions." + layer, x, false);
      }
    }
    return level.up() == Unet2D.Block.SKIP_ATTENTION
        ? attention(name + ".attentions.0", x, true)
        : x;
  }

  private FeatureMap doubled(String name, FeatureMap x, Unet2D.Block block) {
    int width = x.channels();
    if (block.isSkip()) {
      Form form = filtered(Size.DOUBLED, Unet2D.filteredGroups(width), width);
      return resnet(name + ".resnet_up", x, width, form);
    }
    return switch (resampler(block, config.resampling().up())) {
      case CONVOLUTION ->
          modules.conv2d(name + ".upsamplers.0.conv", layers.upsampleNearest2(x), width, SAME_3);
      case RESNET -> resnet(name + ".upsamplers.0", x, width, plain(Size.DOUBLED, width, width));
    };
  }

  private FeatureMap resnet(String name, FeatureMap x, int width, Form form) {
    FeatureMap h = norm(name + ".norm1", x, form.groups(), resnets.activation());
    h = modules.conv2d(name + ".conv1", resized(h, form), width, SAME_3);
    h = conditioned(name, h, form.groupsOut());
    h = modules.conv2d(name + ".conv2", modules.dropout(h, resnets.dropout()), width, SAME_3);
    FeatureMap shortcut = resized(x, form);
    if (x.channels() != width || (form.filtered() && form.size() != Size.KEPT)) {
      shortcut = modules.conv2d(name + ".conv_shortcut", shortcut, width, Convolution.same(1));
    }
    return divided(layers.add(h, shortcut), form.filtered() ? FILTERED_SCALE : 1);
  }

  private FeatureMap resized(FeatureMap x, Form form) {
    return switch (form.size()) {
      case KEPT -> x;
      case HALVED -> layers.avgPool2(form.filtered() ? layers.blur(x) : x);
      case DOUBLED -> {
        FeatureMap larger = layers.upsampleNearest2(x);
        yield form.filtered() ? layers.blur(larger) : larger;
      }
    };
  }

  private FeatureMap conditioned(String name, FeatureMap h, int groups) {
    return switch (resnets.conditioning()) {
      case SHIFT -> {
        SDVariable shift = projectedCondition(name, h.channels());
        FeatureMap shifted = layers.addPerChannel(h, shift);
        yield norm(name + ".norm2", shifted, groups, resnets.activation());
      }
      case SCALE_SHIFT -> {
        SDVariable scalesAndShifts = projectedCondition(name, 2 * h.channels());
        FeatureMap normalised = norm(name + ".norm2", h, groups, Activation.IDENTITY);
        FeatureMap scaled = layers.scaleShiftPerChannel(normalised, scalesAndShifts);
        yield scaled.with(layers.activation(scaled.values(), resnets.activation()));
      }
    };
  }

  private SDVariable projectedCondition(String name, int width) {
    return modules.linear(
        name + ".time_emb_proj", condition, config.time().width(), width, Activation.IDENTITY);
  }

  private FeatureMap norm(String name, FeatureMap x, int groups, Activation activation) {
    return modules.groupNorm(name, x, groups, resnets.epsilon(), activation);
  }

  private FeatureMap attention(String name, FeatureMap x, boolean filtered) {
    return filtered
        ? divided(attention(name, x, (Integer) Unet2D.MAX_FILTERED_GROUPS), FILTERED_SCALE)
        : attention(name, x, resnets.groups());
  }

  /** Groups are null for no normalisation. */
  private FeatureMap attention(String name, FeatureMap x, Integer groups) {
    return AttentionBlock.residual(
        modules, name, x, groups, resnets.epsilon(), config.attentionHeadDim());
  }
}

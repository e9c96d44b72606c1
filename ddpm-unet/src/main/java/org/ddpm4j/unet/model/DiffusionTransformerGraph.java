package org.ddpm4j.unet.model;

import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A {@link DiffusionTransformer} on the variables of one graph, by diffusers' names. */
final class DiffusionTransformerGraph {

  private static final int TIME_FEATURES = 256;

  /** Of the normalisations before attention and at the end; no key says another. */
  private static final double EPSILON = 1e-6;

  /** Shift, scale and gate for attention, and the same for what is behind it. */
  private static final int MODULATIONS = 6;

  private static final int EXPANSION = 4;

  private final DiffusionTransformer config;
  private final Modules modules;
  private final Layers layers;
  private final SDVariable t;
  private final SDVariable labels;
  private final int width;

  DiffusionTransformerGraph(
      DiffusionTransformer config, Modules modules, SDVariable t, SDVariable labels) {
    this.config = config;
    this.modules = modules;
    this.layers = modules.layers();
    this.t = t;
    this.labels = labels;
    this.width = config.blocks().width();
  }

  FeatureMap transformer(FeatureMap image) {
    int patch = config.images().patchSize();
    FeatureMap x = modules.conv2d("pos_embed.proj", image, width, new Convolution(patch, patch, 0));
    x = layers.addPositions(x, positions(x.height(), x.width()));
    SDVariable first = null;
    for (int i = 0; i < config.blocks().count(); i++) {
      String name = "transformer_blocks." + i;
      SDVariable condition = condition(name + ".norm1.emb");
      first = first == null ? condition : first;
      x = block(name, x, condition);
    }
    // What the end is told is what the first block is told.
    SDVariable[] last =
        layers.split(
            modules.linear("proj_out_1", first, width, 2 * width, Activation.IDENTITY), 2, width);
    x = modulated(x, EPSILON, last[0], last[1]);
    int channels = config.outChannels();
    x = modules.linear("proj_out_2", x, patch * patch * channels);
    return layers.unpatchify(x, patch, channels);
  }

  /** The embedding of time and class behind SiLU, {@code [N,width]}. */
  private SDVariable condition(String name) {
    SDVariable time =
        layers.sinusoidalEmbedding(
            t, new Frequencies(TIME_FEATURES, 1, Frequencies.Order.COSINES_FIRST));
    String embedder = name + ".timestep_embedder";
    time = modules.linear(embedder + ".linear_1", time, TIME_FEATURES, width, Activation.SILU);
    time = modules.linear(embedder + ".linear_2", time, width, width, Activation.IDENTITY);
    SDVariable label =
        modules.embedding(
            name + ".class_embedder.embedding_table", labels, config.classEmbeddings(), width);
    return layers.activation(layers.add(time, label), Activation.SILU);
  }

  private FeatureMap block(String name, FeatureMap x, SDVariable condition) {
    SDVariable modulations =
        modules.linear(
            name + ".norm1.linear", condition, width, MODULATIONS * width, Activation.IDENTITY);
    SDVariable[] m = layers.split(modulations, MODULATIONS, width);
    FeatureMap attended = attention(name + ".attn1", modulated(x, EPSILON, m[0], m[1]));
    x = layers.add(x, gated(attended, m[2]));
    FeatureMap h = modulated(x, config.blocks().epsilon(), m[3], m[4]);
    h = modules.linear(name + ".ff.net.0.proj", h, EXPANSION * width);
    h = h.with(layers.activation(h.values(), config.blocks().activation()));
    h = modules.linear(name + ".ff.net.2", dropped(h), width);
    return layers.add(x, gated(h, m[5]));
  }

  private FeatureMap modulated(FeatureMap x, double epsilon, SDVariable shift, SDVariable scale) {
    return layers.scaleShiftPerChannel(
        layers.layerNorm(x, epsilon), layers.concat(scale, shift, width));
  }

  /** Times a number for each image and channel, as a scale that is 1 more, in one pass. */
  private FeatureMap gated(FeatureMap x, SDVariable gate) {
    SDVariable scale = layers.affine(gate, 1, -1);
    return layers.scaleShiftPerChannel(x, layers.concat(scale, layers.affine(gate, 0, 0), width));
  }

  private FeatureMap attention(String name, FeatureMap h) {
    FeatureMap mixed =
        layers.attention(
            modules.linear(name + ".to_q", h, width),
            modules.linear(name + ".to_k", h, width),
            modules.linear(name + ".to_v", h, width),
            config.blocks().heads());
    return dropped(modules.linear(name + ".to_out.0", mixed, width));
  }

  private FeatureMap dropped(FeatureMap x) {
    return modules.dropout(x, config.blocks().dropout());
  }

  /**
   * Sinusoids of the column in the first half of the channels and of the row in the second, in the
   * units of the size that the network is meant for, {@code [1,height,width,C]}.
   */
  private INDArray positions(int rows, int columns) {
    double trained = (double) config.images().size() / config.images().patchSize();
    // In single precision whatever the network computes in, as there.
    INDArray table = Nd4j.create(DataType.FLOAT, 1, rows, columns, width);
    int half = width / 2;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        put(table, i, j, 0, j * trained / columns);
        put(table, i, j, half, i * trained / rows);
      }
    }
    return table;
  }

  private void put(INDArray table, int row, int column, int from, double position) {
    int count = width / 4;
    for (int k = 0; k < count; k++) {
      double angle = position / Math.pow(10_000, (double) k / count);
      table.putScalar(new int[] {0, row, column, from + k}, Math.sin(angle));
      table.putScalar(new int[] {0, row, column, from + count + k}, Math.cos(angle));
    }
  }
}

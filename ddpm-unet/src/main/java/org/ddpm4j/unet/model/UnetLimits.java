package org.ddpm4j.unet.model;

import org.ddpm4j.io.Text;

/** What the records of all architectures check. */
final class UnetLimits {

  /** Far beyond any real network; sizes stay within an int. */
  static final int MAX_CHANNELS = 1 << 20;

  /** Whole numbers up to here are exact in FLOAT, in which labels reach the graph. */
  static final int MAX_CLASS_EMBEDDINGS = 1 << 20;

  private UnetLimits() {}

  static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw refusal(sentence, values);
    }
  }

  static IllegalArgumentException refusal(String sentence, Object... values) {
    return new IllegalArgumentException(
        Text.format("This U-Net cannot be built: %s.", Text.format(sentence, values)));
  }

  static void requireDropout(double dropout) {
    require(dropout >= 0 && dropout < 1, "dropout is %s; it must be in [0,1)", dropout);
  }

  static void requireImageChannels(int channels) {
    require(
        channels >= 1 && channels <= MAX_CHANNELS,
        "channels is %d; images have 1 to %d",
        channels,
        MAX_CHANNELS);
  }

  static void requireOutChannels(int outChannels) {
    require(
        outChannels >= 1 && outChannels <= MAX_CHANNELS,
        "out_dim is %d; it must be 1 to %d",
        outChannels,
        MAX_CHANNELS);
  }

  static void requireClassEmbeddings(int classEmbeddings) {
    require(
        classEmbeddings >= 0 && classEmbeddings <= MAX_CLASS_EMBEDDINGS,
        "num_class_embeds is %d; it must be 0 to %d",
        classEmbeddings,
        MAX_CLASS_EMBEDDINGS);
  }
}

package org.ddpm4j.cli.options;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/** A network in words, for people to read. */
public final class NetworkWords {

  private NetworkWords() {}

  /**
   * What a network is built of.
   *
   * @param network its configuration
   * @return a line without the names of fields
   */
  public static String describe(UnetConfig network) {
    List<String> parts = new ArrayList<>();
    if (network instanceof AnnotatedUnet unet) {
      annotated(unet, parts);
    } else if (network instanceof TutorialUnet unet) {
      parts.add(
          Text.format("small U-Net without normalisation or attention, base width %d", unet.dim()));
    } else if (network instanceof MinimalUnet unet) {
      parts.add(Text.format("minimal U-Net, base width %d", unet.dim()));
      parts.add(Text.format("time embedding of %d", unet.timeDim()));
    } else if (network instanceof LucidrainsUnet unet) {
      lucidrains(unet, parts);
    } else if (network instanceof Unet2D unet) {
      unet2D(unet, parts);
    } else if (network instanceof DiffusionTransformer transformer) {
      parts.add(
          Text.format(
              "diffusers' DiTTransformer2DModel, %s of %s of %d",
              Text.count(transformer.blocks().count(), "block"),
              Text.count(transformer.blocks().heads(), "head"),
              transformer.blocks().headDim()));
      parts.add(Text.format("patches of %d", transformer.images().patchSize()));
    } else {
      parts.add(network.getClass().getSimpleName());
    }
    parts.add(channels(network));
    if (network.classEmbeddings() > 0) {
      parts.add(Text.format("%d class embedding(s)", network.classEmbeddings()));
    }
    if (network.dropout() > 0) {
      parts.add(Text.format("dropout of %s in training", network.dropout()));
    }
    return String.join("; ", parts);
  }

  private static void annotated(AnnotatedUnet unet, List<String> parts) {
    parts.add(
        unet.block() == AnnotatedUnet.Block.RESNET
            ? Text.format(
                "U-Net of ResNet blocks, normalised in %s",
                Text.count(unet.resnetBlockGroups(), "group"))
            : Text.format(
                "U-Net of ConvNeXt blocks, %d times as wide within", unet.convnextMult()));
    parts.add("widths " + numbers(unet.dimMults().stream().mapToInt(mult -> mult * unet.dim())));
    String heads =
        Text.format(
            "of %s of %d", Text.count(unet.attentionHeads(), "head"), unet.attentionHeadDim());
    parts.add(
        switch (unet.attention()) {
          case ALL -> "attention " + heads;
          case MIDDLE -> "attention in the middle alone, " + heads;
          case NONE -> "no attention";
        });
  }

  private static void lucidrains(LucidrainsUnet unet, List<String> parts) {
    parts.add("lucidrains' U-Net");
    parts.add(
        IntStream.range(0, unet.dimMults().size())
            .mapToObj(
                level ->
                    Text.format(
                        "%d%s",
                        unet.dimMults().get(level) * unet.dim(),
                        unet.attentions().get(level).kind() == LucidrainsUnet.AttentionKind.FULL
                            ? " with full attention"
                            : ""))
            .collect(Collectors.joining(", ", "widths ", "")));
    if (unet.resnetBlockGroups() != LucidrainsUnet.ROOT_MEAN_SQUARE) {
      parts.add(Text.format("normalised in %s", Text.count(unet.resnetBlockGroups(), "group")));
    }
    if (unet.memories() > 0) {
      parts.add(Text.format("memory of %s", Text.count(unet.memories(), "key")));
    }
    if (unet.time().frequencies() != LucidrainsUnet.Frequencies.SINUSOIDAL) {
      parts.add(
          Text.format(
              "times of %d %s frequencies",
              unet.time().width() / 2, unet.time().frequencies().name().toLowerCase(Locale.ROOT)));
    }
  }

  private static void unet2D(Unet2D unet, List<String> parts) {
    parts.add(
        Text.format(
            "diffusers' UNet2DModel, %s at each level, normalised in %s",
            Text.count(unet.resnets().perLevel(), "ResNet block"),
            unet.resnets().groups() == null
                ? "groups of four or more"
                : Text.count(unet.resnets().groups(), "group")));
    parts.add(
        "widths "
            + unet.levels().stream()
                .map(
                    level ->
                        level.channels() + (level.down().hasAttention() ? " with attention" : ""))
                .collect(Collectors.joining(", ")));
    if (unet.images().size() != null) {
      parts.add(
          Text.format(
              "images of %dx%d", unet.images().size().height(), unet.images().size().width()));
    }
  }

  private static String channels(UnetConfig network) {
    return network.learnsVariance()
        ? Text.count(network.imageChannels(), "channel") + " of images, and as many of a variance"
        : Text.count(network.imageChannels(), "channel")
            + " of images"
            + (network.selfConditions() ? ", and as many of its own estimate" : "");
  }

  private static String numbers(IntStream numbers) {
    return numbers.mapToObj(Integer::toString).collect(Collectors.joining(", "));
  }
}

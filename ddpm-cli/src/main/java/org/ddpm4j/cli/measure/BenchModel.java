package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/** The networks whose speed is measured. */
enum BenchModel {
  /** With the sizes of "The Annotated Diffusion Model". */
  ANNOTATED(() -> AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1), new ImageShape(1, 28, 28)),
  ANNOTATED_CONVNEXT(
      () -> AnnotatedUnet.convnext(28, 1, List.of(1, 2, 4)), new ImageShape(1, 28, 28)),
  /** Of google/ddpm-cifar10-32. */
  CIFAR10(Unet2D::cifar10, new ImageShape(3, 32, 32)),
  /** Half as wide as openai/diffusers-cd_imagenet64_l2. */
  CONSISTENCY(() -> network("consistency"), new ImageShape(3, 64, 64)),
  /** NCSN++ of google/ncsnpp-celebahq-256, on smaller images. */
  NCSNPP(() -> network("ncsnpp"), new ImageShape(3, 64, 64)),
  /** The decoder of stabilityai/sd-vae-ft-mse, of latents. */
  AUTOENCODER_KL(() -> decoder("autoencoder-kl"), new ImageShape(4, 16, 16)),
  /** The decoder of CompVis/ldm-celebahq-256, of latents. */
  AUTOENCODER_VQ(() -> decoder("autoencoder-vq"), new ImageShape(3, 32, 32)),
  /** DiT-B/2 of Peebles and Xie 2023. */
  DIT(() -> network("dit"), new ImageShape(4, 32, 32)),
  /** The network that lucidrains' denoising-diffusion-pytorch shows first, on smaller images. */
  LUCIDRAINS(() -> network("lucidrains"), new ImageShape(3, 64, 64));

  private static final Set<BenchModel> DECODERS = Set.of(AUTOENCODER_KL, AUTOENCODER_VQ);

  private final Supplier<UnetConfig> config;
  private final ImageShape shape;

  BenchModel(Supplier<UnetConfig> config, ImageShape shape) {
    this.config = config;
    this.shape = shape;
  }

  private static UnetConfig network(String name) {
    try {
      return UnetFolder.configFromJson(json(name), name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static UnetConfig decoder(String name) {
    try {
      return AutoencoderFolder.configFromJson(json(name), name).decoder();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String json(String name) throws IOException {
    try (InputStream stream = BenchModel.class.getResourceAsStream(name + ".json")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  UnetConfig config() {
    return config.get();
  }

  /** Of what goes in. */
  ImageShape shape() {
    return shape;
  }

  /**
   * Whether steps of training are measured, too: not of a decoder, which is half of what is
   * trained.
   */
  boolean isTrained() {
    return !DECODERS.contains(this);
  }
}

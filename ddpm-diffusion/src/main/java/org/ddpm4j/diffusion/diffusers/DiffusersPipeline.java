package org.ddpm4j.diffusion.diffusers;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.AncestralConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.ddpm4j.unet.model.DiffusersNetwork;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * What the folder of a diffusers pipeline holds.
 *
 * <p>With an autoencoder, as in {@code LDMPipeline}, the network denoises latents.
 *
 * @param unet a {@link DiffusersNetwork}
 * @param autoencoder between images and latents; empty where the network denoises images
 * @param scheduler by which it was trained and is to draw
 * @param classNames of the classes that it is told, in their order; empty if they are not known. A
 *     row of the class embedding more than there are names is the null class
 * @param schedulerFile what the scheduler was read from
 */
public record DiffusersPipeline(
    Unet unet,
    Optional<Autoencoder> autoencoder,
    DiffusersScheduler scheduler,
    List<String> classNames,
    SchedulerFile schedulerFile)
    implements AutoCloseable {

  /** The greatest height and width that a file may ask for. */
  public static final int MAX_SAMPLE_SIZE = 4096;

  /**
   * Checks that the parts fit each other.
   *
   * @throws IllegalArgumentException if they do not, or if diffusers has no such network
   */
  public DiffusersPipeline {
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(autoencoder, "autoencoder");
    Objects.requireNonNull(scheduler, "scheduler");
    Objects.requireNonNull(schedulerFile, "schedulerFile");
    classNames = List.copyOf(classNames);
    DiffusersNetwork config = requireNetwork(unet.config());
    int in = config.inChannels();
    boolean learned = config.learnsVariance();
    if (config.outChannels() != in && !learned) {
      throw new IllegalArgumentException(
          Text.format(
              "The network answers images of %d channel(s) with %d; it must be as many, or twice as many with a learned variance.",
              in, config.outChannels()));
    }
    if (scheduler.sampler() instanceof AncestralConfig ancestral
        && ancestral.variance() == ReverseVariance.LEARNED
        && !learned) {
      throw new IllegalArgumentException(
          Text.format(
              "The scheduler's variance_type is \"learned_range\", but the network answers with %d channel(s) and has learned no variance; it takes %d.",
              config.outChannels(), 2 * in));
    }
    autoencoder.ifPresent(between -> checkLatents(between.config(), in));
    Unet2D.ImageSize size = config.sampleSize().orElse(null);
    int most =
        MAX_SAMPLE_SIZE / autoencoder.map(between -> between.config().pixelsPerLatent()).orElse(1);
    if (size != null && Math.max(size.height(), size.width()) > most) {
      throw new IllegalArgumentException(
          Text.format(
              "sample_size is %dx%d; %s may have up to %d a side.",
              size.height(), size.width(), autoencoder.isPresent() ? "latents" : "images", most));
    }
    if (classNames.size() > config.classEmbeddings()) {
      throw new IllegalArgumentException(
          Text.format(
              "There are names of %d class(es) for a network with %d; leave the names out or correct them.",
              classNames.size(), config.classEmbeddings()));
    }
  }

  /**
   * A pipeline that is not of files.
   *
   * @param unet the network
   * @param scheduler by which it was trained and is to draw
   * @param classNames of its classes; empty if they are not known
   * @throws IllegalArgumentException if the parts do not fit, or if diffusers has no such network
   */
  public DiffusersPipeline(Unet unet, DiffusersScheduler scheduler, List<String> classNames) {
    this(unet, Optional.empty(), scheduler, classNames);
  }

  /**
   * A pipeline of latents that is not of files.
   *
   * @param unet the network
   * @param autoencoder between images and latents; empty where the network denoises images
   * @param scheduler by which it was trained and is to draw
   * @param classNames of its classes; empty if they are not known
   * @throws IllegalArgumentException if the parts do not fit, or if diffusers has no such network
   */
  public DiffusersPipeline(
      Unet unet,
      Optional<Autoencoder> autoencoder,
      DiffusersScheduler scheduler,
      List<String> classNames) {
    this(
        unet,
        autoencoder,
        scheduler,
        classNames,
        new SchedulerFile(
            Objects.requireNonNull(scheduler, "scheduler").toJson(), scheduler.className()));
  }

  private static void checkLatents(AutoencoderConfig between, int channels) {
    if (between.latents().stateChannels() != channels) {
      throw new IllegalArgumentException(
          Text.format(
              "The network denoises latents of %d channel(s), but the autoencoder's have %d; take the two that belong together.",
              channels, between.latents().stateChannels()));
    }
  }

  /**
   * The images that the network was trained on, which it may see as latents.
   *
   * @return their size, or empty if the files do not say it
   */
  public Optional<ImageShape> shape() {
    return requireNetwork(unet.config())
        .sampleSize()
        .map(
            size -> {
              int factor = pixelsPerState();
              return new ImageShape(imageChannels(), factor * size.height(), factor * size.width());
            });
  }

  /**
   * The channels of the images.
   *
   * @return those of what the network denoises, or of the decoded latents
   */
  public int imageChannels() {
    return autoencoder
        .map(between -> between.config().images().outChannels())
        .orElseGet(() -> unet.config().imageChannels());
  }

  /**
   * How many pixels one position of what the network denoises stands for in height and width.
   *
   * @return 1, or more of latents
   */
  public int pixelsPerState() {
    return autoencoder.map(between -> between.config().pixelsPerLatent()).orElse(1);
  }

  /**
   * How the network sees pixels.
   *
   * @return to [-1,1]; to [0,1] where it predicts the score
   */
  public Normalization normalization() {
    return normalization(scheduler.parameterization());
  }

  /**
   * How the networks of diffusers' pipelines see pixels.
   *
   * @param parameterization what they predict
   * @return to [-1,1]; to [0,1] where that is the score
   */
  public static Normalization normalization(Parameterization parameterization) {
    return parameterization == Parameterization.SCORE
        ? Normalization.UNIT
        : Normalization.SYMMETRIC;
  }

  /**
   * The row of the class embedding that is known to stand for no class.
   *
   * @return the last of a {@link DiffusionTransformer}; empty of other networks, of which no file
   *     says it
   */
  public OptionalInt nullClass() {
    return unet.config() instanceof DiffusionTransformer transformer
        ? OptionalInt.of(transformer.classes())
        : OptionalInt.empty();
  }

  /** Closes the networks. */
  @Override
  public void close() {
    unet.close();
    autoencoder.ifPresent(Autoencoder::close);
  }

  /**
   * How the pipeline draws with a sampler of the caller's choice.
   *
   * @param type which sampler
   * @return its options, see {@link SchedulerFile#sampler}
   * @throws IllegalArgumentException if the file asks for what is not supported of it
   */
  public DiffusersSampler sampler(SamplerType type) {
    return schedulerFile.sampler(type);
  }

  /**
   * Checks that diffusers has a network.
   *
   * @param network the architecture
   * @return the same
   * @throws IllegalArgumentException if it has not
   */
  public static DiffusersNetwork requireNetwork(UnetConfig network) {
    Objects.requireNonNull(network, "network");
    if (network instanceof DiffusersNetwork config) {
      return config;
    }
    throw new IllegalArgumentException(
        Text.format(
            "diffusers has no network like %s; only a UNet2DModel can go there, or a DiT: train a Unet2D or a DiffusionTransformer.",
            network.getClass().getSimpleName()));
  }
}

package org.ddpm4j.diffusion.diffusers;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * What the folder of a diffusers pipeline holds. Its images are in [-1,1] ({@link
 * org.ddpm4j.diffusion.image.Normalization#SYMMETRIC}).
 *
 * @param unet a {@link Unet2D}
 * @param scheduler by which it was trained and is to draw
 * @param classNames of the classes that it is told, in their order; empty if they are not known. A
 *     row of the class embedding more than there are names is the null class
 */
public record DiffusersPipeline(Unet unet, DiffusersScheduler scheduler, List<String> classNames) {

  /** The greatest height and width that a file may ask for. */
  public static final int MAX_SAMPLE_SIZE = 4096;

  /**
   * Checks that the parts fit each other.
   *
   * @param unet the network
   * @param scheduler by which it was trained and is to draw
   * @param classNames of its classes; copied
   * @throws IllegalArgumentException if they do not, or if diffusers has no such network
   */
  public DiffusersPipeline {
    Objects.requireNonNull(scheduler, "scheduler");
    classNames = List.copyOf(classNames);
    Unet2D config = requireUnet2D(unet.config());
    int in = config.inChannels();
    boolean learned = config.outChannels() == 2 * in;
    if (config.outChannels() != in && !learned) {
      throw new IllegalArgumentException(
          "The network answers images of %d channels with %d; it must be as many, or twice as many with a learned variance."
              .formatted(in, config.outChannels()));
    }
    if (scheduler.sampler().variance() == ReverseVariance.LEARNED && !learned) {
      throw new IllegalArgumentException(
          "The scheduler's variance_type is \"learned_range\", but the network answers with %d channels and has learned no variance; it takes %d."
              .formatted(config.outChannels(), 2 * in));
    }
    Unet2D.ImageSize size = config.images().size();
    if (size != null && Math.max(size.height(), size.width()) > MAX_SAMPLE_SIZE) {
      throw new IllegalArgumentException(
          "sample_size is %dx%d; images may have up to %d pixels a side."
              .formatted(size.height(), size.width(), MAX_SAMPLE_SIZE));
    }
    if (classNames.size() > config.classEmbeddings()) {
      throw new IllegalArgumentException(
          "There are names of %d classes for a network with %d; leave the names out or correct them."
              .formatted(classNames.size(), config.classEmbeddings()));
    }
  }

  /**
   * The images that the network was trained on.
   *
   * @return their size, or empty if the files do not say it
   */
  public Optional<ImageShape> shape() {
    return Optional.ofNullable(((Unet2D) unet.config()).images().size())
        .map(size -> new ImageShape(unet.config().inChannels(), size.height(), size.width()));
  }

  /**
   * The pipeline of a run's network.
   *
   * @param config of the run
   * @param unet its network, by custom with the moving average of the weights
   * @param sampler how the pipeline is to draw
   * @return the pipeline, whose {@code sample_size} is that of the run's images
   * @throws IllegalArgumentException if diffusers has nothing like the network, the schedule, the
   *     normalisation or the sampler; the sentence says what to do
   */
  public static DiffusersPipeline of(RunConfig config, Unet unet, DiffusersSampler sampler) {
    if (!config.data().normalization().equals(Normalization.SYMMETRIC)) {
      throw new IllegalArgumentException(
          "The images of a diffusers pipeline are in [-1,1], and this run's were normalised otherwise; train one with --normalization symmetric.");
    }
    ImageShape shape = config.data().shape();
    Unet2D.ImageSize size = new Unet2D.ImageSize(shape.height(), shape.width());
    return new DiffusersPipeline(
        Unet.of(requireUnet2D(unet.config()).withSampleSize(size), unet.parameters()),
        new DiffusersScheduler(
            config.schedule().betas(),
            config.schedule().timesteps(),
            config.training().objective().parameterization(),
            sampler.config(),
            sampler.clipping()),
        unet.config().classEmbeddings() > 0 ? config.data().classNames() : List.of());
  }

  /**
   * The configuration of a run whose network this is. How it was trained is not known: what a
   * pipeline does not say has its default there and means nothing.
   *
   * @param version of ddpm4j
   * @param data what it was trained on, see {@link DataDescription#unseen}
   * @return the configuration
   * @throws IllegalArgumentException if a run cannot have the noise schedule
   */
  public RunConfig toRunConfig(String version, DataDescription data) {
    ScheduleConfig schedule =
        scheduler
            .scheduleConfig()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "The scheduler's trained_betas are none of the noise schedules that a run can have; draw with the pipeline's folder itself."));
    boolean learned = unet.config().outChannels() == 2 * unet.config().inChannels();
    ObjectiveConfig objective =
        ObjectiveConfig.simple()
            .withParameterization(scheduler.parameterization())
            .withTerms(learned ? LossTerms.HYBRID : LossTerms.SIMPLE);
    return new RunConfig(
        version,
        unet.config(),
        0,
        schedule,
        TrainingConfig.defaults(1).withObjective(objective),
        new RunConfig.BatchConfig(1, 0, HorizontalFlip.NONE),
        data,
        1,
        1);
  }

  private static Unet2D requireUnet2D(UnetConfig network) {
    if (network instanceof Unet2D config) {
      return config;
    }
    throw new IllegalArgumentException(
        "diffusers has no network like %s; only a UNet2DModel can go there, so train one with --network unet2d."
            .formatted(network.getClass().getSimpleName()));
  }
}

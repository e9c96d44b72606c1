package org.ddpm4j.cli;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What training and sampling have in common when they draw images. */
final class Sampling {

  private Sampling() {}

  /**
   * The number of denoising steps.
   *
   * @param chosen by the user, or null
   * @param timesteps T of the network's schedule
   * @return 1 to T
   */
  static int steps(Integer chosen, int timesteps) {
    if (chosen == null) {
      return Math.min(Integer.parseInt(Defaults.SAMPLE_STEPS), timesteps);
    }
    if (chosen < 1 || chosen > timesteps) {
      throw new BadInputException(
          "%d denoising steps are not possible; it takes 1 to %d, the length of the chain."
              .formatted(chosen, timesteps));
    }
    return chosen;
  }

  /** A drawing by a sampler that fits the model, of all classes in turn. */
  static Drawing drawing(
      Model model, int steps, SamplerConfig samplerConfig, X0Constraint constraint) {
    Sampler sampler =
        BadInputException.check(() -> samplerConfig.create(model.schedule(), steps, constraint));
    return new Drawing(model, sampler, classOf(null, model));
  }

  /** DDPM on a respaced chain, with the variance that the network learned, if it has. */
  static SamplerConfig ddpm(UnetConfig network) {
    return new SamplerConfig(
        SamplerType.DDPM,
        null,
        0,
        false,
        null,
        null,
        variance(null, network),
        null,
        Convention.PAPER);
  }

  /** The variance that the user chose, or else the one that the network learned, if it has. */
  static ReverseVariance variance(ReverseVariance chosen, UnetConfig network) {
    boolean learned = network.outChannels() == 2 * network.inChannels();
    if (chosen == ReverseVariance.LEARNED && !learned) {
      throw new BadInputException(
          "The network has not learned a variance; choose --variance beta or posterior, or train with --loss-terms hybrid.");
    }
    return chosen != null ? chosen : learned ? ReverseVariance.LEARNED : ReverseVariance.POSTERIOR;
  }

  /**
   * Which class image i is to be of.
   *
   * @param chosen name or number of a class, "none" for none, or null to take turns
   * @param model of which the image is
   */
  static IntUnaryOperator classOf(String chosen, Model model) {
    int embeddings = model.unet().config().classEmbeddings();
    List<String> names = model.classNames();
    if (chosen == null && embeddings == 0) {
      return i -> 0;
    }
    if (chosen == null) {
      int[] classes =
          IntStream.range(0, names.isEmpty() ? embeddings : names.size())
              .filter(row -> row != model.nullClass().orElse(-1))
              .toArray();
      return i -> classes[i % classes.length];
    }
    if (embeddings == 0) {
      throw new BadInputException(
          "The network was not told classes, so that --class %s cannot be drawn; train one with --class-conditional."
              .formatted(chosen));
    }
    int found =
        chosen.equalsIgnoreCase("none") && embeddings > names.size()
            ? model.nullClass().orElse(embeddings - 1)
            : IntStream.range(0, embeddings)
                .filter(
                    i ->
                        chosen.equals(Integer.toString(i))
                            || (i < names.size() && chosen.equalsIgnoreCase(names.get(i))))
                .findFirst()
                .orElseThrow(
                    () ->
                        new BadInputException(
                            "There is no class %s; the classes are %s."
                                .formatted(
                                    chosen,
                                    names.isEmpty()
                                        ? "0 to " + (embeddings - 1)
                                        : String.join(", ", names))));
    return i -> found;
  }

  /** Draws images while the console shows how far it is. */
  static INDArray sample(
      Console console,
      Drawing drawing,
      int count,
      long seed,
      int batchSize,
      SamplingObserver observer) {
    int steps = drawing.sampler().steps();
    long batches = (count + batchSize - 1L) / batchSize;
    try (Progress progress = new Progress(console, "sample", "steps", 0, batches * steps)) {
      long[] done = {0};
      return drawing.sample(
          count,
          seed,
          batchSize,
          (stepsDone, x, x0) -> {
            observer.onStep(stepsDone, x, x0);
            done[0]++;
            progress.update(done[0], "");
          });
    }
  }
}

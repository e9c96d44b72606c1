package org.ddpm4j.cli;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassConditionalPipeline;
import org.ddpm4j.diffusion.ConditionalDenoiser;
import org.ddpm4j.diffusion.DiffusionPipeline;
import org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network that draws images, of classes where it knows them.
 *
 * @param model the network
 * @param sampler how its estimates become images
 * @param classOf the class of image i, for networks that are told it
 * @param guidance how far beyond the class; other than none for networks with a null class
 */
record Drawing(Model model, Sampler sampler, IntUnaryOperator classOf, Guidance guidance) {

  /** Without guidance. */
  Drawing(Model model, Sampler sampler, IntUnaryOperator classOf) {
    this(model, sampler, classOf, Guidance.NONE);
  }

  INDArray sample(int count, long seed, int batchSize, SamplingObserver observer) {
    if (!model.isClassConditional()) {
      return DiffusionPipeline.of(
              model.unet(), model.parameterization(), model.schedule(), sampler, model.shape())
          .sample(count, seed, batchSize, observer);
    }
    int[] classes = IntStream.range(0, count).map(classOf).toArray();
    return new ClassConditionalPipeline(denoiser(), sampler, model.shape())
        .sample(classes, seed, batchSize, observer);
  }

  private ConditionalDenoiser denoiser() {
    if (guidance.equals(Guidance.NONE)) {
      return ConditionalDenoiser.of(model.unet(), model.parameterization(), model.schedule());
    }
    return ClassifierFreeGuidance.of(
        model.unet(),
        model.parameterization(),
        model.schedule(),
        model.nullClass().orElseThrow(),
        guidance);
  }
}

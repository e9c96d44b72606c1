package org.ddpm4j.cli;

import java.util.Optional;
import java.util.function.IntUnaryOperator;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.editing.ImageToImageSampler;
import org.ddpm4j.diffusion.editing.RepaintSampler;
import org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingListener;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.sampling.PathSampler;
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
 * @param noise what the images begin with, {@code [N,C,H,W]}, if it is not the seed's
 */
record Drawing(
    Model model,
    Sampler sampler,
    IntUnaryOperator classOf,
    Guidance guidance,
    Optional<INDArray> noise) {

  Drawing {
    if (sampler instanceof PathSampler path) {
      model.requireX0(path.first());
    } else if (sampler instanceof ImageToImageSampler edited) {
      model.requireX0(edited.sampler().first());
    } else if (sampler instanceof RepaintSampler edited) {
      model.requireX0(edited.chain().first());
    }
  }

  /** Without guidance, from the seed's noise. */
  Drawing(Model model, Sampler sampler, IntUnaryOperator classOf) {
    this(model, sampler, classOf, Guidance.NONE, Optional.empty());
  }

  /** Draws images, as many as there is noise where that is given. */
  INDArray sample(int count, long seed, int batchSize, SamplingObserver observer) {
    SamplingOptions options =
        SamplingOptions.defaults()
            .withBatchSize(batchSize)
            .withListener(SamplingListener.of(observer));
    DiffusionPipeline pipeline =
        new DiffusionPipeline(denoiser(), sampler, model.shape(), model.normalization(), classOf);
    return noise.isPresent()
        ? pipeline.sampleFrom(noise.get(), seed, options)
        : pipeline.sample(count, seed, options);
  }

  private ClassConditionalDenoiser denoiser() {
    if (guidance.equals(Guidance.NONE)) {
      return model.denoiser();
    }
    return ClassifierFreeGuidance.of(
        model.unet(),
        model.parameterization(),
        model.schedule(),
        model.nullClass().orElseThrow(),
        guidance);
  }
}

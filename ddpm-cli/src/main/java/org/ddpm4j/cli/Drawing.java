package org.ddpm4j.cli;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassConditionalPipeline;
import org.ddpm4j.diffusion.ConditionalDenoiser;
import org.ddpm4j.diffusion.DiffusionPipeline;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network that draws images, of classes where it knows them.
 *
 * @param unet the network
 * @param parameterization what it predicts
 * @param schedule the one that it was trained with
 * @param sampler how its estimates become images
 * @param shape of the images
 * @param classOf the class of image i, for networks that are told it
 */
record Drawing(
    Unet unet,
    Parameterization parameterization,
    NoiseSchedule schedule,
    Sampler sampler,
    ImageShape shape,
    IntUnaryOperator classOf) {

  INDArray sample(int count, long seed, int batchSize, SamplingObserver observer) {
    if (unet.config().classEmbeddings() == 0) {
      return DiffusionPipeline.of(unet, parameterization, schedule, sampler, shape)
          .sample(count, seed, batchSize, observer);
    }
    int[] classes = IntStream.range(0, count).map(classOf).toArray();
    return new ClassConditionalPipeline(
            ConditionalDenoiser.of(unet, parameterization, schedule), sampler, shape)
        .sample(classes, seed, batchSize, observer);
  }
}

/**
 * Drawing pictures: a {@link org.ddpm4j.diffusion.pipeline.DiffusionPipeline} is a denoiser with a
 * sampler, a shape and the scale of pixels. {@link org.ddpm4j.diffusion.pipeline.SamplingOptions}
 * say how much is drawn at once and who looks on: a {@link
 * org.ddpm4j.diffusion.pipeline.SamplingListener}, {@link
 * org.ddpm4j.diffusion.pipeline.SamplingProgress}, {@link org.ddpm4j.diffusion.pipeline.X0Preview};
 * a {@link org.ddpm4j.diffusion.pipeline.Cancellation} ends it early. Many images are drawn batch
 * by batch: {@link org.ddpm4j.diffusion.pipeline.BatchNoise} is what they begin with, a {@link
 * org.ddpm4j.diffusion.pipeline.BatchConsumer} takes them.
 */
package org.ddpm4j.diffusion.pipeline;

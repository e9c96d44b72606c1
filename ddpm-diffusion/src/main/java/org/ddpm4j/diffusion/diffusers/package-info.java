/**
 * Pipeline folders of Hugging Face diffusers, read and written ({@link
 * org.ddpm4j.diffusion.diffusers.PipelineFolder}): {@code model_index.json} names the parts, {@code
 * unet/} holds a {@code UNet2DModel}, {@code scheduler/} says by which schedule it was trained and
 * by which sampler it is to draw ({@link org.ddpm4j.diffusion.diffusers.DiffusersScheduler}).
 *
 * <p>A scheduler, in diffusers' words, is a noise schedule, a parameterisation ("prediction type")
 * and a sampler in one object.
 */
package org.ddpm4j.diffusion.diffusers;

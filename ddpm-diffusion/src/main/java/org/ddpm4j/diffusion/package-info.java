/**
 * Denoising diffusion: what is done to images ({@link org.ddpm4j.diffusion.ForwardProcess}), what a
 * model says about it ({@link org.ddpm4j.diffusion.Denoiser}), and how both make images ({@link
 * org.ddpm4j.diffusion.pipeline.DiffusionPipeline}).
 *
 * <p>Images are {@code [N,C,H,W]}, usually in [-1,1]; timesteps are zero-based, {@code 0..T-1}.
 * Names follow the papers: {@code x0} is an image, {@code eps} the noise ε, {@code xt} the noisy
 * image x_t.
 */
package org.ddpm4j.diffusion;

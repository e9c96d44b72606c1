/**
 * Cold Diffusion: instead of noise, any degradation of images may be undone step by step (Bansal et
 * al. 2022, "Cold Diffusion: Inverting Arbitrary Image Transforms Without Noise").
 *
 * <p>The paper's names: the {@link org.ddpm4j.diffusion.cold.Degradation} D(x0, s) makes an image
 * worse with rising severity s in 0..T, and D(x0, 0) = x0. The {@link
 * org.ddpm4j.diffusion.cold.RestorationOperator} R(x_s, s) guesses x0; it is a network trained by
 * {@link org.ddpm4j.diffusion.cold.ColdObjective}. {@link org.ddpm4j.diffusion.cold.ColdSampler}
 * goes from x_s to x_0 with both.
 *
 * <p>The network's timesteps are 0..T-1, as everywhere in this library: timestep t stands for
 * severity t+1, for nobody needs to restore what is not degraded.
 */
package org.ddpm4j.diffusion.cold;

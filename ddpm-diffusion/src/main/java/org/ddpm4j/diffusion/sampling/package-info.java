/**
 * Samplers: the learned reverse process p. Each is a stateless function of a denoiser and of a
 * source of noise; its loop fits on a screen.
 *
 * <p>The state is {@code x = α x0 + σ ε} with {@code α = √ᾱ} and {@code σ = √(1-ᾱ)}; networks of
 * another scale are given it by their {@link org.ddpm4j.diffusion.Parameterization#inputFactor
 * factor}. {@code ρ = σ/α} is the σ of Karras et al. 2022, {@code λ = -log ρ} the λ of DPM-Solver;
 * {@code h} is the length of a step in λ. {@link org.ddpm4j.diffusion.sampling.NoiseLevels} says
 * where a run asks the network; a {@link org.ddpm4j.diffusion.sampling.PathSampler} can begin there
 * with any state; {@link org.ddpm4j.diffusion.config.SamplerConfig} makes a sampler of a name.
 */
package org.ddpm4j.diffusion.sampling;

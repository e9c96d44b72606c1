/**
 * Samplers: the learned reverse process p. Each is a stateless function of a denoiser and of a
 * source of noise; its loop fits on a screen.
 */
package org.ddpm4j.diffusion.sampling;

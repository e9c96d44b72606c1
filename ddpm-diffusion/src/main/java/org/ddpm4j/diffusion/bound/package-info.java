/**
 * The variational bound on the negative log-likelihood of images, in bits/dim (Ho et al. 2020, eq.
 * 3, 5 and 13; Nichol and Dhariwal 2021, eq. 4 to 7).
 *
 * <p>The bound is {@code L_T + Σ_{t≥1} L_t + L_0}. {@code L_T} is the divergence of the end of the
 * chain from the standard normal distribution it is sampled from. With zero-based t, {@code L_t} is
 * the cost of the step from x_t to the state before it: for t at least 1 a divergence between two
 * Gaussians, which the papers, counting from 1, call L_{t-1}; for t = 0 the cost of the image
 * itself under a {@link org.ddpm4j.diffusion.bound.Decoder}.
 *
 * <p>{@link org.ddpm4j.diffusion.bound.VariationalBound} computes the terms and their gradients,
 * {@link org.ddpm4j.diffusion.bound.BoundEvaluation} is what it says of images, {@link
 * org.ddpm4j.diffusion.bound.StratifiedTimesteps} are the timesteps it was asked at. Everything is
 * computed in double precision, whatever the images' type.
 */
package org.ddpm4j.diffusion.bound;

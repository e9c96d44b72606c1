/**
 * What a network is trained for: an {@link org.ddpm4j.diffusion.objective.Objective} makes of
 * images, timesteps and noise a question for the network, and of its answer a loss and a gradient.
 */
package org.ddpm4j.diffusion.objective;

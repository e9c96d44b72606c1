/**
 * Randomness that is a function of its key: {@link org.ddpm4j.kernels.random.Philox} makes numbers
 * of a counter ({@link org.ddpm4j.diffusion.random.CounterRandom}), and nothing carries a state, so
 * that results do not depend on batch sizes, threads, or on where a run was interrupted.
 */
package org.ddpm4j.diffusion.random;

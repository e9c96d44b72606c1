/**
 * Randomness that is a function of its key: no generator carries a state from one draw to the next,
 * so that results do not depend on batch sizes, threads, or on where a run was interrupted.
 */
package org.ddpm4j.diffusion.random;

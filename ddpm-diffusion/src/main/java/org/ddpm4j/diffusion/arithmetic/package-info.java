/**
 * Arithmetic on whole batches, {@link org.ddpm4j.diffusion.arithmetic.BatchArithmetic}: what stands
 * between two questions to a network must cost next to nothing beside them.
 */
package org.ddpm4j.diffusion.arithmetic;

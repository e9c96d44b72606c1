package org.ddpm4j.studio.drawing;

/**
 * All that distinguishes an image from the others of its recipe.
 *
 * @param seed of its noise
 * @param number which image of the seed, at least 0
 * @param label the row of the class embedding that the network is told; 0 for a network that is
 *     told none
 */
public record ImageKey(long seed, int number, int label) {}

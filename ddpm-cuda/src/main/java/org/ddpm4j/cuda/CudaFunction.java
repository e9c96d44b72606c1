package org.ddpm4j.cuda;

/**
 * A kernel, compiled for a card.
 *
 * @param name as in its source
 * @param handle the driver's own
 */
record CudaFunction(String name, Object handle) {}

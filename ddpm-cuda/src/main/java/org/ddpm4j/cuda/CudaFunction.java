package org.ddpm4j.cuda;

/**
 * A kernel for a card, which may still be being compiled.
 *
 * @param name as in its source
 * @param handle the driver's own
 */
record CudaFunction(String name, Object handle) {}

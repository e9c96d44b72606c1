/**
 * The processor as a device: kernels by oneDNN and by loops that the JIT compiler vectorises, its
 * threads, packed weights, Winograd's algorithm.
 */
package org.ddpm4j.kernels.cpu;

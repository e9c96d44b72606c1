/**
 * Random numbers without a state, for all devices: Philox, and the keys that say which of its
 * numbers belong to an image.
 */
package org.ddpm4j.kernels.random;

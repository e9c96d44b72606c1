/**
 * The weights of a network in a folder, in any layout that diffusers writes: one file or several,
 * safetensors or PyTorch's own format, of a variant or not.
 */
package org.ddpm4j.io.weights;

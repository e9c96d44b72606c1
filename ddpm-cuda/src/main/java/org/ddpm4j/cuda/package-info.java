/**
 * NVIDIA's cards as devices of plans. Found as a service; kernels are the {@code .cu} files in the
 * resources of this package, compiled by NVRTC for the card that is there, and cuDNN does wide
 * convolutions.
 */
package org.ddpm4j.cuda;

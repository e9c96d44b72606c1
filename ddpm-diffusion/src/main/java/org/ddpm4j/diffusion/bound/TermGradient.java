package org.ddpm4j.diffusion.bound;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A term of the bound for each image, and the gradient of each image's own term. A loss that weighs
 * images multiplies the gradient of each by its weight.
 *
 * @param bitsPerDim the terms in bits/dim, N of them
 * @param mean gradient by the mean of the reverse step, {@code [N,C,H,W]}, DOUBLE
 * @param logVariance gradient by its log σ², {@code [N,C,H,W]}, DOUBLE
 */
public record TermGradient(double[] bitsPerDim, INDArray mean, INDArray logVariance) {}

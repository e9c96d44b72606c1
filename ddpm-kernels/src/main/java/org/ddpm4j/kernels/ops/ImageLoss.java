package org.ddpm4j.kernels.ops;

/** What a network's graph ends in: the loss of each image. */
public sealed interface ImageLoss permits PointwiseLoss, BoundLoss {}

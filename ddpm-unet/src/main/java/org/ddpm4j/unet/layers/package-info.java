/**
 * Layers: what networks are built of.
 *
 * <p>{@link org.ddpm4j.unet.layers.Modules} are layers with named parameters, as PyTorch's {@code
 * torch.nn}, over {@link org.ddpm4j.unet.layers.Layers}, the operations, as {@code
 * torch.nn.functional}: of stock SameDiff in {@link org.ddpm4j.unet.layers.ReferenceLayers}, of
 * ours, with kernels for each device, in {@link org.ddpm4j.unet.layers.FusedLayers}. Features are
 * channels-last, {@code [N,H,W,C]}, and come with their size as a {@link
 * org.ddpm4j.unet.layers.FeatureMap}. A {@link org.ddpm4j.unet.layers.Parameter} has its PyTorch
 * name, and a {@link org.ddpm4j.unet.layers.WeightLayout} relates its layout to PyTorch's.
 */
package org.ddpm4j.unet.layers;

/**
 * The U-Nets as SameDiff graphs.
 *
 * <p>A network is written once, in terms of {@link org.ddpm4j.unet.layers.Modules}, which declare
 * the named parameters, and {@link org.ddpm4j.unet.layers.Layers}, which turn them into operations.
 * Inside, features are channels-last, {@code [N,H,W,C]}; outside, everything is {@code [N,C,H,W]}.
 * All parameters of a network lie in one flat buffer, {@link org.ddpm4j.unet.Parameters}, and carry
 * their PyTorch names, so that weights travel as safetensors without a table of translations.
 *
 * <ul>
 *   <li>{@link org.ddpm4j.unet.model.UnetConfig}: the architectures, as validated records: {@link
 *       org.ddpm4j.unet.model.AnnotatedUnet}, {@link org.ddpm4j.unet.model.TutorialUnet}, {@link
 *       org.ddpm4j.unet.model.MinimalUnet} and {@link org.ddpm4j.unet.model.Unet2D}, which is
 *       diffusers';
 *   <li>{@link org.ddpm4j.unet.UnetInput}: a batch of images with timesteps, and labels where a
 *       network knows classes;
 *   <li>{@link org.ddpm4j.unet.Unet}: a network with its parameters, which predicts and
 *       differentiates;
 *   <li>{@link org.ddpm4j.unet.UnetFolder}: a network on disk, {@code config.json} and {@code
 *       diffusion_pytorch_model.safetensors};
 *   <li>{@link org.ddpm4j.unet.SameDiffFile}: a network as a graph for programs without this
 *       library.
 * </ul>
 */
package org.ddpm4j.unet;

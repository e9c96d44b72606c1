/**
 * The architectures: a {@link org.ddpm4j.unet.model.UnetConfig} is a validated record that builds
 * itself into a graph of {@link org.ddpm4j.unet.layers}.
 *
 * <ul>
 *   <li>{@link org.ddpm4j.unet.model.AnnotatedUnet}, {@link org.ddpm4j.unet.model.TutorialUnet} and
 *       {@link org.ddpm4j.unet.model.MinimalUnet}: networks of well-known tutorials;
 *   <li>{@link org.ddpm4j.unet.model.Unet2D}: diffusers' {@code UNet2DModel}.
 * </ul>
 */
package org.ddpm4j.unet.model;

/**
 * Editing images with a model that was trained to draw them, and with nothing else: filling in what
 * is missing, drawing anew from a sketch, coming back from an image to its noise, and going from
 * one image to another.
 *
 * <ul>
 *   <li>{@link org.ddpm4j.diffusion.editing.RepaintSampler} inpaints: RePaint, Lugmayr et al. 2022.
 *   <li>{@link org.ddpm4j.diffusion.editing.ImageToImageSampler} adds noise to an image and takes
 *       it away again: SDEdit, Meng et al. 2022.
 *   <li>{@link org.ddpm4j.diffusion.editing.DdimInversion} encodes an image as noise: Song et al.
 *       2021.
 *   <li>{@link org.ddpm4j.diffusion.editing.Interpolation} lies between two noises or noisy images:
 *       Song et al. 2021, Ho et al. 2020.
 * </ul>
 *
 * <p>Both samplers are {@link org.ddpm4j.diffusion.sampling.Sampler}s of certain images, so that
 * whatever draws images can edit them, too. A {@linkplain org.ddpm4j.diffusion.sampling.PathSampler
 * path} is what a run follows from its first noise level to images; a latent is the noise that
 * stands for an image, <code>x_T</code>.
 */
package org.ddpm4j.diffusion.editing;

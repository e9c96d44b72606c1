/**
 * Images as numbers and as pictures: the scale between pixels and what a model sees ({@link
 * org.ddpm4j.diffusion.image.Normalization}), and grids and animations as files that anything opens
 * ({@link org.ddpm4j.diffusion.image.Images}).
 */
package org.ddpm4j.diffusion.image;

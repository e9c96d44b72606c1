/** Pictures of tensors: grids and animations of images, as files that anything opens. */
package org.ddpm4j.diffusion.image;

/**
 * A trained model as a whole: {@link org.ddpm4j.diffusion.model.DiffusionModel}, read from the
 * folder of a run, of a diffusers pipeline or from this library, and used to draw.
 */
package org.ddpm4j.diffusion.model;

/**
 * Checkpoints of lucidrains' trainer, of the Python package {@code denoising-diffusion-pytorch}.
 * The glossary is that of {@link org.ddpm4j.diffusion}; {@code objective} is his word for what a
 * network predicts, our {@link org.ddpm4j.diffusion.Parameterization}.
 */
package org.ddpm4j.diffusion.lucidrains;

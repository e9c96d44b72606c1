/**
 * Classifier-free guidance: drawing samples further towards their class than the model of the class
 * alone does (Ho and Salimans 2022, "Classifier-Free Diffusion Guidance"). The network is asked
 * twice, for the class and for none, and the difference of its answers is enlarged.
 *
 * <p>{@link org.ddpm4j.diffusion.guidance.Guidance} is the arithmetic and its numbers, {@link
 * org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance} the model that samplers ask. The null class
 * ∅ is the label that stands for none. The scale s counts as in Imagen and diffusers ({@code
 * guidance_scale}): 1 is no guidance. The w of Ho and Salimans is {@code s - 1}.
 */
package org.ddpm4j.diffusion.guidance;

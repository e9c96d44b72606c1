/**
 * The folder of a training run: what was trained on what and how ({@link
 * org.ddpm4j.diffusion.run.RunConfig}), and where its files lie ({@link
 * org.ddpm4j.diffusion.run.RunFolder}).
 */
package org.ddpm4j.diffusion.run;

/**
 * The folder of a training run: what was trained on what and how ({@link
 * org.ddpm4j.diffusion.run.RunConfig}), and where its files lie ({@link
 * org.ddpm4j.diffusion.run.RunFolder}). Schedules and samplers by name ({@link
 * org.ddpm4j.diffusion.config.ScheduleConfig}, {@link org.ddpm4j.diffusion.config.SamplerConfig}).
 */
package org.ddpm4j.diffusion.run;

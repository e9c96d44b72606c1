/**
 * Schedules and samplers by name, as files and command lines give them: {@link
 * org.ddpm4j.diffusion.config.ScheduleConfig} and {@link
 * org.ddpm4j.diffusion.config.SamplerConfig}, records that check themselves and make the object
 * they describe.
 */
package org.ddpm4j.diffusion.config;

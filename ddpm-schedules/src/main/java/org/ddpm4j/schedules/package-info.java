/**
 * Noise schedules: how much noise each step of the diffusion adds, and every constant that follows.
 *
 * <p>A {@link org.ddpm4j.schedules.BetaSchedule} is a formula for β_t, a {@link
 * org.ddpm4j.schedules.NoiseSchedule} is the finished table for T timesteps, a {@link
 * org.ddpm4j.schedules.RespacedSchedule} is the table of a shorter chain over some of its
 * timesteps, and a {@link org.ddpm4j.schedules.ScheduleReport} is what the {@link
 * org.ddpm4j.schedules.ScheduleDoctor} thinks of it. All are immutable, compute in double precision
 * and know nothing of networks; values are cast once, where they enter a graph ({@link
 * org.ddpm4j.schedules.NoiseSchedule#extract}).
 *
 * <p>Timesteps are zero-based, 0..T-1. The papers count from 1, so that their β_1 is {@code
 * betas(0)} here and their x_T is the state after timestep T-1. In the table below, prev stands for
 * the timestep before t.
 *
 * <table>
 * <caption>Glossary: symbol, name, first source</caption>
 * <tr><th>Symbol</th><th>Name</th><th>Source</th></tr>
 * <tr><td>T</td><td>{@code timesteps}</td><td>Ho et al. 2020, section 2</td></tr>
 * <tr><td>β_t</td><td>{@code betas}</td><td>Ho et al. 2020, eq. 2</td></tr>
 * <tr><td>α_t = 1 - β_t</td><td>{@code alphas}</td><td>Ho et al. 2020, eq. 4</td></tr>
 * <tr><td>ᾱ_t = α_0·…·α_t</td><td>{@code alphasCumprod}</td><td>Ho et al. 2020, eq. 4</td></tr>
 * <tr><td>ᾱ_prev, 1 at t = 0</td><td>{@code alphasCumprodPrev}</td><td>Ho et al. 2020, eq. 7</td>
 * </tr>
 * <tr><td>β̃_t</td><td>{@code posteriorVariance}</td><td>Ho et al. 2020, eq. 7</td></tr>
 * <tr><td>σ_t = √β̃_t</td><td>{@code posteriorStandardDeviation}</td>
 * <td>Ho et al. 2020, algorithm 2</td></tr>
 * <tr><td>factors of x_0 and x_t in μ̃_t</td>
 * <td>{@code posteriorMeanCoef1}, {@code posteriorMeanCoef2}</td>
 * <td>Ho et al. 2020, eq. 7</td></tr>
 * <tr><td>ᾱ_t / (1 - ᾱ_t)</td><td>{@code snr}</td><td>Kingma et al. 2021, eq. 2</td></tr>
 * <tr><td>log SNR</td><td>{@code logSnr}</td><td>Kingma et al. 2021, section 3.2</td></tr>
 * <tr><td>ᾱ_T = 0</td><td>{@code hasZeroTerminalSnr}</td><td>Lin et al. 2024, section 3.1</td></tr>
 * <tr><td>L_T</td><td>{@code ScheduleReport.klBitsPerDim}</td><td>Ho et al. 2020, eq. 5</td></tr>
 * <tr><td>f(t), s</td><td>{@code CosineSchedule}</td><td>Nichol &amp; Dhariwal 2021, eq. 17</td>
 * </tr>
 * <tr><td>S</td><td>{@code RespacedSchedule.timesteps}</td>
 * <td>Nichol &amp; Dhariwal 2021, section 4</td></tr>
 * </table>
 *
 * <p>The papers: Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020; Nichol
 * and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", ICML 2021; Kingma, Salimans,
 * Poole, Ho, "Variational Diffusion Models", NeurIPS 2021; Sohl-Dickstein, Weiss, Maheswaranathan,
 * Ganguli, "Deep Unsupervised Learning using Nonequilibrium Thermodynamics", ICML 2015; Rombach,
 * Blattmann, Lorenz, Esser, Ommer, "High-Resolution Image Synthesis with Latent Diffusion Models",
 * CVPR 2022; Xu, Yu, Song, Shi, Ermon, Tang, "GeoDiff", ICLR 2022; Lin, Liu, Li, Yang, "Common
 * Diffusion Noise Schedules and Sample Steps are Flawed", WACV 2024.
 */
package org.ddpm4j.schedules;

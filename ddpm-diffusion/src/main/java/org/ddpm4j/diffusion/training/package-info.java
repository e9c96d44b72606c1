/**
 * Training: {@link org.ddpm4j.diffusion.training.Trainer} minimises the simple loss (Ho et al.
 * 2020, algorithm 1) with AdamW and keeps a moving average of the weights. Step s of a run is a
 * function of the run's configuration, its data and s, and all of its state goes into a {@link
 * org.ddpm4j.diffusion.training.Checkpoint}, so that an interrupted run ends where an uninterrupted
 * one would have, bit for bit.
 */
package org.ddpm4j.diffusion.training;

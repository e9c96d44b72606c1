package org.ddpm4j.diffusion.sampling;

/** Whom to follow where diffusers does something else than the papers. */
public enum Convention {
  /** The papers: the default. */
  PAPER,
  /** diffusers, so that a model that was tuned with it draws the same pictures. */
  DIFFUSERS
}

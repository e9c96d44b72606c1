package org.ddpm4j.unet.layers;

/** Which {@link Layers} a network is built of. */
public enum LayersChoice {
  /** Fused where they run and the network computes in FLOAT, reference elsewhere. */
  AUTO,
  /** {@link FusedLayers}, in compiled plans. */
  FUSED,
  /** {@link ReferenceLayers}, by SameDiff. */
  REFERENCE
}

package org.ddpm4j.data;

/** What becomes of the images at the end of an epoch that do not fill a batch. */
public enum LastBatch {
  /** They make a smaller batch, so that each epoch visits each image exactly once. */
  KEEP,
  /** They are left out of that epoch, so that every batch has the same shape. */
  DROP
}

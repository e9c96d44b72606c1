package org.ddpm4j.data;

/** Whether a data set may be downloaded. */
public enum Network {
  /** What is on no disk is downloaded into the cache. */
  ALLOWED,
  /** No connection is made. */
  FORBIDDEN
}

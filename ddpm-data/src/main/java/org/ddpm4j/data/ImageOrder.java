package org.ddpm4j.data;

/** The order in which an epoch visits the images of a data set. */
public enum ImageOrder {
  /** At random, in each epoch another. */
  SHUFFLED,
  /** Their own, in every epoch. */
  STORED
}

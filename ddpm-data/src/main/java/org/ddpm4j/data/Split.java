package org.ddpm4j.data;

/** The two parts in which a data set is published. */
public enum Split {
  /** The images to train on. */
  TRAIN("training"),
  /** The images kept apart for measuring. */
  TEST("test");

  private final String adjective;

  Split(String adjective) {
    this.adjective = adjective;
  }

  /** As a sentence says it: "training" images, "test" images. */
  String adjective() {
    return adjective;
  }
}

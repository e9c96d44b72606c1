package org.ddpm4j.data;

/** What becomes of image files that cannot be read. */
public enum CorruptFiles {
  /** One of them is enough to read nothing; the message names the first and says how many. */
  REFUSE,
  /** They are left out, and {@link LoadedImages#skipped()} lists them. */
  SKIP
}

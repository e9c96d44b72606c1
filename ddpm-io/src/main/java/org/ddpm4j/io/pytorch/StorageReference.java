package org.ddpm4j.io.pytorch;

/**
 * Memory that tensors are views of.
 *
 * @param dtype in whose elements its length is counted
 * @param key its name in the file
 * @param elements how many, at least 0
 */
record StorageReference(TorchDtype dtype, String key, long elements) {

  /** Its bytes, or -1 if they are more than any file has. */
  long bytes() {
    return elements > Long.MAX_VALUE / Long.BYTES ? -1 : elements * dtype.width();
  }
}

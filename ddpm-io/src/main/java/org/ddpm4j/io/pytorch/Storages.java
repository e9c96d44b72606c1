package org.ddpm4j.io.pytorch;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The bytes of the storages of one open file. */
interface Storages {

  /**
   * Checks that a storage is in the file and as long as it is said to be.
   *
   * @throws IOException with a sentence, if it is not
   */
  void check(StorageReference storage) throws IOException;

  /**
   * Reads a part of a checked storage.
   *
   * @param storage which one
   * @param first the first byte, within the storage
   * @param bytes filled whole
   */
  void read(StorageReference storage, long first, ByteBuffer bytes) throws IOException;

  void close() throws IOException;
}

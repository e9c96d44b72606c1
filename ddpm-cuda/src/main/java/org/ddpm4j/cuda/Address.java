package org.ddpm4j.cuda;

import org.bytedeco.javacpp.Pointer;

/** A pointer to an address of a card, as the presets of CUDA's libraries take it. */
final class Address extends Pointer {

  Address(long address) {
    this.address = address;
  }
}

package org.ddpm4j.io.hub;

import java.io.IOException;

/** The hub said no, in words that have become a sentence. */
final class HubException extends IOException {

  private static final long serialVersionUID = 1;

  HubException(String message) {
    super(message);
  }
}

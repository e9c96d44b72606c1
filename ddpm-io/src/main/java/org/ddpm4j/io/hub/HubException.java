package org.ddpm4j.io.hub;

import java.io.IOException;

/** The hub said no, or has no part in it, in words that have become a sentence. */
class HubException extends IOException {

  private static final long serialVersionUID = 1;

  HubException(String message) {
    super(message);
  }

  HubException(String message, Throwable cause) {
    super(message, cause);
  }
}

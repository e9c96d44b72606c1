package org.ddpm4j.io.hub;

/**
 * A model that is neither in the cache nor to be had of the hub: there is none of this name that
 * may be seen, or the hub may not or cannot be asked. The message is a sentence that says which.
 */
public final class NoSuchModelException extends HubException {

  private static final long serialVersionUID = 1;

  NoSuchModelException(String message) {
    super(message);
  }

  NoSuchModelException(String message, Throwable cause) {
    super(message, cause);
  }
}

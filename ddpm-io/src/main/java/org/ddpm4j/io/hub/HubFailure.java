package org.ddpm4j.io.hub;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;

/** What the JDK says of networks that do not work, in words. */
final class HubFailure {

  private HubFailure() {}

  static String reason(IOException e) {
    if (e.getCause() instanceof UnresolvedAddressException
        || (e.getCause() != null
            && e.getCause().getCause() instanceof UnresolvedAddressException)) {
      return "its name is not known here";
    }
    if (e instanceof HttpTimeoutException) {
      return "it does not answer";
    }
    if (e instanceof ConnectException) {
      return "no connection";
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}

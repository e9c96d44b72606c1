package org.ddpm4j.spark.exchange;

import java.util.Objects;

/**
 * Where a process listens.
 *
 * @param host by which others reach it
 * @param bindHost the address of this machine to listen at
 * @param port 0 for any that is free
 * @param retries how many further ports are tried, one after the other, if the port is taken
 */
public record Endpoint(String host, String bindHost, int port, int retries) {

  /** Checks that there are hosts. */
  public Endpoint {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(bindHost, "bindHost");
  }
}

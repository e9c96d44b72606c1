package org.ddpm4j.studio.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.ddpm4j.studio.drawing.QueueLimits;

/**
 * Where a service listens, and to whom.
 *
 * @param host address to listen at
 * @param port to listen at, 0 for any that is free
 * @param token that clients must know, if any
 * @param beyondLoopback whether a token is needed where others can reach the service
 * @param hostNames further names by which it may be asked for
 * @param queue what it takes on
 * @param connections open at one time, at least 1
 * @param grace for what is being drawn when the service ends
 */
public record ServerOptions(
    String host,
    int port,
    Optional<String> token,
    BeyondLoopback beyondLoopback,
    List<String> hostNames,
    QueueLimits queue,
    int connections,
    Duration grace) {

  /** The port unless another is chosen. */
  public static final int DEFAULT_PORT = 7860;

  /** The greatest number of a port. */
  public static final int LAST_PORT = 65535;

  /** The address unless another is chosen: for this machine alone. */
  public static final String LOOPBACK = "127.0.0.1";

  /** Connections unless told otherwise. */
  public static final int DEFAULT_CONNECTIONS = 512;

  /** Seconds of grace unless told otherwise. */
  public static final int DEFAULT_GRACE_SECONDS = 10;

  /** Who may use a service that other machines can reach. */
  public enum BeyondLoopback {
    /** Who knows the token, without which the service does not begin. */
    TOKEN,
    /** Anybody. */
    OPEN
  }

  /**
   * Checks what goes together.
   *
   * @throws IllegalArgumentException if the address is none, a number is out of its range, or
   *     others could use the service without a token
   */
  public ServerOptions {
    Objects.requireNonNull(beyondLoopback, "beyondLoopback");
    Objects.requireNonNull(queue, "queue");
    hostNames = List.copyOf(hostNames);
    if (port < 0 || port > LAST_PORT) {
      throw new IllegalArgumentException(
          Text.format("There is no port %d; ports are 0 to %d.", port, LAST_PORT));
    }
    if (connections < 1) {
      throw new IllegalArgumentException(
          Text.format("%d connections serve nobody; there must be at least 1.", connections));
    }
    if (token.isPresent() && token.get().length() < 16) {
      throw new IllegalArgumentException(
          "The token has fewer than 16 characters and could be guessed; take a longer one, as of 'openssl rand -hex 16'.");
    }
    if (token.isPresent() && !token.get().chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException(
          "The token has a space or another character that clients cannot send; take letters and digits, as of 'openssl rand -hex 16'.");
    }
    if (token.isEmpty() && beyondLoopback == BeyondLoopback.TOKEN && !isLoopback(host)) {
      throw new IllegalArgumentException(
          Text.format(
              "At %s others can reach the service; give it a token, or say by BeyondLoopback.OPEN that anybody may use it.",
              host));
    }
  }

  /**
   * At the loopback address, for this machine alone, with the usual limits.
   *
   * @param port to listen at, 0 for any that is free
   * @return the options
   */
  public static ServerOptions loopback(int port) {
    return new ServerOptions(
        LOOPBACK,
        port,
        Optional.empty(),
        BeyondLoopback.TOKEN,
        List.of(),
        QueueLimits.DEFAULT,
        DEFAULT_CONNECTIONS,
        Duration.ofSeconds(DEFAULT_GRACE_SECONDS));
  }

  /**
   * With other limits.
   *
   * @param newQueue what it takes on
   * @return new options
   */
  public ServerOptions withQueue(QueueLimits newQueue) {
    return new ServerOptions(
        host, port, token, beyondLoopback, hostNames, newQueue, connections, grace);
  }

  /**
   * With another grace.
   *
   * @param newGrace for what is being drawn when the service ends
   * @return new options
   */
  public ServerOptions withGrace(Duration newGrace) {
    return new ServerOptions(
        host, port, token, beyondLoopback, hostNames, queue, connections, newGrace);
  }

  /**
   * With a token.
   *
   * @param newToken that clients must know
   * @return new options
   */
  public ServerOptions withToken(String newToken) {
    return new ServerOptions(
        host, port, Optional.of(newToken), beyondLoopback, hostNames, queue, connections, grace);
  }

  /**
   * Whether an address is for this machine alone.
   *
   * @param host the address
   * @return false where others may reach it
   * @throws IllegalArgumentException if there is no such address
   */
  public static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          Text.format("There is no address %s; give one of this machine.", host), e);
    }
  }
}

package org.ddpm4j.spark.exchange;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Optional;
import org.ddpm4j.io.Text;

/**
 * A connection that carries messages. Each says first what it is and how long, which is compared
 * with what is expected before anything of it is taken. One thread at a time may send and one
 * receive.
 */
final class Link implements Closeable {

  /** What messages are. */
  enum Kind {
    /** From a task that connects: who it is. */
    INTRODUCTION,
    /** To a task: the size of everything, and where the others are. */
    PEERS,
    /** From a task that can compute. */
    READY,
    /** To a task: what is to be done in a step. */
    ORDER,
    /** A slice of the weights, numbered by the rank that it belongs to. */
    WEIGHTS,
    /** A slice of a gradient, numbered by its shard. */
    GRADIENT,
    /** From a task: what it says of a step. */
    ANSWER,
    /** A slice of the sum, numbered by the rank that it belongs to. */
    SUM,
    /** From a task: what it failed of. */
    FAILURE
  }

  /** A small message, of whatever kind. */
  record Message(Kind kind, byte[] bytes) {}

  /** More than this is no small message: the losses of 800,000 images. */
  static final int MOST_BYTES = 1 << 24;

  private static final int CONNECT_MILLIS = 10_000;
  private static final int HEADER_BYTES = 16;

  private record Header(int kind, int number, long bytes) {}

  private final SocketChannel channel;
  private final String peer;

  /**
   * A connection over which the token has come.
   *
   * @param peer who is at the other end, as a sentence begins
   */
  Link(SocketChannel channel, String peer) throws IOException {
    this.channel = channel;
    this.peer = peer;
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
  }

  /** Connects, and shows the token before anything else. */
  static Link connect(String host, int port, byte[] token, String peer) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.socket().connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      Link link = new Link(channel, peer);
      link.write(ByteBuffer.wrap(token));
      return link;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw new IOException(
          Text.format(
              "%s cannot be reached at %s:%d (%s); executors connect to their driver and to each other, let nothing stand between.",
              peer, host, port, e),
          e);
    }
  }

  void send(Kind kind, int number, ByteBuffer bytes) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header.putInt(kind.ordinal()).putInt(number).putLong(bytes.remaining()).flip();
    write(header, bytes);
  }

  void send(Kind kind, byte[] bytes) throws IOException {
    send(kind, 0, ByteBuffer.wrap(bytes));
  }

  private void write(ByteBuffer... all) throws IOException {
    while (all[all.length - 1].hasRemaining() || all[0].hasRemaining()) {
      channel.write(all);
    }
  }

  /** Receives a message that must be just this one. */
  void receive(Kind kind, int number, ByteBuffer into) throws IOException {
    Header header = header().orElseThrow(this::gone);
    if (header.kind != kind.ordinal()
        || header.number != number
        || header.bytes != into.remaining()) {
      throw unexpected(header, into.remaining() + " bytes as " + kind + " " + number);
    }
    read(into);
  }

  /** Receives a small message of one of these kinds; empty if the connection was closed before. */
  Optional<Message> receive(Kind... kinds) throws IOException {
    Optional<Header> header = header();
    if (header.isEmpty()) {
      return Optional.empty();
    }
    Header found = header.get();
    Optional<Kind> kind =
        Arrays.stream(kinds).filter(one -> one.ordinal() == found.kind).findFirst();
    if (kind.isEmpty() || found.bytes < 0 || found.bytes > MOST_BYTES) {
      throw unexpected(found, "at most " + MOST_BYTES + " bytes of kind " + Arrays.toString(kinds));
    }
    byte[] bytes = new byte[(int) found.bytes];
    read(ByteBuffer.wrap(bytes));
    return Optional.of(new Message(kind.get(), bytes));
  }

  /** Receives a small message of one of these kinds, which must come. */
  Message require(Kind... kinds) throws IOException {
    return receive(kinds).orElseThrow(this::gone);
  }

  private Optional<Header> header() throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    if (channel.read(header) < 0) {
      return Optional.empty();
    }
    read(header);
    header.flip();
    return Optional.of(new Header(header.getInt(), header.getInt(), header.getLong()));
  }

  private void read(ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (channel.read(into) < 0) {
        throw gone();
      }
    }
  }

  private EOFException gone() {
    return new EOFException(peer + " has closed its connection.");
  }

  private IOException unexpected(Header found, String expected) {
    return new IOException(
        Text.format(
            "%s sent %d byte(s) as %s %d; expected %s.",
            peer,
            found.bytes,
            found.kind >= 0 && found.kind < Kind.values().length
                ? Kind.values()[found.kind]
                : found.kind,
            found.number,
            expected));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

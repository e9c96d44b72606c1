package org.ddpm4j.spark.exchange;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import org.ddpm4j.io.Text;

/** Listens for the other processes of a job, and lets in who shows its token at once. */
final class LinkServer implements Closeable {

  private static final int BACKLOG = 1024;
  private static final long TOKEN_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final ServerSocketChannel server;
  private final byte[] token;

  /** Who has connected and has not shown the token yet; null if there is nobody. */
  private volatile SocketChannel stranger;

  /** Who was let in. */
  record Arrival(Introduction introduction, Link link) {}

  private LinkServer(ServerSocketChannel server, byte[] token) {
    this.server = server;
    this.token = token;
  }

  /**
   * Listens.
   *
   * @throws IOException if none of the ports is free
   */
  static LinkServer listen(Endpoint endpoint, byte[] token) throws IOException {
    for (int retry = 0; ; retry++) {
      int port = endpoint.port() == 0 ? 0 : endpoint.port() + retry;
      ServerSocketChannel server = ServerSocketChannel.open();
      try {
        server.bind(new InetSocketAddress(endpoint.bindHost(), port), BACKLOG);
        return new LinkServer(server, token);
      } catch (IOException | RuntimeException e) {
        server.close();
        if (!(e instanceof BindException) || port == 0 || retry >= endpoint.retries()) {
          throw new IOException(
              Text.format(
                  "Nothing can be received at %s:%d (%s); choose another port, or 0 for any.",
                  endpoint.bindHost(), port, e),
              e);
        }
      }
    }
  }

  int port() throws IOException {
    return ((InetSocketAddress) server.getLocalAddress()).getPort();
  }

  /** Waits for the next that belongs to the job. */
  Arrival accept() throws IOException {
    while (true) {
      SocketChannel channel = server.accept();
      stranger = channel;
      try {
        requireToken(channel);
        stranger = null;
        Link link = new Link(channel, "A task");
        byte[] said = link.require(Link.Kind.INTRODUCTION).bytes();
        Introduction introduction =
            Introduction.read(new DataInputStream(new ByteArrayInputStream(said)));
        return new Arrival(introduction, new Link(channel, "Task " + introduction.rank()));
      } catch (IOException e) {
        // Somebody else's, or of a task that has died: it ends here, and the job does not.
        channel.close();
      }
    }
  }

  private void requireToken(SocketChannel channel) throws IOException {
    byte[] shown = new byte[token.length];
    long deadline = System.nanoTime() + TOKEN_NANOS;
    InputStream in = channel.socket().getInputStream();
    for (int found = 0; found < shown.length; ) {
      long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (millis <= 0) {
        throw new SocketTimeoutException();
      }
      channel.socket().setSoTimeout((int) millis);
      int more = in.read(shown, found, shown.length - found);
      if (more < 0) {
        throw new EOFException();
      }
      found += more;
    }
    if (!MessageDigest.isEqual(shown, token)) {
      throw new IOException("The token is another.");
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    SocketChannel waiting = stranger;
    if (waiting != null) {
      waiting.close();
    }
  }
}

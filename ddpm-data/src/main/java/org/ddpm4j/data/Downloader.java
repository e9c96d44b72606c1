package org.ddpm4j.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.ddpm4j.io.Text;

/**
 * Fetches files over http or https, and gives up on a connection that stays silent. A slow one may
 * take as long as it needs.
 */
final class Downloader {

  /** More than twice the largest published file; an answer that goes on longer is cut off. */
  static final int MAX_BYTES = 64 << 20;

  private static final int OK = 200;

  private final HttpClient client;
  private final Duration connectTimeout;
  private final Duration stallTimeout;

  Downloader(Duration connectTimeout, Duration stallTimeout) {
    this.connectTimeout = connectTimeout;
    this.stallTimeout = stallTimeout;
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(connectTimeout)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
  }

  /**
   * The body of an answer.
   *
   * @throws InterruptedIOException if the thread is interrupted meanwhile
   * @throws IOException if there is no connection, no answer with status 200, or no end of it
   */
  byte[] get(URI address) throws IOException {
    AtomicLong received = new AtomicLong();
    CompletableFuture<HttpResponse<byte[]>> exchange =
        client.sendAsync(
            HttpRequest.newBuilder(address).GET().build(), answer -> new Body(received));
    try {
      HttpResponse<byte[]> response = await(exchange, address, received);
      if (response.statusCode() != OK) {
        throw new IOException(
            address + " answered with status " + response.statusCode() + ", expected 200.");
      }
      return response.body();
    } catch (ExecutionException e) {
      throw explained(address, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException stopped = new InterruptedIOException(address + " was interrupted.");
      stopped.initCause(e);
      throw stopped;
    } finally {
      exchange.cancel(true);
    }
  }

  private HttpResponse<byte[]> await(
      CompletableFuture<HttpResponse<byte[]>> exchange, URI address, AtomicLong received)
      throws IOException, ExecutionException, InterruptedException {
    long seen = 0;
    while (true) {
      try {
        return exchange.get(stallTimeout.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        long now = received.get();
        if (now == seen) {
          throw new IOException(
              Text.format(
                  "%s has sent nothing for %s after %d byte(s).",
                  address, seconds(stallTimeout), now),
              e);
        }
        seen = now;
      }
    }
  }

  private IOException explained(URI address, Throwable cause) {
    String host = address.getHost();
    if (cause instanceof HttpConnectTimeoutException) {
      return new IOException(
          host + " did not answer within " + seconds(connectTimeout) + ".", cause);
    }
    if (cause instanceof ConnectException) {
      return new IOException("There is no connection to " + host + ".", cause);
    }
    String detail =
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    return new IOException(address + " could not be read: " + detail + ".", cause);
  }

  private static String seconds(Duration duration) {
    return duration.toMillis() / 1000.0 + " s";
  }

  /** Collects a body of limited length, and counts what has come. */
  private static final class Body implements BodySubscriber<byte[]> {

    private final AtomicLong received;
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private Flow.Subscription subscription;

    Body(AtomicLong received) {
      this.received = received;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
      return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription newSubscription) {
      subscription = newSubscription;
      subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        if (received.addAndGet(buffer.remaining()) > MAX_BYTES) {
          subscription.cancel();
          body.completeExceptionally(
              new IOException("it is longer than " + (MAX_BYTES >> 20) + " MiB"));
          return;
        }
        byte[] chunk = new byte[buffer.remaining()];
        buffer.get(chunk);
        collected.writeBytes(chunk);
      }
      subscription.request(1);
    }

    @Override
    public void onError(Throwable error) {
      body.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
      body.complete(collected.toByteArray());
    }
  }
}

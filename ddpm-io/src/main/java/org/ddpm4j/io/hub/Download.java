package org.ddpm4j.io.hub;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.HubClient.RemoteFile;

/** One file on its way into the cache. */
final class Download {

  private static final int BLOCK_BYTES = 1 << 16;

  /** In a row, without a byte in between. */
  private static final int MAX_FAILURES = 5;

  private static final long PAUSE_MILLIS = 200;

  private final HubClient client;
  private final HubName name;
  private final String file;
  private final RemoteFile remote;
  private final Duration stall;
  private final HubListener listener;

  Download(
      HubClient client,
      HubName name,
      String file,
      RemoteFile remote,
      Duration stall,
      HubListener listener) {
    this.client = client;
    this.name = name;
    this.file = file;
    this.remote = remote;
    this.stall = stall;
    this.listener = listener;
  }

  /**
   * Downloads, or goes on with what an earlier download left.
   *
   * @param blob where the content is to be
   */
  void to(Path blob) throws IOException {
    // Not Python's name: its locks are of another kind, so that both could be writing to one file.
    Path part = blob.resolveSibling(blob.getFileName() + ".ddpm4j.incomplete");
    complete(part);
    Optional<String> hash = ContentHash.like(remote.etag(), part);
    if (hash.isPresent() && !hash.get().equals(remote.etag())) {
      Files.deleteIfExists(part);
      throw new HubException(
          Text.format(
              "%s of %s has come damaged: its hash is %s, and the hub says %s; try again.",
              ForeignText.quoted(file), name, hash.get(), remote.etag()));
    }
    try {
      Files.move(part, blob, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw FileFailure.unwritable(blob, e);
    }
  }

  private void complete(Path part) throws IOException {
    long done = Files.exists(part) ? Files.size(part) : 0;
    if (done > remote.size()) {
      Files.delete(part);
      done = 0;
    }
    if (done == 0 && !Files.exists(part)) {
      try {
        Files.createFile(part);
      } catch (IOException e) {
        throw FileFailure.unwritable(part, e);
      }
    }
    IOException last = null;
    for (int failures = 0; done < remote.size(); ) {
      if (failures == MAX_FAILURES) {
        throw unfinished(done, last);
      }
      try {
        more(part, done);
      } catch (HubException | InterruptedIOException | PartUnwritable e) {
        throw e;
      } catch (IOException e) {
        last = e;
      }
      long now = Files.size(part);
      failures = now > done ? 0 : failures + 1;
      done = now;
      if (done < remote.size()) {
        pause();
      }
    }
  }

  private IOException unfinished(long done, IOException cause) {
    return new IOException(
        Text.format(
            "The download of %s of %s broke off after %d of %d byte(s)%s; try again, it will go on from there.",
            ForeignText.quoted(file),
            name,
            done,
            remote.size(),
            cause == null ? "" : " (" + HubFailure.reason(cause) + ")"),
        cause);
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("The download was interrupted.");
    }
  }

  /** Appends what comes until the end, or until the connection breaks. */
  private void more(Path part, long done) throws IOException {
    HttpResponse<InputStream> response = client.download(name, file, remote.location(), done);
    // A server that knows no ranges sends everything.
    boolean isRest = response.statusCode() == 206 && startsAt(response, done);
    if (response.statusCode() == 416 || (response.statusCode() == 206 && !isRest)) {
      response.body().close();
      truncate(part);
      return;
    }
    var lastNanos = new AtomicLong(System.nanoTime());
    ScheduledExecutorService watch =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              var thread = new Thread(task, "ddpm4j-download-watch");
              thread.setDaemon(true);
              return thread;
            });
    try (InputStream in = response.body()) {
      long period = Math.max(10, stall.toMillis() / 4);
      watch.scheduleAtFixedRate(
          () -> {
            if (System.nanoTime() - lastNanos.get() > stall.toNanos()) {
              closeQuietly(in);
            }
          },
          period,
          period,
          TimeUnit.MILLISECONDS);
      append(in, part, isRest ? done : 0, lastNanos);
    } finally {
      watch.shutdownNow();
    }
  }

  private void append(InputStream in, Path part, long first, AtomicLong lastNanos)
      throws IOException {
    // Not a FileChannel: an interrupted thread cannot write to one.
    try (FileOutputStream out = new FileOutputStream(part.toFile(), first > 0)) {
      var block = new byte[BLOCK_BYTES];
      long position = first;
      for (int count = in.read(block); count >= 0; count = in.read(block)) {
        lastNanos.set(System.nanoTime());
        if (position + count > remote.size()) {
          throw new HubException(
              Text.format(
                  "More than the %d bytes of %s of %s came; try again.",
                  remote.size(), ForeignText.quoted(file), name));
        }
        write(out, block, count, part);
        position += count;
        listener.downloaded(file, position, remote.size());
        if (Thread.interrupted()) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("The download was interrupted.");
        }
      }
      out.getFD().sync();
    }
  }

  private static void write(FileOutputStream out, byte[] block, int count, Path part)
      throws PartUnwritable {
    try {
      out.write(block, 0, count);
    } catch (IOException e) {
      throw new PartUnwritable(FileFailure.unwritable(part, e));
    }
  }

  private static boolean startsAt(HttpResponse<?> response, long first) {
    return response
        .headers()
        .firstValue("Content-Range")
        .map(range -> range.startsWith("bytes " + first + "-"))
        .orElse(false);
  }

  private static void truncate(Path part) throws IOException {
    new FileOutputStream(part.toFile()).close();
  }

  private static void closeQuietly(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      // The thread that reads will notice.
    }
  }

  /** The disk's failure, which no second try mends. */
  private static final class PartUnwritable extends IOException {

    private static final long serialVersionUID = 1;

    PartUnwritable(IOException sentence) {
      super(sentence.getMessage(), sentence);
    }
  }
}

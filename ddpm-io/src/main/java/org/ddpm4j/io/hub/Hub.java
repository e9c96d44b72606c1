package org.ddpm4j.io.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.HubClient.RemoteFile;

/**
 * Models of the Hugging Face hub, by their names, through the cache that Python's {@code
 * huggingface_hub} keeps: what it has downloaded is not downloaded again, and it reads what is
 * downloaded here.
 *
 * <p>Downloads are of the files that are needed, go on where an earlier one broke off, and are
 * compared with the hash that the hub gives. Threads and processes may ask for one model at once:
 * one of them downloads a file, the others wait. Nothing of a file is executed, and no token is
 * sent to another server than the hub.
 */
public final class Hub {

  private static final Duration ANSWER = Duration.ofSeconds(30);

  /** The first line is the one of the Cache Directory Tagging Specification. */
  private static final String CACHE_TAG =
      """
      Signature: 8a477f597d28d172789f06886806bc55
      # The cache of the Hugging Face hub: what is here can be downloaded again.
      """;

  private static final SmallTextFile REF =
      new SmallTextFile(1 << 10, "reference of the hub's cache", "download the model again");

  private final HubSettings settings;
  private final HubListener listener;
  private final Duration patience;
  private final HubClient client;

  /**
   * A hub.
   *
   * @param settings where it is and where its files are kept
   * @param listener hears of downloads
   */
  public Hub(HubSettings settings, HubListener listener) {
    this(settings, listener, ANSWER);
  }

  /** With the time after which a server counts as silent, for tests. */
  Hub(HubSettings settings, HubListener listener, Duration patience) {
    this.settings = Objects.requireNonNull(settings, "settings");
    this.listener = Objects.requireNonNull(listener, "listener");
    this.patience = patience;
    this.client = new HubClient(settings, patience);
  }

  /**
   * The hub of the environment variables, without a listener.
   *
   * @return the hub, see {@link HubSettings#of}
   * @throws IOException if the file of the token cannot be read
   */
  public static Hub ofEnvironment() throws IOException {
    return new Hub(HubSettings.ofEnvironment(), HubListener.NONE);
  }

  /**
   * A model's folder in the cache, with the files that are needed. They are downloaded unless they
   * are there; offline, or where the hub cannot be reached, those that are there must do.
   *
   * @param name the model
   * @param selection which of its files are needed
   * @return the folder of a commit; not to be written to
   * @throws NoSuchModelException if there is no such model that may be seen, or neither the hub,
   *     which is not or cannot be asked, nor the cache has it
   * @throws IOException if there is no access to it, if it has not the files, or if the cache
   *     cannot be written; the message is a sentence
   */
  public Path snapshot(HubName name, HubSelection selection) throws IOException {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(selection, "selection");
    if (settings.offline()) {
      return cached(name, selection)
          .orElseThrow(
              () ->
                  new NoSuchModelException(
                      Text.format(
                          "The model %s is not in %s, and HF_HUB_OFFLINE forbids to download it; unset that, or copy the model there.",
                          name, settings.cache())));
    }
    if (name.isCommit() && isWhole(name, selection)) {
      return snapshots(name).resolve(name.revision());
    }
    try {
      return downloaded(name, selection);
    } catch (HubException | InterruptedIOException e) {
      throw e;
    } catch (NetworkFailure e) {
      Optional<Path> cached = isWhole(name, selection) ? cached(name, selection) : Optional.empty();
      return cached.orElseThrow(
          () ->
              new NoSuchModelException(
                  Text.format(
                      "%s cannot be reached (%s), and the model %s is not in %s; check the network, or set HF_ENDPOINT to a mirror.",
                      settings.endpoint(), HubFailure.reason(e.failure), name, settings.cache()),
                  e.failure));
    }
  }

  /** The commit of a revision as it was last seen. */
  private Optional<String> lastCommit(HubName name) throws IOException {
    if (name.isCommit()) {
      return Optional.of(name.revision());
    }
    Path ref = ref(name);
    return Files.isRegularFile(ref)
        ? Optional.of(REF.read(ref).strip()).filter(HubName::isCommit)
        : Optional.empty();
  }

  /** What the cache has, whether it is enough or not: the selection says what is missing. */
  private Optional<Path> cached(HubName name, HubSelection selection) throws IOException {
    Optional<Path> folder =
        lastCommit(name).map(snapshots(name)::resolve).filter(Files::isDirectory);
    if (folder.isPresent()) {
      selection.choose(files(folder.get()), folder.get());
    }
    return folder;
  }

  private boolean isWhole(HubName name, HubSelection selection) throws IOException {
    Optional<Path> folder =
        lastCommit(name).map(snapshots(name)::resolve).filter(Files::isDirectory);
    if (folder.isEmpty()) {
      return false;
    }
    List<String> files = files(folder.get());
    try {
      return files.containsAll(selection.choose(files, folder.get()));
    } catch (IOException e) {
      // Something is missing, which the hub may have.
      return false;
    }
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(Files::isRegularFile)
          .map(path -> folder.relativize(path).toString().replace('\\', '/'))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw FileFailure.unreadable(folder, e);
    }
  }

  private Path downloaded(HubName name, HubSelection selection) throws IOException {
    HubClient.Model model = network(() -> client.model(name));
    Path snapshot = snapshots(name).resolve(model.commit());
    // An index, once it is there, names others; it is never asked more often than there are files.
    for (int round = 0; round <= model.files().size(); round++) {
      List<String> missing =
          selection.choose(model.files(), snapshot).stream()
              .filter(file -> !Files.exists(snapshot.resolve(file)))
              .toList();
      if (missing.isEmpty()) {
        break;
      }
      for (String file : missing) {
        fetch(name, model.commit(), file, snapshot.resolve(file));
      }
    }
    if (!name.isCommit() && !lastCommit(name).equals(Optional.of(model.commit()))) {
      Folders.create(ref(name).getParent());
      AtomicFile.writeString(ref(name), model.commit());
    }
    return snapshot;
  }

  private void fetch(HubName name, String commit, String file, Path link) throws IOException {
    RemoteFile remote = network(() -> client.file(name, commit, file));
    Path repository = settings.cache().resolve(name.folder());
    Path blobs = repository.resolve("blobs");
    Path locks = settings.cache().resolve(".locks").resolve(name.folder());
    Folders.create(blobs);
    Folders.create(locks);
    tag();
    Folders.create(link.getParent());
    Path blob = blobs.resolve(remote.etag());
    try (FileLockWait lock = FileLockWait.lock(locks.resolve(remote.etag() + ".lock"))) {
      Objects.requireNonNull(lock);
      if (!Files.exists(blob)) {
        new Download(client, name, file, remote, patience, listener).to(blob);
      }
      link(link, blob);
    }
  }

  /** Tells backup programs that this is a cache. */
  private void tag() throws IOException {
    Path tag = settings.cache().resolve("CACHEDIR.TAG");
    if (!Files.exists(tag)) {
      AtomicFile.writeString(tag, CACHE_TAG);
    }
  }

  /** Relative, as Python's are, so that a cache can be moved. */
  private static void link(Path link, Path blob) throws IOException {
    try {
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    } catch (FileAlreadyExistsException e) {
      // Another process was here.
      return;
    } catch (IOException | UnsupportedOperationException e) {
      // Windows asks for a privilege; Python copies there, too.
      AtomicFile.write(link, out -> Files.copy(blob, out));
    }
  }

  private Path snapshots(HubName name) {
    return settings.cache().toAbsolutePath().resolve(name.folder()).resolve("snapshots");
  }

  private Path ref(HubName name) {
    return settings.cache().resolve(name.folder()).resolve("refs").resolve(name.revision());
  }

  @FunctionalInterface
  private interface Request<T> {
    T send() throws IOException;
  }

  /** A hub that cannot be reached is told from disks that cannot be written. */
  private static <T> T network(Request<T> request) throws IOException {
    try {
      return request.send();
    } catch (HubException | InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new NetworkFailure(e);
    }
  }

  private static final class NetworkFailure extends IOException {

    private static final long serialVersionUID = 1;

    private final IOException failure;

    NetworkFailure(IOException failure) {
      super(failure);
      this.failure = failure;
    }
  }
}

package org.ddpm4j.io.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.SmallTextFile;

/** What lies in the cache of the hub. The hub itself is not asked. */
public final class HubCache {

  private static final Pattern FOLDER = Pattern.compile("models--(.+?)--(.+)");

  private static final SmallTextFile REF =
      new SmallTextFile(1 << 10, "reference of the hub's cache", "download the model again");

  private HubCache() {}

  /**
   * A model of the cache.
   *
   * @param name of which the revision is a commit, whose files never change
   * @param snapshot the folder of that commit, in which files may be missing
   */
  public record Cached(HubName name, Path snapshot) {

    /** Checks that nothing is missing. */
    public Cached {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(snapshot, "snapshot");
    }
  }

  /**
   * All models, each with the commit that its branch {@value HubName#MAIN} had when it was last
   * asked for. Folders that are none, or whose reference is damaged, are left out.
   *
   * @param cache the folder, which need not exist
   * @return in the order of their names
   * @throws IOException if the folder cannot be read
   */
  public static List<Cached> models(Path cache) throws IOException {
    Objects.requireNonNull(cache, "cache");
    if (!Files.isDirectory(cache)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(cache)) {
      return folders
          .flatMap(folder -> model(folder).stream())
          .sorted(Comparator.comparing(cached -> cached.name().repository()))
          .toList();
    } catch (IOException e) {
      throw FileFailure.unreadable(cache, e);
    }
  }

  private static Optional<Cached> model(Path folder) {
    Matcher parts = FOLDER.matcher(folder.getFileName().toString());
    Path ref = folder.resolve("refs").resolve(HubName.MAIN);
    if (!parts.matches() || !Files.isRegularFile(ref)) {
      return Optional.empty();
    }
    try {
      HubName name = new HubName(parts.group(1), parts.group(2), REF.read(ref).strip());
      Path snapshot = folder.resolve("snapshots").resolve(name.revision());
      return name.isCommit() && Files.isDirectory(snapshot)
          ? Optional.of(new Cached(name, snapshot))
          : Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      // Somebody else's folder.
      return Optional.empty();
    }
  }
}

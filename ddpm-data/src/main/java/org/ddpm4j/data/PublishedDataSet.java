package org.ddpm4j.data;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data set of four IDX files, and the search for them.
 *
 * @param name what people call it
 * @param folder its folder in the cache, in the system's folder and on a mirror
 * @param subFolders where else its files may lie in such a folder, as torchvision's {@code
 *     MNIST/raw}
 * @param conventions how it names its files, and what is in them
 * @param address where it is published, ending in a slash
 * @param systemPackage the system package that installs it into {@code folder}, if there is one
 * @param bundledFolder the resource folder of its bundled subset, ending in a slash, if there is
 *     one
 * @param classNames the names of its classes
 * @param sha256 the {@link IdxFile#sha256()} of each published file, by its name without .gz; of
 *     none where they are not known, and then nothing is downloaded
 */
record PublishedDataSet(
    String name,
    String folder,
    List<String> subFolders,
    IdxConventions conventions,
    URI address,
    Optional<String> systemPackage,
    Optional<String> bundledFolder,
    List<String> classNames,
    Map<String, String> sha256) {

  private static final Logger LOG = LoggerFactory.getLogger(PublishedDataSet.class);
  private static final String GZIP = ".gz";
  private static final String DELETE = "Delete it, and it is downloaded again when needed.";
  private static final String REINSTALL = "Install the system package again.";

  /**
   * The images of one part, from the first source that has them.
   *
   * @throws IOException if the data folder lacks them, a source has a wrong file, or none has them
   */
  ImageDataSet load(Split split, DataSources sources) throws IOException {
    Objects.requireNonNull(split, "split");
    Objects.requireNonNull(sources, "sources");
    ImageDataSet loaded = search(split, sources);
    LOG.info("{}", loaded);
    return loaded;
  }

  private ImageDataSet search(Split split, DataSources sources) throws IOException {
    if (sources.dataFolder().isPresent()) {
      return fromDataFolder(split, sources.dataFolder().get());
    }
    Path cache = sources.cacheFolder().resolve(folder);
    Optional<Path> cached = withBoth(cache, split);
    if (cached.isPresent()) {
      return published(split, cached.get(), "the cache " + cached.get(), DELETE);
    }
    Optional<Path> installed = withBoth(sources.systemFolder().resolve(folder), split);
    if (installed.isPresent()) {
      String owner = systemPackage.map(p -> "the system package " + p).orElse("the system");
      return published(split, installed.get(), owner + " in " + installed.get(), REINSTALL);
    }
    Optional<String> obstacle = download(split, cache, sources);
    if (obstacle.isEmpty()) {
      String origin = "a download from " + base(sources) + ", kept in " + cache;
      return published(split, cache, origin, DELETE);
    }
    if (bundledFolder.isPresent()) {
      return bundled(split, bundledFolder.get(), obstacle.get());
    }
    throw new IOException(
        Text.format(
            "The %s images of %s are not on this machine, and %s; get %s.gz and %s.gz from %s and"
                + " put them into %s, or name the folder that holds them as data folder.",
            split.adjective(),
            name,
            obstacle.get(),
            conventions.imagesName(split),
            conventions.labelsName(split),
            base(sources),
            cache));
  }

  // ---- folders

  private ImageDataSet fromDataFolder(Split split, Path data) throws IOException {
    if (!Files.isDirectory(data)) {
      throw new IOException(
          "The data folder " + data + " does not exist or is not a folder; " + expected(split));
    }
    if (!Files.isReadable(data)) {
      throw new IOException(
          "The data folder " + data + " may not be read by this user; change its permissions.");
    }
    Optional<Path> holding = withBoth(data, split);
    if (holding.isEmpty()) {
      List<String> missing = new ArrayList<>();
      for (String file : names(split)) {
        if (find(data, file).isEmpty()) {
          missing.add(file + GZIP);
        }
      }
      String sentence =
          Text.format("The data folder %s lacks %s; ", data, String.join(" and ", missing));
      throw missing.size() == names(split).size()
          ? new NoSuchDataException(sentence + "put them there, with or without .gz.")
          : new IOException(sentence + expected(split));
    }
    // Not compared with the published files: a user's own images may come under these names.
    IdxFile images = IdxFile.read(find(holding.get(), conventions.imagesName(split)).orElseThrow());
    IdxFile labels = IdxFile.read(find(holding.get(), conventions.labelsName(split)).orElseThrow());
    return read(images, labels, split, "the folder " + holding.get());
  }

  private String expected(Split split) {
    return Text.format(
        "expected %s.gz and %s.gz, with or without .gz.",
        conventions.imagesName(split), conventions.labelsName(split));
  }

  private List<String> names(Split split) {
    return List.of(conventions.imagesName(split), conventions.labelsName(split));
  }

  /** The folder with both files: the given one, or one of those in it. */
  private Optional<Path> withBoth(Path directory, Split split) {
    return Stream.concat(Stream.of(directory), subFolders.stream().map(directory::resolve))
        .filter(place -> names(split).stream().allMatch(name -> find(place, name).isPresent()))
        .findFirst();
  }

  private static Optional<Path> find(Path directory, String file) {
    // Some copies of MNIST say train-images.idx3-ubyte.
    String dotted = file.replace("-idx", ".idx");
    for (String candidate : List.of(file, file + GZIP, dotted, dotted + GZIP)) {
      Path path = directory.resolve(candidate);
      if (Files.exists(path)) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }

  private ImageDataSet published(Split split, Path directory, String origin, String remedy)
      throws IOException {
    IdxFile images = publishedFile(directory, conventions.imagesName(split), remedy);
    IdxFile labels = publishedFile(directory, conventions.labelsName(split), remedy);
    return read(images, labels, split, origin);
  }

  private IdxFile publishedFile(Path directory, String file, String remedy) throws IOException {
    try {
      IdxFile content = IdxFile.read(find(directory, file).orElseThrow());
      requirePublished(content, file);
      return content;
    } catch (IOException e) {
      throw new IOException(e.getMessage() + " " + remedy, e);
    }
  }

  private void requirePublished(IdxFile content, String file) throws IOException {
    if (sha256.containsKey(file) && !content.sha256().equals(sha256.get(file))) {
      throw new IOException(
          Text.format(
              "%s is not %s of %s: its content has the SHA-256 %s, expected %s.",
              content.name(), file, name, content.sha256(), sha256.get(file)));
    }
  }

  private ImageDataSet read(IdxFile images, IdxFile labels, Split split, String origin)
      throws IOException {
    IdxFile shifted = labels.minus(conventions.firstLabel());
    try (IdxImageRecordReader reader = new IdxImageRecordReader(images, shifted, classNames)) {
      ImageDataSet read =
          ImageDataSet.read(
              reader, Text.format("%s %s images from %s", name, split.adjective(), origin));
      return switch (conventions.order()) {
        case ROW_BY_ROW -> read;
        case COLUMN_BY_COLUMN -> read.transposed();
      };
    }
  }

  // ---- the network

  private URI base(DataSources sources) {
    if (sources.mirror().isEmpty()) {
      return address;
    }
    String mirror = sources.mirror().get().toString();
    return URI.create(mirror + (mirror.endsWith("/") ? "" : "/") + folder + "/");
  }

  /** Brings what is missing into the cache; otherwise a clause saying why that was not possible. */
  private Optional<String> download(Split split, Path cache, DataSources sources)
      throws InterruptedIOException {
    if (sources.network() == Network.FORBIDDEN) {
      return Optional.of("downloads are switched off");
    }
    if (sha256.isEmpty()) {
      return Optional.of("they are not downloaded by themselves");
    }
    try {
      Downloader downloader = new Downloader(sources.connectTimeout(), sources.stallTimeout());
      for (String file : names(split)) {
        if (find(cache, file).isEmpty()) {
          URI from = base(sources).resolve(file + GZIP);
          LOG.info("downloading {}", from);
          byte[] bytes = downloader.get(from);
          requirePublished(IdxFile.read(new ByteArrayInputStream(bytes), from.toString()), file);
          Folders.create(cache);
          AtomicFile.writeBytes(cache.resolve(file + GZIP), bytes);
        }
      }
      return Optional.empty();
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      LOG.debug("download of {}", name, e);
      String reason = e.getMessage().replaceFirst("\\.$", "");
      return Optional.of("the download failed: " + reason);
    }
  }

  // ---- the bundled subset

  private ImageDataSet bundled(Split split, String resources, String obstacle) throws IOException {
    IdxFile images = resource(resources + conventions.imagesName(split) + GZIP);
    IdxFile labels = resource(resources + conventions.labelsName(split) + GZIP);
    String origin =
        Text.format(
            "the bundled subset of %,d; the whole data set is not on this machine, and %s",
            images.size(0), obstacle);
    return read(images, labels, split, origin);
  }

  private static IdxFile resource(String resource) throws IOException {
    try (InputStream stream = PublishedDataSet.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new IllegalStateException("The library lacks its resource " + resource + ".");
      }
      return IdxFile.read(stream, "the bundled " + resource);
    }
  }
}

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
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data set of four IDX files under MNIST's file names, and the search for them.
 *
 * @param name what people call it
 * @param folder its folder in the cache, in the system's folder and on a mirror
 * @param address where it is published, ending in a slash
 * @param systemPackage the system package that installs it into {@code folder}, if there is one
 * @param bundledFolder the resource folder of its bundled subset, ending in a slash, if there is
 *     one
 * @param classNames the names of its classes
 * @param sha256 the {@link IdxFile#sha256()} of each published file, by its name without .gz
 */
record PublishedDataSet(
    String name,
    String folder,
    URI address,
    Optional<String> systemPackage,
    Optional<String> bundledFolder,
    List<String> classNames,
    Map<String, String> sha256) {

  private static final Logger LOG = LoggerFactory.getLogger(PublishedDataSet.class);
  private static final String GZIP = ".gz";
  private static final String DELETE = "Delete it, and it is downloaded again when needed.";
  private static final String REINSTALL = "Install the system package again.";

  /** The name, without .gz, of the file of images. */
  static String imagesName(Split split) {
    return prefix(split) + "-images-idx3-ubyte";
  }

  /** The name, without .gz, of the file of labels. */
  static String labelsName(Split split) {
    return prefix(split) + "-labels-idx1-ubyte";
  }

  private static String prefix(Split split) {
    return switch (split) {
      case TRAIN -> "train";
      case TEST -> "t10k";
    };
  }

  /**
   * The images of one part, from the first source that has them.
   *
   * @throws IOException if the data folder lacks them, a source has a wrong file, or none has them
   */
  ImageDataSet load(Split split, DataSources sources) throws IOException {
    ImageDataSet loaded = search(split, sources);
    LOG.info("{}", loaded);
    return loaded;
  }

  private ImageDataSet search(Split split, DataSources sources) throws IOException {
    if (sources.dataFolder().isPresent()) {
      return fromDataFolder(split, sources.dataFolder().get());
    }
    Path cache = sources.cacheFolder().resolve(folder);
    if (hasBoth(cache, split)) {
      return published(split, cache, "the cache " + cache, DELETE);
    }
    Path system = sources.systemFolder().resolve(folder);
    if (hasBoth(system, split)) {
      String owner = systemPackage.map(p -> "the system package " + p).orElse("the system");
      return published(split, system, owner + " (" + system + ")", REINSTALL);
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
        String.format(
            "The %s images of %s are not on this machine, and %s; get %s.gz and %s.gz from %s and"
                + " put them into %s, or name the folder that holds them as data folder.",
            split.adjective(),
            name,
            obstacle.get(),
            imagesName(split),
            labelsName(split),
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
      throw new IOException("The data folder " + data + " cannot be read: permission denied.");
    }
    List<String> missing = new ArrayList<>();
    for (String file : List.of(imagesName(split), labelsName(split))) {
      if (find(data, file).isEmpty()) {
        missing.add(file + GZIP);
      }
    }
    if (!missing.isEmpty()) {
      throw new IOException(
          String.format(
              "The data folder %s lacks %s; %s",
              data, String.join(" and ", missing), expected(split)));
    }
    // Not compared with the published files: a user's own images may come under these names.
    IdxFile images = IdxFile.read(find(data, imagesName(split)).orElseThrow());
    IdxFile labels = IdxFile.read(find(data, labelsName(split)).orElseThrow());
    return read(images, labels, split, "the folder " + data);
  }

  private String expected(Split split) {
    return String.format(
        "expected %s.gz and %s.gz, with or without .gz.", imagesName(split), labelsName(split));
  }

  private static boolean hasBoth(Path directory, Split split) {
    return find(directory, imagesName(split)).isPresent()
        && find(directory, labelsName(split)).isPresent();
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
    IdxFile images = publishedFile(directory, imagesName(split), remedy);
    IdxFile labels = publishedFile(directory, labelsName(split), remedy);
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
    if (!content.sha256().equals(sha256.get(file))) {
      throw new IOException(
          String.format(
              "%s is not %s of %s: its content has the SHA-256 %s, expected %s.",
              content.name(), file, name, content.sha256(), sha256.get(file)));
    }
  }

  private ImageDataSet read(IdxFile images, IdxFile labels, Split split, String origin)
      throws IOException {
    try (IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, classNames)) {
      return ImageDataSet.read(
          reader, String.format("%s %s images from %s", name, split.adjective(), origin));
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
    try {
      Downloader downloader = new Downloader(sources.connectTimeout(), sources.stallTimeout());
      for (String file : List.of(imagesName(split), labelsName(split))) {
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
      return Optional.of("the download failed (" + reason + ")");
    }
  }

  // ---- the bundled subset

  private ImageDataSet bundled(Split split, String resources, String obstacle) throws IOException {
    IdxFile images = resource(resources + imagesName(split) + GZIP);
    IdxFile labels = resource(resources + labelsName(split) + GZIP);
    String origin =
        String.format(
            Locale.ROOT,
            "the bundled subset of %,d; the whole data set is not on this machine, and %s",
            images.size(0),
            obstacle);
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

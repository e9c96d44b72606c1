package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.io.TemporaryFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.files.RemotePaths;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;

/**
 * The folder of a run on any Hadoop file system, laid out as {@link RunFolder}: {@code
 * config.json}, {@code checkpoints/} and {@code unet/}. A copy of it on a disk, or the folder
 * itself where that is one, is what {@code ddpm train --resume} goes on with and {@code ddpm sample
 * --run} draws of; and a folder that {@code ddpm train} made can be opened here.
 *
 * <p>A file has its name only when it is whole: it is uploaded beside its place and renamed.
 */
public final class RemoteRun implements AutoCloseable {

  private static final Pattern CHECKPOINT = Pattern.compile("step-(\\d{1,18})\\.safetensors");
  private static final String CHECKPOINTS = "checkpoints";
  private static final String CONFIG = "config.json";
  private static final String UNET = "unet";
  private static final String UNFINISHED_PREFIX = "_";
  private static final String UNFINISHED_SUFFIX = ".tmp";

  private final FileSystem files;
  private final Path folder;
  private final TemporaryFolder copy;
  private final RunFolder local;

  /** Whether the folder was there, without a run in it. */
  private boolean wasEmpty;

  private RemoteRun(String folder, Configuration configuration) throws IOException {
    Path path = RemotePaths.path(folder);
    // Of our own, for it is closed, and is to leave checksums out where they lie beside the files:
    // they would be of what a file held before others wrote it. HDFS has its own, which count.
    this.files = RemotePaths.newFileSystem(path, configuration);
    if (files instanceof ChecksumFileSystem) {
      this.files.setWriteChecksum(false);
      this.files.setVerifyChecksum(false);
    }
    this.folder = files.makeQualified(path);
    this.copy = new TemporaryFolder("ddpm4j-run-");
    this.local = new RunFolder(copy.path());
  }

  /**
   * Makes the folder of a new run.
   *
   * @param folder of any Hadoop file system, which must not exist or be empty
   * @param configuration of the file systems
   * @param config of the run
   * @return the run
   * @throws IOException if the folder holds files or cannot be written
   */
  public static RemoteRun create(String folder, Configuration configuration, RunConfig config)
      throws IOException {
    RemoteRun run = new RemoteRun(folder, configuration);
    try {
      run.requireUnused(folder);
      run.wasEmpty = run.files.exists(run.folder);
      run.local.writeConfig(config);
      run.upload(run.local.configFile(), new Path(run.folder, CONFIG));
      return run;
    } catch (IOException e) {
      run.close();
      throw e;
    }
  }

  /** What a process has left that was killed before it had written anything does not count. */
  private void requireUnused(String named) throws IOException {
    if (!files.exists(folder)) {
      return;
    }
    boolean isUnused = true;
    for (FileStatus file : files.listStatus(folder)) {
      isUnused &= isUnfinished(file.getPath().getName());
    }
    if (isUnused) {
      return;
    }
    throw new IOException(
        Text.format(
            files.exists(new Path(folder, CONFIG))
                ? "The run folder %s is not empty, and a run never overwrites another; resume it or choose a new folder."
                : "The folder %s is not empty and holds no run (it has no config.json); remove what is in it, or choose a new folder.",
            named));
  }

  /** A file on its way to its name, see {@link #upload}. */
  private static boolean isUnfinished(String name) {
    return name.startsWith(UNFINISHED_PREFIX) && name.endsWith(UNFINISHED_SUFFIX);
  }

  /**
   * The folder of a run that exists.
   *
   * @param folder of any Hadoop file system
   * @param configuration of the file systems
   * @return the run
   * @throws IOException if there is no run
   */
  public static RemoteRun open(String folder, Configuration configuration) throws IOException {
    RemoteRun run = new RemoteRun(folder, configuration);
    try {
      Path config = new Path(run.folder, CONFIG);
      if (!run.files.exists(config)) {
        throw new IOException(
            Text.format(
                "%s is not the folder of a run: it has no config.json; name the folder that train made.",
                folder));
      }
      run.download(config, run.local.configFile());
      return run;
    } catch (IOException e) {
      run.close();
      throw e;
    }
  }

  /**
   * Reads the configuration of a run whose training begins or is to go on.
   *
   * @return the configuration
   * @throws IOException if it is damaged, of a model that was not trained here, or of a run that
   *     drew its random numbers otherwise than today
   */
  public RunConfig readConfig() throws IOException {
    try {
      return local.readConfigToResume();
    } catch (IOException e) {
      throw named(e);
    }
  }

  /**
   * Reads the newest checkpoint.
   *
   * @param like values of the run's network; not changed
   * @return the state; empty if the run has no checkpoint yet
   * @throws IOException if it is damaged or cannot be resumed, or the run has its trained network
   *     alone
   */
  public Optional<Checkpoint> readLatestCheckpoint(Parameters like) throws IOException {
    TreeMap<Long, Path> all = checkpoints();
    Path average = new Path(folder, UNET);
    if (all.isEmpty() && !files.exists(average)) {
      return Optional.empty();
    }
    if (all.isEmpty()) {
      download(average, local.unet());
    } else {
      download(all.lastEntry().getValue());
    }
    try {
      return Optional.of(local.readCheckpointToResume(like));
    } catch (IOException e) {
      // What is said of the newest names the one before it, if that is there.
      if (all.size() < 2) {
        throw named(e);
      }
      Map.Entry<Long, Path> before = all.lowerEntry(all.lastKey());
      download(before.getValue());
      try {
        return Optional.of(local.readCheckpointToResume(like));
      } catch (IOException again) {
        throw named(again);
      }
    }
  }

  /** The copy's name, of a temporary folder, says nothing to whoever named the run. */
  private IOException named(IOException e) {
    return new IOException(e.getMessage().replace(local.path().toString(), folder.toString()), e);
  }

  /**
   * Brings to this machine what drawing takes, and no more: the newest checkpoint or, of a run that
   * has none, its network.
   *
   * @return the folder of a run, until this is closed
   * @throws IOException if a file is missing or cannot be read
   */
  public java.nio.file.Path downloadForDrawing() throws IOException {
    TreeMap<Long, Path> all = checkpoints();
    if (all.isEmpty()) {
      download(new Path(folder, UNET), local.unet());
    } else {
      download(all.lastEntry().getValue());
    }
    return local.path();
  }

  private TreeMap<Long, Path> checkpoints() throws IOException {
    TreeMap<Long, Path> found = new TreeMap<>();
    Path all = new Path(folder, CHECKPOINTS);
    if (files.exists(all)) {
      for (FileStatus file : files.listStatus(all)) {
        Matcher name = CHECKPOINT.matcher(file.getPath().getName());
        if (name.matches()) {
          found.put(Long.parseLong(name.group(1)), file.getPath());
        }
      }
    }
    return found;
  }

  /**
   * Writes a checkpoint, of which the newest few are kept.
   *
   * @param checkpoint the state
   * @param every steps between two checkpoints of the run, at least 1
   * @throws IOException if it cannot be written; those before it are there then
   */
  public void write(Checkpoint checkpoint, long every) throws IOException {
    java.nio.file.Path written = local.checkpoints().write(checkpoint, every);
    upload(written, new Path(new Path(folder, CHECKPOINTS), written.getFileName().toString()));
    List<String> kept =
        local.checkpoints().all().stream().map(file -> file.getFileName().toString()).toList();
    List<Path> older = new ArrayList<>(checkpoints().headMap(checkpoint.step()).values());
    // One that was there before this program began, and is not on its disk, counts as well.
    older.removeIf(path -> kept.contains(path.getName()));
    int spare = Math.max(0, RunFolder.KEPT_CHECKPOINTS - kept.size());
    for (Path path : older.subList(0, Math.max(0, older.size() - spare))) {
      files.delete(path, false);
    }
  }

  /**
   * Writes the trained network.
   *
   * @param unet with the moving average of the weights
   * @throws IOException if it cannot be written
   */
  public void write(Unet unet) throws IOException {
    UnetFolder.write(local.unet(), unet);
    List<java.nio.file.Path> written;
    try (Stream<java.nio.file.Path> all = Files.list(local.unet())) {
      written = all.sorted().toList();
    }
    for (java.nio.file.Path file : written) {
      upload(file, new Path(new Path(folder, UNET), file.getFileName().toString()));
    }
  }

  private void upload(java.nio.file.Path from, Path to) throws IOException {
    Path unfinished =
        new Path(to.getParent(), UNFINISHED_PREFIX + to.getName() + UNFINISHED_SUFFIX);
    // As everything else is written, where copyFromLocalFile has ways of its own on S3.
    try (OutputStream out = files.create(unfinished, true)) {
      Files.copy(from, out);
    }
    files.delete(to, false);
    if (!files.rename(unfinished, to)) {
      throw new IOException(
          Text.format(
              "%s could not be renamed to %s; see whether the place can be written, and go on.",
              unfinished, to));
    }
  }

  private void download(Path checkpoint) throws IOException {
    Files.createDirectories(local.checkpoints().path());
    download(checkpoint, local.checkpoints().path().resolve(checkpoint.getName()));
  }

  private void download(Path from, java.nio.file.Path to) throws IOException {
    files.copyToLocalFile(false, from, new Path(to.toUri()), true);
  }

  /**
   * Takes back what {@link #create} has made, so that a training which cannot begin is in nobody's
   * way. Where there is more by now, nothing is removed.
   *
   * @throws IOException if it cannot be removed
   */
  public void removeUntrained() throws IOException {
    for (FileStatus file : files.listStatus(folder)) {
      String name = file.getPath().getName();
      if (!name.equals(CONFIG) && !isUnfinished(name)) {
        return;
      }
    }
    files.delete(new Path(folder, CONFIG), false);
    // No more than that, whatever others have put there since.
    if (!wasEmpty && files.listStatus(folder).length == 0) {
      files.delete(folder, false);
    }
  }

  /** Removes this machine's copy. */
  @Override
  public void close() throws IOException {
    try (files) {
      copy.close();
    }
  }
}

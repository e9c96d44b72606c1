package org.ddpm4j.spark.files;

import java.io.IOException;
import java.net.UnknownHostException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.ddpm4j.io.Text;

/**
 * Places on Hadoop's file systems, by the addresses that users give. Hadoop says what is wrong with
 * an address in words that leave the address out.
 */
public final class RemotePaths {

  private interface Opening {
    FileSystem open() throws IOException;
  }

  private RemotePaths() {}

  /**
   * The place that an address names.
   *
   * @param address of a file or folder
   * @return the place
   * @throws IOException if it is no address
   */
  public static Path path(String address) throws IOException {
    try {
      return new Path(address);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format(
              "'%s' is no address of a file or folder (%s); write /a/path, or hdfs://machine/a/path.",
              address, reason(e)),
          e);
    }
  }

  /** Of a URI's own failure Hadoop's message begins with the name of a class. */
  private static String reason(Throwable e) {
    return e.getCause() == null ? e.getMessage() : e.getCause().getMessage();
  }

  /**
   * The file system that a place is on, which all share who ask for it.
   *
   * @param path the place
   * @param configuration of the file systems
   * @return the file system, not to be closed
   * @throws IOException if there is none, or it does not answer
   */
  public static FileSystem fileSystem(Path path, Configuration configuration) throws IOException {
    return open(path, () -> path.getFileSystem(configuration));
  }

  /**
   * The file system that a place is on, anew.
   *
   * @param path the place
   * @param configuration of the file systems
   * @return the file system, the caller's to set up and to close
   * @throws IOException if there is none, or it does not answer
   */
  public static FileSystem newFileSystem(Path path, Configuration configuration)
      throws IOException {
    return open(path, () -> FileSystem.newInstance(path.toUri(), configuration));
  }

  private static FileSystem open(Path path, Opening opening) throws IOException {
    try {
      return opening.open();
    } catch (UnsupportedFileSystemException e) {
      throw unknown(path, "which nobody here knows", e);
    } catch (RuntimeException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof ClassNotFoundException) {
          throw unknown(path, "whose classes are not here", e);
        }
        if (cause instanceof UnknownHostException) {
          throw new IOException(
              Text.format(
                  "%s names the machine %s, which is not known here; see how the name is written, or whether this machine can look it up.",
                  path, path.toUri().getHost()),
              e);
        }
      }
      throw e;
    }
  }

  private static IOException unknown(Path path, String how, Exception e) {
    return new IOException(
        Text.format(
            "%s is on a file system of the scheme %s, %s; write file:, hdfs: or another that Spark has, or give spark-submit the classes by --packages.",
            path, path.toUri().getScheme(), how),
        e);
  }
}

package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.hdfs.BlockMissingException;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.sampling.ImageEncoding;
import org.ddpm4j.spark.sampling.PackedModel;
import org.ddpm4j.spark.sampling.SparkSampler;
import org.ddpm4j.spark.sampling.SparkSampling;
import org.ddpm4j.spark.sampling.TinyModel;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Runs, images and what is drawn, on a real HDFS on loopback. */
class HdfsTest {

  private static final int SHARDS = 2;

  @TempDir private static Path folder;

  private static final Configuration CONFIGURATION = new Configuration();
  private static final ImageDataSet IMAGES = TinyImages.of(64);
  private static MiniDFSCluster cluster;
  private static DistributedFileSystem hdfs;
  private static SparkSession spark;

  @BeforeAll
  static void begin() throws IOException {
    CONFIGURATION.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toString());
    // What is damaged does not become whole by waiting.
    CONFIGURATION.setInt("dfs.client.retry.window.base", 10);
    cluster = new MiniDFSCluster.Builder(CONFIGURATION).numDataNodes(1).build();
    cluster.waitActive();
    hdfs = cluster.getFileSystem();
    spark = TestSpark.local(2);
  }

  @AfterAll
  static void end() {
    spark.stop();
    cluster.shutdown();
  }

  private static String on(FileSystem files, String name) {
    return files.makeQualified(path("/" + name)).toString();
  }

  private static org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(name);
  }

  private static org.apache.hadoop.fs.Path path(Path local) {
    return new org.apache.hadoop.fs.Path(local.toUri());
  }

  private static JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(spark.sparkContext());
  }

  /** Goes on with a run on HDFS to a step, and returns the state. */
  private static List<Object> onSpark(String run, PackedImages images, long from)
      throws IOException {
    try (RemoteRun remote = RemoteRun.open(run, CONFIGURATION);
        SparkTraining training =
            new SparkTraining(context(), remote, images, SHARDS, Placement.BARRIER)) {
      assertThat(training.trainer().step()).isEqualTo(from);
      training.run((trainer, report) -> {});
      return TinyRun.contents(training.trainer().checkpoint());
    }
  }

  /** Goes on with a run on a disk to a step. */
  private static void onOneMachine(RunFolder run, long steps) throws IOException {
    TinyRun.onOneMachine(
        TinyRun.config(IMAGES, steps),
        IMAGES,
        SHARDS,
        trainer -> {
          if (!run.checkpoints().all().isEmpty()) {
            trainer.resume(run.readCheckpointToResume(trainer.unet().parameters()));
          }
          trainer.fit();
          run.checkpoints().write(trainer.checkpoint());
        });
  }

  private static void move(FileSystem files, Path from, String to) throws IOException {
    files.delete(path(to), true);
    files.moveFromLocalFile(path(from), path(to));
  }

  /** One machine, the cluster, one machine and the cluster again: as if one had done it all. */
  @Test
  void aRunGoesFromDiskToHdfsAndBack() throws IOException {
    PackedImages images = PackedImages.write(IMAGES, on(hdfs, "images"), CONFIGURATION);
    assertThat(images.dataSet(CONFIGURATION).fingerprint()).isEqualTo(IMAGES.fingerprint());
    assertThat(contents(hdfs, images.folder()))
        .containsOnlyKeys("images.json", "labels", "pixels-00000");
    String run = on(hdfs, "runs/there-and-back");
    hdfs.mkdirs(path(on(hdfs, "runs")));

    RunFolder first = new RunFolder(Files.createDirectory(folder.resolve("first")));
    first.writeConfig(TinyRun.config(IMAGES, 4));
    onOneMachine(first, 2);
    move(hdfs, first.path(), run);
    // As a driver leaves it that is killed while it uploads.
    hdfs.create(path(run + "/checkpoints/_step-0000003.safetensors.tmp")).close();
    onSpark(run, images, 2);

    RunFolder second = new RunFolder(folder.resolve("second"));
    hdfs.copyToLocalFile(false, path(run), path(second.path()), true);
    onOneMachine(second, 6);
    second.writeConfig(TinyRun.config(IMAGES, 7));
    move(hdfs, second.path(), run);
    List<Object> last = onSpark(run, images, 6);

    TinyRun.onOneMachine(
        TinyRun.config(IMAGES, 7),
        IMAGES,
        SHARDS,
        trainer -> {
          trainer.fit();
          // What was reported on the way is of shorter trainings.
          assertThat(last.subList(0, 5))
              .isEqualTo(TinyRun.contents(trainer.checkpoint()).subList(0, 5));
        });
  }

  @Test
  void drawingBringsTheNewestCheckpointAlone() throws IOException {
    RunFolder local = new RunFolder(Files.createDirectory(folder.resolve("trained")));
    local.writeConfig(TinyRun.config(IMAGES, 2));
    onOneMachine(local, 1);
    onOneMachine(local, 2);
    Files.writeString(local.path().resolve("report.html"), "not for drawing");
    String expected = PackedModel.ofRun(local.path()).name();
    String run = on(hdfs, "trained");
    move(hdfs, local.path(), run);
    assertThat(contents(hdfs, run + "/checkpoints")).hasSize(2);
    try (RemoteRun remote = RemoteRun.open(run, CONFIGURATION)) {
      Path brought = remote.downloadForDrawing();
      assertThat(filesIn(brought))
          .containsExactlyInAnyOrder("config.json", "checkpoints/step-0000002.safetensors");
      assertThat(PackedModel.ofRun(brought).name()).isEqualTo(expected);
    }
  }

  @Test
  void aRunWithoutCheckpointsDrawsByItsNetwork() throws IOException {
    RunConfig config = TinyRun.config(IMAGES, 2);
    Path local = Files.createDirectory(folder.resolve("network"));
    try (Unet unet = Unet.create(config.model().network(), DataType.FLOAT, 3)) {
      RunFolder.create(local, config, unet);
    }
    String expected = PackedModel.ofRun(local).name();
    String run = on(hdfs, "network");
    move(hdfs, local, run);
    try (RemoteRun remote = RemoteRun.open(run, CONFIGURATION)) {
      assertThat(PackedModel.ofRun(remote.downloadForDrawing()).name()).isEqualTo(expected);
    }
  }

  private static List<String> filesIn(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .filter(name -> !name.endsWith(".crc"))
          .toList();
    }
  }

  /** HDFS knows that a block is not what was written, and is asked. */
  @Test
  void damageIsNoticed() throws IOException {
    RunFolder local = new RunFolder(Files.createDirectory(folder.resolve("damaged")));
    local.writeConfig(TinyRun.config(IMAGES, 2));
    onOneMachine(local, 1);
    String run = on(hdfs, "damaged");
    move(hdfs, local.path(), run);
    org.apache.hadoop.fs.Path checkpoint = path(run + "/checkpoints/step-0000001.safetensors");
    cluster.corruptBlockOnDataNodes(
        hdfs.getClient().getLocatedBlocks(checkpoint.toUri().getPath(), 0).get(0).getBlock());
    try (RemoteRun remote = RemoteRun.open(run, CONFIGURATION)) {
      assertThatThrownBy(
              () ->
                  new SparkTraining(
                      context(),
                      remote,
                      PackedImages.write(IMAGES, on(hdfs, "more"), CONFIGURATION),
                      1,
                      Placement.BARRIER))
          .isInstanceOfAny(ChecksumException.class, BlockMissingException.class);
    }
  }

  /** The same files as on a disk, all of them, and nothing else. */
  @Test
  void whatIsDrawnIsThereWhenItIsWhole() throws IOException {
    PackedModel model = PackedModel.of(TinyModel.write(folder.resolve("model")));
    FileSystem disk = FileSystem.getLocal(CONFIGURATION).getRawFileSystem();
    String own = folder.toString().substring(1);
    SparkSampling sampling = SparkSampling.of(6, 3, 2);
    try (SparkSampler sampler =
        new SparkSampler(spark, model, network -> network.pipeline(SamplerType.DDIM, 2))) {
      for (FileSystem files : List.of(hdfs, disk)) {
        sampler.writeImageFiles(sampling, on(files, own + "/png"));
        sampler.writeTarShards(sampling, on(files, own + "/tar"));
        sampler.writeParquet(sampling, ImageEncoding.PNG, on(files, own + "/parquet"));
      }
    }
    assertThat(contents(hdfs, on(hdfs, own + "/png")))
        .hasSize(7)
        .containsKeys("_SUCCESS", "0000.png", "0005.png")
        .isEqualTo(contents(disk, on(disk, own + "/png")));
    assertThat(contents(hdfs, on(hdfs, own + "/tar")))
        .containsOnlyKeys("_SUCCESS", "shard-00000.tar", "shard-00001.tar")
        .isEqualTo(contents(disk, on(disk, own + "/tar")));
    assertThat(contents(hdfs, on(hdfs, own + "/parquet"))).hasSize(3).containsKey("_SUCCESS");
    assertThat(spark.read().parquet(on(hdfs, own + "/parquet")).orderBy("index").collectAsList())
        .hasSize(6)
        .isEqualTo(
            spark.read().parquet(on(disk, own + "/parquet")).orderBy("index").collectAsList());
  }

  /** Of all files of a folder: where in it they are, and their bytes. */
  private static Map<String, String> contents(FileSystem files, String folder) throws IOException {
    Map<String, String> all = new TreeMap<>();
    RemoteIterator<LocatedFileStatus> found = files.listFiles(path(folder), true);
    while (found.hasNext()) {
      org.apache.hadoop.fs.Path file = found.next().getPath();
      String name = file.toString().substring(folder.length() + 1);
      if (!name.startsWith(".")) {
        try (var in = files.open(file)) {
          all.put(name, HexFormat.of().formatHex(in.readAllBytes()));
        }
      }
    }
    return all;
  }
}

package org.ddpm4j.fuzz;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.ddpm4j.cli.draw.SampleRecord;
import org.ddpm4j.cli.report.DistanceTable;
import org.ddpm4j.cli.report.Sitting;
import org.ddpm4j.data.Cifar10;
import org.ddpm4j.data.Cifar100;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.IdxFile;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.Split;
import org.ddpm4j.data.TinyImageNet;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.SchedulerFile;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.evaluation.ReferenceFeatures;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.pytorch.PyTorchReader;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.studio.runs.LossTable;
import org.ddpm4j.studio.runs.RunProgress;
import org.ddpm4j.studio.server.ServiceRequests;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.TutorialUnet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A reader of strangers' files, and how it is given any bytes. It may take them, or refuse them by
 * an {@link IOException} whose message is a sentence; anything else is a finding.
 *
 * <p>Where several files belong together, the bytes are cut at {@link #CUT}, which no UTF-8 has, or
 * the first two of them say how long the first file is.
 */
enum FuzzTarget {
  SAFETENSORS {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      Path file = write(folder, "weights.safetensors", bytes);
      try (SafetensorsReader reader = SafetensorsReader.open(file)) {
        reader.verifyChecksum();
        for (String name : reader.names()) {
          try (INDArray tensor = reader.tensor(name)) {
            tensor.length();
          }
        }
      }
    }
  },

  /** The checksum is put right first, so that what follows it is reached. */
  CHECKPOINT {
    private Parameters like;

    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      if (like == null) {
        like = Unet.create(NETWORK, DataType.FLOAT, 1, REFERENCE).parameters();
      }
      Checkpoint read =
          Checkpoint.read(write(folder, "step.safetensors", withRightChecksum(bytes)), like);
      for (Parameters values :
          List.of(read.weights(), read.ema(), read.firstMoment(), read.secondMoment())) {
        values.flat().close();
      }
    }
  },

  NETWORK_CONFIG {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      UnetFolder.readConfig(write(folder, UnetFolder.CONFIG, bytes));
    }
  },

  /** config.json and, after a cut, the weights. */
  NETWORK_FOLDER {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, UnetFolder.CONFIG, files.get(0));
      write(folder, UnetFolder.WEIGHTS, files.get(1));
      UnetFolder.read(folder, DataType.FLOAT, REFERENCE).close();
    }
  },

  /** config.json and, after a cut, the weights. */
  AUTOENCODER_FOLDER {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, UnetFolder.CONFIG, files.get(0));
      write(folder, UnetFolder.WEIGHTS, files.get(1));
      AutoencoderFolder.read(folder, Optional.empty(), DataType.FLOAT, REFERENCE).close();
    }
  },

  RUN_CONFIG {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      write(folder, "config.json", bytes);
      RunFolder.open(folder).readConfig();
    }
  },

  /** model_index.json and scheduler_config.json; of the latter, every sampler there is. */
  SCHEDULER {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, PipelineFolder.INDEX, files.get(0));
      Files.createDirectories(folder.resolve("scheduler"));
      Path scheduler = write(folder.resolve("scheduler"), "scheduler_config.json", files.get(1));
      PipelineFolder.readScheduler(folder);
      SchedulerFile file = new SchedulerFile(Files.readString(scheduler), scheduler.toString());
      for (SamplerType type : SamplerType.values()) {
        try {
          file.sampler(type);
        } catch (IllegalArgumentException e) {
          // What the file asks for and this sampler does not know.
          requireSentence(e);
        }
      }
    }
  },

  /** A pipeline's class_names.json; the network that is missing is said after it. */
  CLASS_NAMES {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      write(folder, PipelineFolder.INDEX, text(INDEX_JSON));
      write(folder, "scheduler_config.json", text(SCHEDULER_JSON));
      write(folder, "class_names.json", bytes);
      PipelineFolder.read(folder, DataType.FLOAT, REFERENCE).unet().close();
    }

    @Override
    boolean isOnlyRefused() {
      return true;
    }
  },

  PNG {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },
  JPEG {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },
  GIF {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },
  BMP {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },
  TIFF {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },
  WEBP {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      image(bytes, folder);
    }
  },

  /** Plain and gzip. */
  IDX {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      IdxFile.read(new ByteArrayInputStream(bytes), "images");
      IdxFile.read(write(folder, "images.idx", bytes)).sha256();
    }
  },

  /** Two bytes with the length of the images' file, this file, that of the labels. */
  IDX_PAIR {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      int first =
          bytes.length < 2
              ? 0
              : Math.min(
                  bytes.length - 2,
                  Byte.toUnsignedInt(bytes[0]) << 8 | Byte.toUnsignedInt(bytes[1]));
      int start = Math.min(2, bytes.length);
      write(folder, "train-images-idx3-ubyte", Arrays.copyOfRange(bytes, start, start + first));
      write(
          folder,
          "train-labels-idx1-ubyte",
          Arrays.copyOfRange(bytes, start + first, bytes.length));
      FashionMnist.load(Split.TRAIN, sources(folder));
    }
  },

  /** The names of the classes and, after a cut, the test images. */
  CIFAR10 {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, "data_batch_1.bin", files.get(1));
      write(folder, "test_batch.bin", files.get(1));
      write(folder, "batches.meta.txt", files.get(0));
      Cifar10.load(Split.TEST, sources(folder));
    }
  },

  CIFAR100 {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, "train.bin", files.get(1));
      write(folder, "test.bin", files.get(1));
      write(folder, "fine_label_names.txt", files.get(0));
      Cifar100.load(Split.TEST, Cifar100.Labels.FINE, sources(folder));
    }
  },

  /** wnids.txt, words.txt, val_annotations.txt; there is an image by the name of {@code a.png}. */
  TINY_IMAGENET {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 3);
      write(folder, "wnids.txt", files.get(0));
      write(folder, "words.txt", files.get(1));
      Path images = folder.resolve("val").resolve("images");
      Files.createDirectories(images);
      write(folder.resolve("val"), "val_annotations.txt", files.get(2));
      write(images, "a.png", SMALLEST_PNG);
      TinyImageNet.load(Split.TEST, sources(folder), ImageFileOptions.of(2, 2));
    }
  },

  /** The names of two folders of classes, and of the file in each. */
  FILE_NAMES {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      Path root = folder.resolve("images");
      try {
        for (byte[] name : parts(bytes, 2)) {
          try {
            Path file = root.resolve(new String(name, StandardCharsets.UTF_8)).normalize();
            if (file.startsWith(root) && !file.equals(root) && !file.getParent().equals(root)) {
              Files.createDirectories(file.getParent());
              Files.write(file, SMALLEST_PNG);
            }
          } catch (InvalidPathException | FileSystemException e) {
            // No system has a file of that name.
          }
        }
        if (Files.exists(root)) {
          ImageFolder.read(root, ImageFileOptions.of(2, 2));
        }
      } finally {
        delete(root);
      }
    }
  },

  /** A list of names, one a line, and then a name or number that is looked for. */
  CLASS_CHOICE {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      List<String> names =
          new String(files.get(0), StandardCharsets.UTF_8).lines().limit(200).toList();
      try {
        ClassNames.of(names).find(new String(files.get(1), StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
  },

  /** Files of torch.save, in both of its formats. */
  PYTORCH {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      Path file = write(folder, "weights.pt", bytes);
      try (PyTorchReader reader = PyTorchReader.open(file)) {
        for (String name : reader.names()) {
          try (INDArray tensor = reader.tensor(name)) {
            tensor.length();
          }
        }
      }
    }
  },

  /** A checkpoint of lucidrains' trainer, whose network is what its tensors say. */
  LUCIDRAINS {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      Path file = write(folder, "model-1.pt", bytes);
      LucidrainsCheckpoint.read(file, Optional.empty(), DataType.FLOAT, REFERENCE).close();
    }
  },

  /** The index of weights in several files and, after a cut, the one file that is there. */
  WEIGHTS_INDEX {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 2);
      write(folder, "a.safetensors", files.get(1));
      Path index = write(folder, "model.safetensors.index.json", files.get(0));
      try (TensorReader reader = WeightsLayout.open(index)) {
        reader.tensors().values().forEach(INDArray::close);
      }
    }
  },

  /** What the images of a folder are of. */
  SAMPLE_RECORD {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      SampleRecord.read(write(folder, SampleRecord.FILE, bytes));
    }
  },

  /**
   * What a run keeps for people: time.csv, loss.csv, distances.csv and progress.json. Nothing
   * depends on them, and so all bytes are taken.
   */
  RUN_TABLES {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      List<byte[]> files = parts(bytes, 4);
      List<Sitting> sittings = Sitting.read(write(folder, "time.csv", files.get(0)));
      sittings.stream().map(Sitting::time).reduce(Duration.ZERO, Duration::plus).toHours();
      LossTable.read(write(folder, "loss.csv", files.get(1)));
      write(folder, "distances.csv", files.get(2));
      new DistanceTable(folder).read();
      RunProgress.read(write(folder, "progress.json", files.get(3)));
    }
  },

  /** What the features of a data set are, in the user's cache; with its checksum put right. */
  REFERENCE_FEATURES {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      ReferenceFeatures.read(write(folder, "features.safetensors", withRightChecksum(bytes)));
    }
  },

  /** The body of a request to the service, which is planned and not drawn. */
  SERVICE_REQUEST {
    private ServiceRequests requests;

    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      if (requests == null) {
        requests = new ServiceRequests();
      }
      requests.plan(bytes);
    }
  },

  FOREIGN_FORMAT {
    @Override
    void read(byte[] bytes, Path folder) throws IOException {
      Optional<ForeignFormat> format = ForeignFormat.of(write(folder, "strange", bytes));
      format.map(found -> found.noun() + found.remedy());
    }
  };

  static final byte CUT = (byte) 0xff;

  /** What a program may say of its inside, never of a file. */
  private static final Pattern CLASS_OF_JAVA =
      Pattern.compile("\\b(java|javax|com|org)(\\.[a-z0-9_]+)+\\.[A-Z]\\w+(Exception|Error)\\b");

  private static final Pattern CHECKSUM = Pattern.compile("\"crc32c\":\"([0-9a-f]{8})\"");

  private static final TutorialUnet NETWORK = new TutorialUnet(1, 1, 6, 0);

  private static final Execution REFERENCE = Execution.reference();

  private static final String INDEX_JSON =
      "{\"_class_name\":\"DDPMPipeline\",\"scheduler\":[\"diffusers\",\"DDPMScheduler\"],\"unet\":[\"diffusers\",\"UNet2DModel\"]}";

  private static final String SCHEDULER_JSON =
      "{\"_class_name\":\"DDPMScheduler\",\"num_train_timesteps\":10}";

  /** Of one grey pixel. */
  private static final byte[] SMALLEST_PNG =
      HexFormat.of()
          .parseHex(
              "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
                  + "3a7e9b550000000a49444154789c63680000008200817796dd4b0000000049454e44ae426082");

  /**
   * Reads a file of these bytes.
   *
   * @param folder an empty one, or with what earlier calls left
   * @throws IOException where the bytes are refused
   */
  abstract void read(byte[] bytes, Path folder) throws IOException;

  /** Whether no bytes are taken, because something is missing on purpose. */
  boolean isOnlyRefused() {
    return false;
  }

  /** As in the names of folders and in commands: {@code idx-pair}. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static FuzzTarget labelled(String label) {
    return Arrays.stream(values())
        .filter(target -> target.label().equals(label))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no reader "
                        + label
                        + "; there are "
                        + String.join(
                            ", ", Arrays.stream(values()).map(FuzzTarget::label).toList())));
  }

  /**
   * Gives the reader the bytes.
   *
   * @return whether it took them
   * @throws AssertionError if it refused them by anything but a sentence
   */
  boolean accepts(byte[] bytes, Path folder) {
    try {
      read(bytes, folder);
      return true;
    } catch (IOException e) {
      requireSentence(e);
      return false;
    }
  }

  private static void requireSentence(Exception refusal) {
    String message = refusal.getMessage();
    if (message == null
        || !Pattern.compile("[.?!]\\s*$").matcher(message).find()
        || CLASS_OF_JAVA.matcher(message).find()) {
      throw new AssertionError("It is refused, but not by a sentence: " + message, refusal);
    }
  }

  private static void image(byte[] bytes, Path folder) throws IOException {
    Path file = write(folder, "image", bytes);
    // Both ways through the decoder, each whatever becomes of the other.
    ImageFile.read(file, new ImageShape(3, 8, 8));
    ImageFile.read(file, new ImageShape(1, 6, 8));
  }

  private static DataSources sources(Path folder) {
    return DataSources.ofHost().withDataFolder(folder);
  }

  private static Path write(Path folder, String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** So many pieces; the last one has all further cuts in it. */
  private static List<byte[]> parts(byte[] bytes, int count) {
    List<byte[]> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length && parts.size() < count - 1; i++) {
      if (bytes[i] == CUT) {
        parts.add(Arrays.copyOfRange(bytes, start, i));
        start = i + 1;
      }
    }
    parts.add(Arrays.copyOfRange(bytes, start, bytes.length));
    while (parts.size() < count) {
      parts.add(new byte[0]);
    }
    return parts;
  }

  private static byte[] withRightChecksum(byte[] bytes) {
    if (bytes.length < Long.BYTES) {
      return bytes;
    }
    long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (header < 0 || header > bytes.length - Long.BYTES) {
      return bytes;
    }
    int start = Long.BYTES + (int) header;
    CRC32C crc = new CRC32C();
    crc.update(bytes, start, bytes.length - start);
    String text = new String(bytes, Long.BYTES, (int) header, StandardCharsets.ISO_8859_1);
    Matcher found = CHECKSUM.matcher(text);
    byte[] right = bytes.clone();
    if (found.find()) {
      byte[] digits = text(String.format(Locale.ROOT, "%08x", crc.getValue()));
      System.arraycopy(digits, 0, right, Long.BYTES + found.start(1), digits.length);
    }
    return right;
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}

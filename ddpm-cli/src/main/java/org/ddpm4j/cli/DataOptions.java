package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.run.DataDescription;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Option;

/** Which images to train on, and where they are. */
final class DataOptions {

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      converter = Names.Data.class,
      completionCandidates = Names.Data.class,
      defaultValue = Defaults.DATA_SET,
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private KnownDataSet dataSet;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder with the data set's four IDX files (default: the user's cache, the system's"
              + " folder, a download, or the bundled subset).")
  private Path folder;

  @Option(names = "--offline", description = "Download nothing.")
  private boolean offline;

  KnownDataSet chosen() {
    return dataSet;
  }

  /** Loads a data set, some of whose test images are held out. */
  TrainingData load(KnownDataSet name, int validationImages) throws IOException {
    DataSources sources = DataSources.ofHost();
    if (offline) {
      sources = sources.withNetwork(Network.FORBIDDEN);
    }
    if (folder != null) {
      sources = sources.withDataFolder(folder);
    }
    ImageDataSet training = name.load(Split.TRAIN, sources);
    Optional<DataSet> validation = Optional.empty();
    int heldOut = 0;
    if (validationImages > 0) {
      ImageDataSet test = name.load(Split.TEST, sources);
      if (!test.shape().equals(training.shape())) {
        throw new IOException(
            "The training images have the shape %s, the test images %s; they must be alike."
                .formatted(training.shape(), test.shape()));
      }
      heldOut = Math.min(validationImages, test.size());
      validation = Optional.of(test.batch(spread(test.size(), heldOut)));
    }
    ImageShape shape =
        new ImageShape(
            training.shape().channels(), training.shape().height(), training.shape().width());
    return new TrainingData(
        training,
        validation,
        new DataDescription(
            Names.of(name),
            training.source(),
            training.fingerprint(),
            training.size(),
            heldOut,
            shape));
  }

  /** Evenly spread over the data set, which may be sorted by class. */
  private static int[] spread(int size, int count) {
    return IntStream.range(0, count).map(i -> (int) ((long) i * size / count)).toArray();
  }
}

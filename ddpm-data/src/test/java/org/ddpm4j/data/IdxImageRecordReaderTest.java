package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.ddpm4j.data.IdxBytes.gzip;
import static org.ddpm4j.data.IdxBytes.images;
import static org.ddpm4j.data.IdxBytes.labels;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.datavec.api.records.Record;
import org.datavec.api.records.listener.impl.LogRecordListener;
import org.datavec.api.records.metadata.RecordMetaDataIndex;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.split.CollectionInputSplit;
import org.datavec.api.split.FileSplit;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.deeplearning4j.datasets.datavec.RecordReaderDataSetIterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

class IdxImageRecordReaderTest {

  private static final List<String> NAMES = List.of("shoe", "hat", "bag");
  private static final int[] LABELS = {2, 0, 1, 1, 2};

  @TempDir Path folder;
  private Path images;
  private Path labels;

  @BeforeEach
  void files() throws IOException {
    images = Files.write(folder.resolve("images"), images(5, 2, 3));
    labels = Files.write(folder.resolve("labels.gz"), gzip(labels(LABELS)));
  }

  @Test
  void recordsAreAnImageAndItsLabel() throws IOException {
    try (IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, NAMES)) {
      assertThat(reader.getLabels()).isEqualTo(NAMES);
      for (int n = 0; n < 5; n++) {
        List<Writable> record = reader.next();
        INDArray image = ((NDArrayWritable) record.get(0)).get();
        assertThat(image.shape()).containsExactly(1, 1, 2, 3);
        assertThat(image.dataType()).isEqualTo(DataType.FLOAT);
        for (int i = 0; i < 6; i++) {
          assertThat(image.getInt(0, 0, i / 3, i % 3)).isEqualTo(7 * (6 * n + i) % 256);
        }
        assertThat(record.get(1).toInt()).isEqualTo(LABELS[n]);
      }
      assertThat(reader.hasNext()).isFalse();
      assertThatExceptionOfType(NoSuchElementException.class).isThrownBy(reader::next);

      reader.reset();
      assertThat(reader.next().get(1).toInt()).isEqualTo(2);
    }
  }

  @Test
  void takesItsFilesFromAFileSplitInAnyOrder() throws Exception {
    IdxImageRecordReader fromFolder = new IdxImageRecordReader(NAMES);
    fromFolder.initialize(new FileSplit(folder.toFile()));
    IdxImageRecordReader swapped = new IdxImageRecordReader(NAMES);
    swapped.initialize(new CollectionInputSplit(List.of(labels.toUri(), images.toUri())));

    for (IdxImageRecordReader reader : List.of(fromFolder, swapped)) {
      List<Integer> read = new ArrayList<>();
      while (reader.hasNext()) {
        read.add(reader.next().get(1).toInt());
      }
      assertThat(read).containsExactly(2, 0, 1, 1, 2);
    }
  }

  @Test
  void refusesASplitThatIsNotAPair() throws IOException {
    Files.write(folder.resolve("third"), labels(1));

    assertThatIOException()
        .isThrownBy(
            () -> new IdxImageRecordReader(NAMES).initialize(new FileSplit(folder.toFile())))
        .withMessageContaining("3 locations, expected 2");
  }

  @Test
  void servesDl4jsIterator() throws IOException {
    IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, NAMES);
    RecordReaderDataSetIterator iterator = new RecordReaderDataSetIterator(reader, 2, 1, 3);

    List<DataSet> batches = new ArrayList<>();
    iterator.forEachRemaining(batches::add);

    assertThat(batches).hasSize(3);
    int n = 0;
    for (DataSet batch : batches) {
      assertThat(batch.getFeatures().shape()).containsExactly(batch.numExamples(), 1, 2, 3);
      assertThat(batch.getLabels().shape()).containsExactly(batch.numExamples(), 3);
      for (int i = 0; i < batch.numExamples(); i++, n++) {
        assertThat(batch.getFeatures().getInt(i, 0, 0, 0)).isEqualTo(7 * 6 * n % 256);
        assertThat(batch.getLabels().getRow(i).argMax().getInt(0)).isEqualTo(LABELS[n]);
        assertThat(batch.getLabels().getRow(i).sumNumber().intValue()).isEqualTo(1);
      }
    }
    assertThat(n).isEqualTo(5);
  }

  @Test
  void recordsAreFoundAgainByTheirMetaData() throws IOException {
    try (IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, NAMES)) {
      reader.next();
      Record second = reader.nextRecord();
      reader.next();

      Record again = reader.loadFromMetaData(List.of(second.getMetaData())).get(0);

      assertThat(again.getRecord()).isEqualTo(second.getRecord());
      assertThat(reader.next().get(1).toInt()).as("position unchanged").isEqualTo(LABELS[3]);
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  reader.loadFromMetaData(
                      new RecordMetaDataIndex(5, null, IdxImageRecordReader.class)));
    }
  }

  @Test
  void tellsItsListeners() throws IOException {
    List<Object> seen = new ArrayList<>();
    try (IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, NAMES)) {
      reader.setListeners(
          new LogRecordListener() {
            private static final long serialVersionUID = 1L;

            @Override
            public void recordRead(RecordReader from, Object record) {
              seen.add(record);
            }
          });
      List<Writable> record = reader.next();
      assertThat(seen).containsExactly(record);
    }
  }

  @Test
  void refusesFilesThatDoNotBelongTogether() throws IOException {
    Path four = Files.write(folder.resolve("four"), labels(0, 1, 2, 0));

    assertThatIOException()
        .isThrownBy(() -> new IdxImageRecordReader(images, four, NAMES))
        .withMessage(
            images
                + " holds 5 images, but "
                + four
                + " holds 4 labels; the two files do not belong together, get both again.");
    assertThatIOException()
        .isThrownBy(() -> new IdxImageRecordReader(labels, images, NAMES))
        .withMessageContaining(labels + " has 1 axis, expected 3")
        .withMessageContaining("swapped?");
  }

  @Test
  void refusesALabelWithoutAClass() throws IOException {
    Path wrong = Files.write(folder.resolve("wrong"), labels(0, 1, 2, 255, 3));

    assertThatIOException()
        .isThrownBy(() -> new IdxImageRecordReader(images, wrong, NAMES))
        .withMessage(
            wrong
                + " has the label 255 at position 3, expected 0 to 2; take the labels of this data set.");
  }

  @Test
  void saysThatItHasNoFilesYet() {
    IdxImageRecordReader reader = new IdxImageRecordReader(NAMES);

    assertThat(reader.hasNext()).isFalse();
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(reader::next)
        .withMessageContaining("initialize");
    assertThatIllegalArgumentException().isThrownBy(() -> new IdxImageRecordReader(List.of()));
  }

  @Test
  void doesNotTakePartInJavaSerialisation() throws IOException {
    IdxImageRecordReader reader = new IdxImageRecordReader(images, labels, NAMES);

    assertThatExceptionOfType(NotSerializableException.class)
        .isThrownBy(() -> new ObjectOutputStream(new ByteArrayOutputStream()).writeObject(reader));
  }
}

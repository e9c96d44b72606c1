package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.datavec.api.records.reader.impl.collection.CollectionRecordReader;
import org.datavec.api.writable.IntWritable;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Text;
import org.datavec.api.writable.Writable;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class ImageDataSetTest {

  private static final ImageShape SHAPE = new ImageShape(2, 1, 3);
  private static final List<String> NAMES = List.of("a", "b", "c");

  /** Four images of two channels; image n's values are 10·n to 10·n+5. */
  private static ImageDataSet four() {
    byte[] pixels = new byte[24];
    for (int i = 0; i < 24; i++) {
      pixels[i] = (byte) (10 * (i / 6) + i % 6);
    }
    return ImageDataSet.of(SHAPE, pixels, new int[] {2, 0, 2, 1}, NAMES, "a test");
  }

  @Test
  void givesBackWhatItWasMadeOf() {
    ImageDataSet data = four();

    assertThat(data.size()).isEqualTo(4);
    assertThat(data.shape()).isEqualTo(SHAPE);
    assertThat(data.classNames()).isEqualTo(NAMES);
    assertThat(data.label(2)).isEqualTo(2);
    assertThat(data.pixels(3)).containsExactly(30, 31, 32, 33, 34, 35);
    assertThat(data).hasToString("4 images of 1x3x2, 3 classes: a test");
  }

  @Test
  void whereAPartComesFromIsSaidOnce() throws IOException {
    ImageDataSet data =
        ImageDataSet.of(SHAPE, new byte[24], new int[] {2, 0, 2, 1}, NAMES, "images of a folder");
    assertThat(data.takeSpread(3).source()).isEqualTo("3 images, evenly spread, of a folder");
    assertThat(data.take(1).source()).isEqualTo("the first image of a folder");
    assertThat(data.onlyClass(2).source()).isEqualTo("class 2, " + NAMES.get(2) + ", of a folder");
    ImageDataSet small = data.resized(1, 1);
    assertThat(small.source()).isEqualTo("images resized to 1x1, of a folder");
    assertThat(small.select(2).source()).isEqualTo("1 image of images resized to 1x1, of a folder");
    ImageDataSet.HoldOut parts = data.holdOut(1, 5);
    assertThat(parts.heldOut().source()).isEqualTo("1 image held out, of a folder");
    assertThat(parts.training().source()).isEqualTo("3 images to train on, of a folder");
  }

  @Test
  void nothingOutsideChangesIt() {
    byte[] pixels = new byte[6];
    int[] labels = {1};
    ImageDataSet data = ImageDataSet.of(SHAPE, pixels, labels, NAMES, "a test");
    pixels[0] = 9;
    labels[0] = 0;
    data.pixels(0)[1] = 9;

    assertThat(data.pixels(0)).containsExactly(0, 0, 0, 0, 0, 0);
    assertThat(data.label(0)).isEqualTo(1);
  }

  @Test
  void batchesAreScaledAndLabelsAreOneHot() {
    DataSet batch = four().batch(3, 0);

    assertThat(batch.getFeatures().dataType()).isEqualTo(DataType.FLOAT);
    assertThat(batch.getFeatures().shape()).containsExactly(2, 2, 1, 3);
    // Image 3 is 30 to 35; its second channel begins with 33.
    assertThat(batch.getFeatures().getFloat(0, 1, 0, 0)).isEqualTo((float) (33 / 127.5 - 1));
    assertThat(batch.getFeatures().getFloat(1, 0, 0, 2)).isEqualTo((float) (2 / 127.5 - 1));
    assertThat(batch.getLabels())
        .isEqualTo(Nd4j.createFromArray(new float[][] {{0, 1, 0}, {0, 0, 1}}));
  }

  @Test
  void mirroringTurnsEachRowOfEachChannel() {
    ImageShape shape = new ImageShape(2, 2, 3);
    byte[] pixels = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    ImageDataSet data = ImageDataSet.of(shape, pixels, new int[] {0}, NAMES, "a test");

    INDArray mirrored = data.batch(new int[] {0}, new boolean[] {true}).getFeatures();

    int[] expected = {2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9};
    float[] values = mirrored.reshape(12).toFloatVector();
    for (int i = 0; i < 12; i++) {
      assertThat(Normalization.SYMMETRIC.toPixel(values[i], 0)).isEqualTo(expected[i]);
    }
  }

  @Test
  void partsKeepImagesAndLabelsTogether() {
    ImageDataSet data = four();

    ImageDataSet selected = data.select(3, 1);
    assertThat(selected.pixels(0)).containsExactly(30, 31, 32, 33, 34, 35);
    assertThat(selected.label(0)).isEqualTo(1);
    assertThat(selected.label(1)).isZero();
    assertThat(selected.select(1).pixels(0)).as("a part of a part").startsWith(10);

    ImageDataSet taken = data.take(2);
    assertThat(taken.size()).isEqualTo(2);
    assertThat(taken.source()).isEqualTo("the first 2 images of a test");

    ImageDataSet class2 = data.onlyClass(2);
    assertThat(class2.size()).isEqualTo(2);
    assertThat(class2.pixels(1)).startsWith(20);
    assertThat(class2.classNames()).isEqualTo(NAMES);
    assertThat(class2.source()).isEqualTo("class 2, c, of a test");
  }

  @Test
  void classesAreFoundByNameOrNumberAndPartsKeepTheirScale() {
    Normalization scale = new Normalization(List.of(0.0, 1.0), List.of(1.0, 2.0));
    ImageDataSet data = four().withNormalization(scale);
    ImageDataSet b = data.onlyClass("B");
    assertThat(b.size()).isEqualTo(1);
    assertThat(b.pixels(0)).startsWith(30);
    assertThat(data.onlyClass("2").size()).isEqualTo(2);
    assertThat(b.normalization()).isEqualTo(scale);
    // 30/255 in the first channel, (33/255 - 1)/2 in the second.
    assertThat(b.batch(0).getFeatures().getFloat(0, 0, 0, 0)).isEqualTo((float) (30 / 255.0));
    assertThat(b.batch(0).getFeatures().getFloat(0, 1, 0, 0))
        .isEqualTo((float) ((33 / 255.0 - 1) / 2));
    INDArray mirrored = b.batch(new int[] {0}, new boolean[] {true}).getFeatures();
    assertThat(mirrored.getFloat(0, 1, 0, 2)).isEqualTo((float) ((33 / 255.0 - 1) / 2));
    assertThat(data.takeSpread(2).pixels(1)).startsWith(20);
    assertThat(data.takeSpread(data.size())).isSameAs(data);
    assertThat(ImageDataSet.spread(1000, 128)).doesNotHaveDuplicates().isSorted().hasSize(128);
    assertThat(data.takeSpread(2).normalization()).isEqualTo(scale);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.onlyClass("d"))
        .withMessage(
            "There is no class d; choose a number from 0 to 2 or one of the names a, b, c.");
    assertThatIllegalArgumentException().isThrownBy(() -> data.onlyClass("3"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.withNormalization(Normalization.IMAGENET));
  }

  @Test
  void anotherSizeHasItsOwnPixels() throws IOException {
    ImageDataSet data = four().select(3, 0);
    assertThat(data.resized(1, 3)).isSameAs(data);
    ImageDataSet tall = data.resized(2, 2);
    assertThat(tall.shape()).isEqualTo(new ImageShape(2, 2, 2));
    // The middle of 30, 31, 32 at half a pixel's distance; 30.75 and 31.25.
    assertThat(tall.pixels(0)).containsExactly(31, 31, 31, 31, 34, 34, 34, 34);
    assertThat(tall.label(0)).isEqualTo(1);
    assertThat(tall.source()).startsWith("images resized to 2x2, of 2 images of ");
    assertThatIllegalArgumentException()
        .isThrownBy(data::grayscale)
        .withMessageContaining("Images of 2 channels");
  }

  /** Each channel as if it were alone, of images that are higher than wide. */
  @Test
  void everyChannelIsResizedAndTransposed() throws IOException {
    byte[] pixels = new byte[2 * 3 * 6 * 4];
    new Random(1).nextBytes(pixels);
    ImageDataSet colours =
        ImageDataSet.of(new ImageShape(3, 6, 4), pixels, new int[2], NAMES, "a test");
    ImageDataSet planes =
        ImageDataSet.of(new ImageShape(1, 6, 4), pixels, new int[6], NAMES, "a test");
    assertThat(planes.grayscale()).isSameAs(planes);

    ImageDataSet small = colours.resized(3, 2);
    ImageDataSet turned = colours.transposed();

    assertThat(turned.shape()).isEqualTo(new ImageShape(3, 4, 6));
    assertThat(turned.source()).isEqualTo("a test");
    for (int i = 0; i < 6; i++) {
      byte[] plane = Arrays.copyOfRange(small.pixels(i / 3), i % 3 * 6, i % 3 * 6 + 6);
      assertThat(plane).isEqualTo(planes.resized(3, 2).pixels(i));
      for (int y = 0; y < 6; y++) {
        for (int x = 0; x < 4; x++) {
          assertThat(turned.pixels(i / 3)[i % 3 * 24 + x * 6 + y])
              .isEqualTo(pixels[i * 24 + y * 4 + x]);
        }
      }
    }
  }

  @Test
  void heldOutImagesAreNotTrainedOn() {
    byte[] pixels = new byte[100];
    int[] labels = new int[100];
    for (int i = 0; i < 100; i++) {
      pixels[i] = (byte) i;
    }
    ImageDataSet data =
        ImageDataSet.of(new ImageShape(1, 1, 1), pixels, labels, List.of("all"), "a test");

    ImageDataSet.HoldOut parts = data.holdOut(30, 5);

    List<Integer> both = new ArrayList<>(values(parts.training()));
    both.addAll(values(parts.heldOut()));
    assertThat(parts.heldOut().size()).isEqualTo(30);
    assertThat(values(parts.training())).isSorted();
    assertThat(values(parts.heldOut())).isSorted();
    assertThat(both).hasSize(100).doesNotHaveDuplicates();
    assertThat(values(data.holdOut(30, 5).heldOut())).isEqualTo(values(parts.heldOut()));
    assertThat(values(data.holdOut(30, 6).heldOut())).isNotEqualTo(values(parts.heldOut()));
  }

  private static List<Integer> values(ImageDataSet data) {
    List<Integer> values = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      values.add((int) data.pixels(i)[0]);
    }
    return values;
  }

  @Test
  void theFingerprintIsTheDocumentedHash() throws Exception {
    ByteBuffer hashed = ByteBuffer.allocate(5 * 4 + 24 + 4 * 4);
    hashed.putInt(4).putInt(2).putInt(1).putInt(3).putInt(3);
    for (int i = 0; i < 24; i++) {
      hashed.put((byte) (10 * (i / 6) + i % 6));
    }
    hashed.putInt(2).putInt(0).putInt(2).putInt(1);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(hashed.array());

    assertThat(four().fingerprint()).isEqualTo(HexFormat.of().formatHex(digest));
    assertThat(four().select(0, 1, 2, 3).fingerprint()).isEqualTo(four().fingerprint());
    assertThat(four().select(1, 0, 2, 3).fingerprint()).isNotEqualTo(four().fingerprint());
    assertThat(four().take(3).fingerprint()).isNotEqualTo(four().fingerprint());
  }

  @Test
  void refusesValuesThatDoNotFit() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ImageDataSet.of(SHAPE, new byte[0], new int[0], NAMES, "x"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ImageDataSet.of(SHAPE, new byte[11], new int[2], NAMES, "x"))
        .withMessageContaining("need 12 pixels, but there are 11");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ImageDataSet.of(SHAPE, new byte[6], new int[] {3}, NAMES, "x"))
        .withMessageContaining("label 3, expected 0 to 2");
    assertThatIllegalArgumentException().isThrownBy(() -> new ImageShape(1, 0, 28));
    assertThatIllegalArgumentException().isThrownBy(() -> new ImageShape(3, 40_000, 40_000));

    ImageDataSet data = four();
    assertThatIllegalArgumentException().isThrownBy(() -> data.take(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.take(5))
        .withMessage("5 images of 4 were asked for, expected 1 to 4.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.holdOut(4, 1))
        .withMessage("4 images of 4 were asked for, expected 1 to 3.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.takeSpread(5))
        .withMessage("5 images of 4 were asked for, expected 1 to 4.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.onlyClass(3))
        .withMessage("There is no class 3, expected 0 to 2.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ImageDataSet.of(SHAPE, new byte[6], new int[] {-1}, NAMES, "x"))
        .withMessageContaining("label -1, expected 0 to 2");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> data.take(1).onlyClass(1))
        .withMessageContaining("no image of class 1, b");
    assertThatIllegalArgumentException().isThrownBy(() -> data.select());
    assertThatIllegalArgumentException().isThrownBy(() -> data.batch());
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> data.batch(4));
  }

  // ---- from DataVec's records

  private static final INDArray IMAGE = Nd4j.createFromArray(new float[] {0, 255, 128, 1});

  @Test
  void readsTheRecordsOfAnyReader() throws IOException {
    ImageDataSet data =
        read(
            List.of(new NDArrayWritable(IMAGE.reshape(1, 2, 2)), new IntWritable(1)),
            List.of(new NDArrayWritable(IMAGE.reshape(1, 1, 2, 2)), new IntWritable(0)));

    assertThat(data.shape()).isEqualTo(new ImageShape(1, 2, 2));
    assertThat(data.pixels(1)).containsExactly(0, 255, 128, 1);
    assertThat(data.label(0)).isEqualTo(1);
  }

  @Test
  void refusesRecordsThatAreNotImages() {
    NDArrayWritable image = new NDArrayWritable(IMAGE.reshape(1, 2, 2));
    IntWritable label = new IntWritable(1);

    assertThatIOException().isThrownBy(() -> read()).withMessage("records holds no images.");
    assertThatIOException()
        .isThrownBy(() -> read(List.of(image)))
        .withMessage("Record 0 of records is not an image and a label.");
    assertThatIOException()
        .isThrownBy(() -> read(List.of(new Text("x"), label)))
        .withMessage("Record 0 of records is not an image and a label.");
    assertThatIOException()
        .isThrownBy(() -> read(List.of(image, new IntWritable(2))))
        .withMessage("Record 0 of records has the label 2, expected 0 to 1.");
    assertThatIOException()
        .isThrownBy(() -> read(List.of(new NDArrayWritable(IMAGE), label)))
        .withMessageContaining("has the shape [4], expected");
    assertThatIOException()
        .isThrownBy(
            () ->
                read(
                    List.of(image, label),
                    List.of(new NDArrayWritable(IMAGE.reshape(1, 4, 1)), label)))
        .withMessage("Record 1 of records is an image of 4x1x1, but those before it are of 2x2x1.");
    assertThatIOException()
        .isThrownBy(
            () -> read(List.of(new NDArrayWritable(IMAGE.div(255).reshape(1, 2, 2)), label)))
        .withMessageContaining("expected a whole number from 0 to 255");
    // As of images that were scaled, or have more bits.
    for (float pixel : new float[] {-1, 256}) {
      INDArray other = IMAGE.reshape(1, 2, 2).dup();
      other.putScalar(3, pixel);
      assertThatIOException()
          .isThrownBy(() -> read(List.of(new NDArrayWritable(other), label)))
          .withMessageContaining("Record 0 of records has the pixel " + pixel);
    }
    assertThatIOException()
        .isThrownBy(() -> read(List.of(image, new IntWritable(-1))))
        .withMessage("Record 0 of records has the label -1, expected 0 to 1.");
  }

  @SafeVarargs
  private static ImageDataSet read(List<Writable>... records) throws IOException {
    List<List<Writable>> all = new ArrayList<>();
    for (List<Writable> record : records) {
      all.add(record);
    }
    CollectionRecordReader reader =
        new CollectionRecordReader(all) {
          private static final long serialVersionUID = 1L;

          @Override
          public List<String> getLabels() {
            return List.of("no", "yes");
          }
        };
    return ImageDataSet.read(reader, "records");
  }
}

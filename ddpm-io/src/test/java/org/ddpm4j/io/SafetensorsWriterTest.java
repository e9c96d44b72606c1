package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SafetensorsWriterTest {

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  @Test
  void writesExactlyTheseBytes() throws IOException {
    var tensors = new LinkedHashMap<String, INDArray>();
    tensors.put("b", Nd4j.createFromArray((byte) 1, (byte) -2, (byte) 3));
    tensors.put("w", Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}}));

    SafetensorsWriter.write(file, tensors, Map.of("format", "pt"));

    // In the header as in the map, in the data the wider type first.
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"b\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[16,19]},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}";
    header += " ".repeat((8 - header.length() % 8) % 8);
    var expected = ByteBuffer.allocate(8 + header.length() + 19).order(ByteOrder.LITTLE_ENDIAN);
    expected.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
    expected.putFloat(1).putFloat(2).putFloat(3).putFloat(4);
    expected.put((byte) 1).put((byte) -2).put((byte) 3);
    assertThat(Files.readAllBytes(file)).isEqualTo(expected.array());
  }

  @Test
  void aTensorInPartsIsTheSameFileAsTheWhole() throws IOException {
    INDArray whole = Nd4j.linspace(1, 30, 30, DataType.FLOAT).reshape(5, 2, 3);
    SafetensorsWriter.write(file, Map.of("images", whole), Map.of());
    Path inParts = folder.resolve("parts.safetensors");
    SafetensorsWriter.writeInParts(
        inParts,
        "images",
        DataType.FLOAT,
        new long[] {5, 2, 3},
        next -> {
          next.accept(whole.get(NDArrayIndex.interval(0, 3)));
          next.accept(whole.get(NDArrayIndex.interval(3, 5)));
        });
    assertThat(inParts).hasSameBinaryContentAs(file);
  }

  @ParameterizedTest
  @ValueSource(longs = {4, 6})
  void partsThatAreTooFewOrTooManyLeaveNoFile(long rows) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                SafetensorsWriter.writeInParts(
                    file,
                    "images",
                    DataType.FLOAT,
                    new long[] {5, 2},
                    next -> next.accept(Nd4j.zeros(DataType.FLOAT, rows, 2))))
        .withMessageContaining("'images'");
    assertThat(folder).isEmptyDirectory();
  }

  /** The bytes of a part that is not of the tensor's kind would be its rows all the same. */
  @Test
  void partsOfAnotherKindLeaveNoFile() {
    for (INDArray part :
        new INDArray[] {
          Nd4j.zeros(DataType.DOUBLE, 5, 2),
          Nd4j.zeros(DataType.FLOAT, 5, 3),
          Nd4j.zeros(DataType.FLOAT, 5, 2, 1),
          Nd4j.scalar(DataType.FLOAT, 1)
        }) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  SafetensorsWriter.writeInParts(
                      file, "images", DataType.FLOAT, new long[] {5, 2}, next -> next.accept(part)))
          .withMessageContaining("does not belong to the tensor 'images' FLOAT[5, 2]");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void writesNoTensorsToo() throws IOException {
    SafetensorsWriter.write(file, Map.of(), Map.of());

    assertThat(Files.readAllBytes(file)).isEqualTo(SafetensorsFiles.bytes("{}      ", 0));
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.names()).isEmpty();
      assertThat(reader.metadata()).isEmpty();
      assertThat(reader.crc32c()).isZero();
    }
  }

  static Stream<Arguments> arrays() {
    INDArray matrix = Nd4j.arange(24).castTo(DataType.FLOAT).reshape(4, 6);
    INDArray cube = Nd4j.arange(24).castTo(DataType.DOUBLE).reshape(2, 3, 4);
    var manyOnes = new long[32];
    Arrays.fill(manyOnes, 1);
    manyOnes[7] = 3;
    return Stream.of(
        Arguments.of("'f' order", matrix.dup('f')),
        Arguments.of("transposed view", matrix.transpose()),
        Arguments.of("permuted view", cube.permute(2, 0, 1)),
        Arguments.of("columns", matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 2, 6))),
        Arguments.of("row with an offset", matrix.getRow(2)),
        Arguments.of("slice with an offset", cube.slice(1)),
        Arguments.of("element view", matrix.get(NDArrayIndex.point(3), NDArrayIndex.point(5))),
        Arguments.of("broadcast view", Nd4j.createFromArray(1f, 2f).reshape(1, 2).broadcast(3, 2)),
        Arguments.of("scalar", Nd4j.scalar(42f)),
        Arguments.of("one element", Nd4j.ones(DataType.FLOAT, 1)),
        Arguments.of("1 x 1", Nd4j.ones(DataType.FLOAT, 1, 1)),
        Arguments.of("empty", Nd4j.create(DataType.FLOAT, 0)),
        Arguments.of("empty, rank 3", Nd4j.create(DataType.INT64, 2, 0, 3)),
        Arguments.of("rank 32", Nd4j.ones(DataType.FLOAT, manyOnes)),
        Arguments.of("NaN and infinities", Nd4j.createFromArray(Float.NaN, 1f / 0, -1f / 0, -0f)),
        Arguments.of("larger than a block", Nd4j.arange(50_000).castTo(DataType.DOUBLE)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("arrays")
  void readsBackWhatItWrote(String what, INDArray array) throws IOException {
    double[] elements = rowMajor(array);

    SafetensorsWriter.write(file, Map.of("a", array), Map.of());

    try (var reader = SafetensorsReader.open(file)) {
      INDArray read = reader.tensor("a");
      assertThat(read.dataType()).isEqualTo(array.dataType());
      assertThat(read.shape()).isEqualTo(array.shape());
      assertThat(read.rank()).isEqualTo(array.rank());
      assertThat(read.isEmpty()).isEqualTo(array.isEmpty());
      assertThat(read.ordering()).isEqualTo('c');
      assertThat(rowMajor(read)).isEqualTo(elements);
    }
    assertThat(rowMajor(array)).as("the caller's array afterwards").isEqualTo(elements);
  }

  /** Element by element, through strides alone. */
  private static double[] rowMajor(INDArray array) {
    var elements = new double[(int) array.length()];
    long[] shape = array.shape();
    for (int i = 0; i < elements.length; i++) {
      var index = new long[shape.length];
      int rest = i;
      for (int d = shape.length - 1; d >= 0; d--) {
        index[d] = rest % shape[d];
        rest /= (int) shape[d];
      }
      elements[i] = array.rank() == 0 ? array.getDouble(0) : array.getDouble(index);
    }
    return elements;
  }

  @ParameterizedTest
  @EnumSource(SafetensorsDtype.class)
  void keepsEveryDataType(SafetensorsDtype dtype) throws IOException {
    INDArray array = Nd4j.createFromArray(0, 1, 1, 0, 1, 0).castTo(dtype.dataType()).reshape(3, 2);
    INDArray view = array.transpose();

    SafetensorsWriter.write(file, Map.of("a", array, "view", view), Map.of());

    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.tensor("a").dataType()).isEqualTo(dtype.dataType());
      assertThat(reader.tensor("a").castTo(DataType.INT32).toIntMatrix())
          .isDeepEqualTo(new int[][] {{0, 1}, {1, 0}, {1, 0}});
      assertThat(reader.tensor("view").castTo(DataType.INT32).toIntMatrix())
          .isDeepEqualTo(new int[][] {{0, 1, 1}, {1, 0, 0}});
    }
  }

  @Test
  void writesIdenticalBytesForAViewAndItsCopy() throws IOException {
    INDArray view = Nd4j.arange(24).castTo(DataType.FLOAT).reshape(4, 6).transpose();
    Path other = folder.resolve("other.safetensors");

    SafetensorsWriter.write(file, Map.of("a", view), Map.of());
    SafetensorsWriter.write(other, Map.of("a", view.dup('f')), Map.of());

    assertThat(file).hasSameBinaryContentAs(other);
  }

  @Test
  void alignsEveryTensorToItsElements() throws IOException {
    var tensors = new LinkedHashMap<String, INDArray>();
    tensors.put("u8", Nd4j.zeros(DataType.UINT8, 3));
    tensors.put("f16", Nd4j.zeros(DataType.FLOAT16, 1));
    tensors.put("f64", Nd4j.zeros(DataType.DOUBLE, 1));
    tensors.put("i32", Nd4j.zeros(DataType.INT32, 3));
    tensors.put("i64", Nd4j.zeros(DataType.INT64, 1));

    SafetensorsWriter.write(file, tensors, Map.of("x", "y"));

    byte[] bytes = Files.readAllBytes(file);
    int headerLength = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(headerLength % 8).isZero();
    var header =
        SafetensorsHeader.parse(
            file, Arrays.copyOfRange(bytes, 8, 8 + headerLength), bytes.length - 8 - headerLength);
    assertThat(header.entries().keySet()).containsExactly("u8", "f16", "f64", "i32", "i64");
    assertThat(header.entries().values())
        .allSatisfy(entry -> assertThat(entry.begin() % entry.dtype().width()).isZero());
  }

  @Test
  void worksInsideAWorkspace() throws IOException {
    INDArray read;
    try (var workspace =
        Nd4j.getWorkspaceManager()
            .getAndActivateWorkspace(
                WorkspaceConfiguration.builder().initialSize(1 << 16).build(), "io-test")) {
      SafetensorsWriter.writeWithChecksum(
          file, Map.of("a", Nd4j.createFromArray(1f, 2f, 3f)), Map.of());
      try (var reader = SafetensorsReader.open(file)) {
        reader.verifyChecksum();
        read = reader.tensor("a");
      }
      assertThat(workspace.isScopeActive()).isTrue();
    }
    assertThat(read.isAttached()).isFalse();
    assertThat(read.toFloatVector()).containsExactly(1f, 2f, 3f);
  }

  @Test
  void writesAndVerifiesTheChecksum() throws IOException {
    // The check value of CRC-32C, over the ASCII digits 1 to 9.
    INDArray digits =
        Nd4j.createFromArray(49, 50, 51, 52, 53, 54, 55, 56, 57).castTo(DataType.UINT8);

    SafetensorsWriter.writeWithChecksum(file, Map.of("a", digits), Map.of("crc32c", "stale"));

    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.metadata()).containsEntry("crc32c", "e3069283");
      assertThat(reader.crc32c()).isEqualTo(0xe3069283L);
      reader.verifyChecksum();
    }
  }

  @Test
  void findsEveryFlippedBitOfTheData() throws IOException {
    SafetensorsWriter.writeWithChecksum(
        file, Map.of("a", Nd4j.createFromArray(1f, 2f), "b", Nd4j.createFromArray(3L)), Map.of());
    byte[] bytes = Files.readAllBytes(file);
    for (int bit = 0; bit < 8 * 16; bit++) {
      byte[] damaged = bytes.clone();
      damaged[bytes.length - 1 - bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(file, damaged);
      try (var reader = SafetensorsReader.open(file)) {
        assertThatExceptionOfType(IOException.class)
            .isThrownBy(reader::verifyChecksum)
            .withMessageContaining(file.toString())
            .withMessageContaining("CRC-32C");
      }
    }
  }

  /** More than two of the blocks of a megabyte in which files are read. */
  @Test
  void theChecksumIsOfAllOfALargeFile() throws IOException {
    INDArray large = Nd4j.arange(600_000).castTo(DataType.FLOAT);
    SafetensorsWriter.writeWithChecksum(file, Map.of("a", large), Map.of());
    byte[] bytes = Files.readAllBytes(file);
    var expected = new CRC32C();
    expected.update(bytes, bytes.length - 2_400_000, 2_400_000);
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.crc32c()).isEqualTo(expected.getValue());
      reader.verifyChecksum();
    }
    for (int at : new int[] {bytes.length - 2_400_000, bytes.length - 1_200_000}) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 4;
      Files.write(file, damaged);
      try (var reader = SafetensorsReader.open(file)) {
        assertThatExceptionOfType(IOException.class).isThrownBy(reader::verifyChecksum);
      }
    }
  }

  @Test
  void passesAFileWithoutChecksum() throws IOException {
    SafetensorsWriter.write(file, Map.of("a", Nd4j.ones(2)), Map.of());
    try (var reader = SafetensorsReader.open(file)) {
      reader.verifyChecksum();
    }
  }

  static Stream<Arguments> badValues() {
    INDArray ones = Nd4j.ones(DataType.FLOAT, 2);
    var tooManyOnes = new long[33];
    Arrays.fill(tooManyOnes, 1);
    return Stream.of(
        Arguments.of(Map.of("__metadata__", ones), Map.of(), "__metadata__"),
        Arguments.of(Map.of("a\ud800", ones), Map.of(), "surrogate"),
        Arguments.of(Map.of("a", ones), Map.of("k", "\udc00"), "surrogate"),
        Arguments.of(Map.of("a", ones), Map.of("\udc00", "v"), "surrogate"),
        Arguments.of(Map.of("a", ones), Map.of("crc32c", "00000000"), "writeWithChecksum"),
        Arguments.of(Map.of("a", Nd4j.create("text")), Map.of(), "UTF8"),
        Arguments.of(Map.of("a", Nd4j.empty(DataType.FLOAT)), Map.of(), "'a'"),
        Arguments.of(Map.of("a", Nd4j.ones(DataType.FLOAT, tooManyOnes)), Map.of(), "32"),
        Arguments.of(Map.of("a", ones), Map.of("k", "v".repeat(1 << 24)), "header"));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource("badValues")
  void refusesBadValuesAndWritesNothing(
      Map<String, INDArray> tensors, Map<String, String> metadata, String part) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SafetensorsWriter.write(file, tensors, metadata))
        .withMessageContaining(part)
        .withMessageEndingWith(".");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void leavesTheOldFileWhenAnArrayCannotBeWritten() throws IOException {
    SafetensorsWriter.write(file, Map.of("a", Nd4j.ones(2)), Map.of());
    byte[] before = Files.readAllBytes(file);

    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> SafetensorsWriter.write(file, Map.of("a", Nd4j.create("text")), Map.of()));

    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(folder).isDirectoryContaining(file::equals).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void headerOfManyTensorsIsReadBack() throws IOException {
    var tensors = new LinkedHashMap<String, INDArray>();
    INDArray one = Nd4j.ones(DataType.FLOAT, 1);
    for (int i = 0; i < 2_000; i++) {
      tensors.put("down_blocks." + i + ".resnets.0.conv1.weight", one);
    }
    SafetensorsWriter.write(file, tensors, Map.of());
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.names()).containsExactlyElementsOf(tensors.keySet());
    }
  }
}

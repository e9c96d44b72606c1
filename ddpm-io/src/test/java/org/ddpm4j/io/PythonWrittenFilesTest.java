package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Files written by Python's safetensors package. The expected values of pytorch-written were read
 * from its bytes with Python's struct and NumPy, those of every-dtype are in every-dtype.py.
 */
class PythonWrittenFilesTest {

  @TempDir Path folder;

  @Test
  void readsTheHeaderOfAFileFromPyTorch() throws IOException {
    try (var reader =
        SafetensorsReader.open(SafetensorsFiles.resource("pytorch-written.safetensors"))) {
      assertThat(reader.names()).containsExactly("t", "g", "x", "y");
      assertThat(reader.metadata()).isEmpty();
      assertThat(reader.dataType("t")).isEqualTo(DataType.INT64);
      assertThat(reader.shape("t")).containsExactly(2);
      assertThat(reader.dataType("x")).isEqualTo(DataType.FLOAT);
      assertThat(reader.shape("x")).containsExactly(2, 1, 28, 28);
      assertThat(reader.crc32c()).isEqualTo(0x91559cbeL);
    }
  }

  @Test
  void readsTheNumbersOfAFileFromPyTorch() throws IOException {
    try (var reader =
        SafetensorsReader.open(SafetensorsFiles.resource("pytorch-written.safetensors"))) {
      assertThat(reader.tensor("t").toLongVector()).containsExactly(3, 411);
      assertImages(reader.tensor("g"), 1.3796528577804565f, 0.10650732f, 0.7489797472953796f);
      assertImages(reader.tensor("x"), -1.1680998802185059f, -0.93044186f, 1.2126574516296387f);
      assertImages(reader.tensor("y"), 0.10734232515096664f, 0.7921864f, 0.20517383515834808f);
      assertSums(reader.tensor("g"), 35.26562038518023, 1218.0247736502206);
      assertSums(reader.tensor("x"), 28.86364473721187, 1230.3916926820384);
      assertSums(reader.tensor("y"), -26.307809472549707, 660.1139415712096);
    }
  }

  private static void assertImages(INDArray images, float first, float inside, float last) {
    assertThat(images.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(images.shape()).containsExactly(2, 1, 28, 28);
    assertThat(images.ordering()).isEqualTo('c');
    assertThat(images.getFloat(0, 0, 0, 0)).isEqualTo(first);
    assertThat(images.getFloat(1, 0, 5, 17)).isEqualTo(inside);
    assertThat(images.getFloat(1, 0, 27, 27)).isEqualTo(last);
  }

  private static void assertSums(INDArray images, double sum, double sumOfMagnitudes) {
    INDArray doubles = images.castTo(DataType.DOUBLE);
    assertThat(doubles.sumNumber().doubleValue()).isCloseTo(sum, within(1e-9));
    assertThat(doubles.norm1Number().doubleValue()).isCloseTo(sumOfMagnitudes, within(1e-9));
  }

  @Test
  void readsEveryDtype() throws IOException {
    try (var reader =
        SafetensorsReader.open(SafetensorsFiles.resource("every-dtype.safetensors"))) {
      assertEveryDtype(reader);
    }
  }

  @Test
  void writesEveryDtypeAsItWasRead() throws IOException {
    Path copy = folder.resolve("copy.safetensors");
    try (var reader =
        SafetensorsReader.open(SafetensorsFiles.resource("every-dtype.safetensors"))) {
      var tensors = new LinkedHashMap<String, INDArray>();
      for (String name : reader.names()) {
        tensors.put(name, reader.tensor(name));
      }
      SafetensorsWriter.write(copy, tensors, reader.metadata());
    }
    try (var reader = SafetensorsReader.open(copy)) {
      assertEveryDtype(reader);
    }
  }

  private static void assertEveryDtype(SafetensorsReader reader) throws IOException {
    assertThat(reader.metadata()).isEqualTo(Map.of("format", "pt", "ключ", "значение \"x\"\n"));
    assertThat(reader.names()).hasSize(16);
    assertThat(tensor(reader, "f64", DataType.DOUBLE).toDoubleVector())
        .containsExactly(0.1, -1e300);
    assertThat(tensor(reader, "f32", DataType.FLOAT).toFloatMatrix())
        .isDeepEqualTo(new float[][] {{0, 1, 2}, {3, 4, 5.5f}});
    assertThat(tensor(reader, "f16", DataType.FLOAT16).castTo(DataType.FLOAT).toFloatVector())
        .containsExactly(1.5f, -65504f);
    assertThat(tensor(reader, "bf16", DataType.BFLOAT16).castTo(DataType.FLOAT).toFloatVector())
        .containsExactly(1f, -3.140625f);
    assertThat(tensor(reader, "i64", DataType.INT64).toLongVector())
        .containsExactly(Long.MIN_VALUE, Long.MAX_VALUE);
    assertThat(tensor(reader, "i32", DataType.INT32).toIntVector())
        .containsExactly(Integer.MIN_VALUE, Integer.MAX_VALUE);
    assertThat(tensor(reader, "i16", DataType.INT16).toIntVector())
        .containsExactly(Short.MIN_VALUE, Short.MAX_VALUE);
    assertThat(tensor(reader, "i8", DataType.INT8).toIntVector())
        .containsExactly(Byte.MIN_VALUE, Byte.MAX_VALUE);
    assertThat(tensor(reader, "u64", DataType.UINT64).getLong(0)).isEqualTo((1L << 53) - 1);
    assertThat(tensor(reader, "u32", DataType.UINT32).getLong(1)).isEqualTo((1L << 32) - 1);
    assertThat(tensor(reader, "u16", DataType.UINT16).getLong(1)).isEqualTo((1 << 16) - 1);
    assertThat(tensor(reader, "u8", DataType.UINT8).getLong(1)).isEqualTo(255);
    INDArray bool = tensor(reader, "bool", DataType.BOOL);
    assertThat(bool.castTo(DataType.INT32).toIntVector()).containsExactly(1, 0, 1);
    INDArray scalar = tensor(reader, "scalar", DataType.FLOAT);
    assertThat(scalar.isScalar()).isTrue();
    assertThat(scalar.rank()).isZero();
    assertThat(scalar.getFloat(0)).isEqualTo(42f);
    INDArray empty = tensor(reader, "empty", DataType.FLOAT);
    assertThat(empty.isEmpty()).isTrue();
    assertThat(empty.shape()).containsExactly(2, 0, 3);
    assertThat(tensor(reader, "naïve \"quoted\" 名", DataType.FLOAT).getFloat(0)).isEqualTo(7f);
  }

  private static INDArray tensor(SafetensorsReader reader, String name, DataType dataType)
      throws IOException {
    assertThat(reader.dataType(name)).isEqualTo(dataType);
    INDArray array = reader.tensor(name);
    assertThat(array.dataType()).isEqualTo(dataType);
    assertThat(array.shape()).isEqualTo(reader.shape(name));
    return array;
  }
}

package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Every way in which a file can be wrong is refused with one sentence that names the file. */
class HostileSafetensorsTest {

  @TempDir Path folder;

  static Stream<Arguments> badLengths() {
    return Stream.of(
        arguments("empty file", new byte[0], "0 bytes"),
        arguments("7 bytes", new byte[7], "7 bytes"),
        arguments("header length 0", SafetensorsFiles.bytes(0, new byte[0], 8), "length is 0"),
        arguments(
            "header length beyond the file",
            SafetensorsFiles.bytes(3, new byte[] {'{', '}'}, 0),
            "only 2 bytes follow"),
        arguments("nothing after the length", SafetensorsFiles.bytes(2, new byte[0], 0), "only 0"),
        arguments(
            "header length of 100 MB and one byte",
            SafetensorsFiles.bytes(100_000_001, new byte[] {'{', '}'}, 0),
            "100000001"),
        arguments(
            "header length over this reader's limit",
            SafetensorsFiles.bytes((1 << 24) + 1, new byte[] {'{', '}'}, 0),
            "more than the 16777216 bytes"),
        arguments(
            "header length negative as signed",
            SafetensorsFiles.bytes(-1, new byte[] {'{', '}'}, 0),
            "18446744073709551615"),
        arguments(
            "smallest negative header length",
            SafetensorsFiles.bytes(Long.MIN_VALUE, new byte[] {'{', '}'}, 0),
            "9223372036854775808"),
        arguments(
            "not UTF-8",
            SafetensorsFiles.bytes(5, new byte[] {'{', '"', (byte) 0xff, '"', '}'}, 0),
            "UTF-8"),
        arguments(
            "overlong UTF-8",
            SafetensorsFiles.bytes(6, new byte[] {'{', '"', (byte) 0xc0, (byte) 0xaf, '"', '}'}, 0),
            "UTF-8"),
        arguments(
            "UTF-8 cut off",
            SafetensorsFiles.bytes(3, new byte[] {'{', '}', (byte) 0xc3}, 0),
            "UTF-8"),
        arguments(
            "UTF-16",
            SafetensorsFiles.bytes(4, "{}".getBytes(StandardCharsets.UTF_16LE), 0),
            "JSON"),
        arguments(
            "byte order mark", SafetensorsFiles.bytes("\ufeff{}", 0), "does not begin with '{'"),
        arguments("a pickle", "\u0080\u0002}q\u0000X\u0004trick".getBytes(), "header length"),
        arguments(
            "a ZIP", "PK\u0003\u0004 and so on".getBytes(), "it is a ZIP archive; unpack it."),
        arguments(
            "a Git LFS pointer",
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".getBytes(),
            "it is a Git LFS pointer, which only stands for the file; get the file itself"),
        arguments("a page", "<!DOCTYPE html><html></html>".getBytes(), "it is a web page"),
        arguments(
            "a pickle with its protocol",
            new byte[] {(byte) 0x80, 2, '}', 'q', 0, 'X', 4, 0, 0},
            "it is a pickle"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badLengths")
  void refusesBadLengths(String what, byte[] bytes, String part) throws IOException {
    assertRefused(bytes, part);
  }

  static Stream<Arguments> badHeaders() {
    return Stream.of(
        // JSON
        header("leading space", " {}", 0, "begin with '{'"),
        header("a list", "[]", 0, "begin with '{'"),
        header("null", "null", 0, "begin with '{'"),
        header("only a brace", "{", 0, "JSON"),
        header("unclosed entry", "{\"a\":{\"dtype\":\"U8\"", 0, "JSON"),
        header("unquoted name", "{a:1}", 0, "JSON"),
        header("trailing comma", "{" + entry("a", "U8", "[0]", "[0,0]") + ",}", 0, "JSON"),
        header("comment", "{/* */}", 0, "JSON"),
        header("single quotes", "{'a':1}", 0, "JSON"),
        header("NaN", "{\"a\":NaN}", 0, "JSON"),
        header("raw line feed in a name", "{\"a\n\":{}}", 0, "JSON"),
        header("zeros for padding", "{}\u0000\u0000", 0, "JSON"),
        header("second object", "{}{}", 0, "goes on"),
        header("trailing number", "{} 1", 0, "goes on"),
        header("trailing garbage", "{}x", 0, "JSON"),
        header("deep nesting", "{\"a\":" + "[".repeat(100_000), 0, "JSON"),
        header(
            "deep nesting in an unknown field",
            "{\"a\":{\"x\":" + "[".repeat(50) + "]".repeat(50) + "}}",
            0,
            "JSON"),
        header(
            "number of a million digits",
            "{" + entry("a", "U8", "[" + "9".repeat(1_000_000) + "]", "[0,1]") + "}",
            1,
            "valid"),
        header("half a surrogate pair", "{\"\\ud800\":{}}", 0, "surrogate"),
        header("half a pair in metadata", "{\"__metadata__\":{\"k\":\"\\udc00\"}}", 0, "surrogate"),
        // entries
        header("entry is a number", "{\"a\":1}", 0, "not described by a JSON object"),
        header("entry is null", "{\"a\":null}", 0, "not described by a JSON object"),
        header("entry is a list", "{\"a\":[]}", 0, "not described by a JSON object"),
        header("empty entry", "{\"a\":{}}", 0, "no dtype"),
        header("no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "no dtype"),
        header("no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "no shape"),
        header("no offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "no data_offsets"),
        header("dtype is a number", raw("a", "5", "[1]", "[0,1]"), 1, "dtype that is not a string"),
        header("dtype is null", raw("a", "null", "[1]", "[0,1]"), 1, "dtype that is not a string"),
        header("unknown dtype", file(entry("a", "Q9", "[1]", "[0,1]")), 1, "'Q9'"),
        header("dtype in lower case", file(entry("a", "f32", "[1]", "[0,4]")), 4, "'f32'"),
        header("empty dtype", file(entry("a", "", "[1]", "[0,1]")), 1, "''"),
        header("F8_E4M3", file(entry("a", "F8_E4M3", "[1]", "[0,1]")), 1, "F8_E4M3"),
        header("F8_E5M2", file(entry("a", "F8_E5M2", "[1]", "[0,1]")), 1, "F8_E5M2"),
        header("F8_E8M0", file(entry("a", "F8_E8M0", "[1]", "[0,1]")), 1, "F8_E8M0"),
        header("F4, half a byte", file(entry("a", "F4", "[3]", "[0,1]")), 1, "F4"),
        header("F6", file(entry("a", "F6_E2M3", "[4]", "[0,3]")), 3, "F6_E2M3"),
        header("C64", file(entry("a", "C64", "[1]", "[0,8]")), 8, "C64"),
        header("shape is a number", file(entry("a", "U8", "1", "[0,1]")), 1, "not a list"),
        header("shape is null", file(entry("a", "U8", "null", "[0,1]")), 1, "not a list"),
        header("shape is an object", file(entry("a", "U8", "{}", "[0,1]")), 1, "not a list"),
        header("dimension is a string", file(entry("a", "U8", "[\"1\"]", "[0,1]")), 1, "'1'"),
        header("dimension is a fraction", file(entry("a", "U8", "[1.0]", "[0,1]")), 1, "'1.0'"),
        header("dimension in exponents", file(entry("a", "U8", "[1e0]", "[0,1]")), 1, "'1e0'"),
        header("dimension is null", file(entry("a", "U8", "[null]", "[0,1]")), 1, "'null'"),
        header("dimension is a list", file(entry("a", "U8", "[[1]]", "[0,1]")), 1, "'['"),
        header("negative dimension", file(entry("a", "U8", "[-1]", "[0,1]")), 1, "'-1'"),
        header("two negative ones", file(entry("a", "U8", "[-1,-1]", "[0,1]")), 1, "'-1'"),
        header(
            "dimension beyond a long",
            file(entry("a", "U8", "[9223372036854775808]", "[0,1]")),
            1,
            "'9223372036854775808'"),
        header(
            "product is 0 modulo 2^64",
            file(entry("a", "U8", "[4294967296,4294967296]", "[0,0]")),
            0,
            "larger than"),
        header(
            "product is 1 modulo 2^64",
            file(entry("a", "U8", "[9223372036854775807,9223372036854775807]", "[0,1]")),
            1,
            "larger than"),
        header(
            "times the width is 0 modulo 2^64",
            file(entry("a", "F64", "[2305843009213693952]", "[0,0]")),
            0,
            "larger than"),
        header(
            "empty, with strides that overflow",
            file(entry("a", "U8", "[0,4294967296,4294967296]", "[0,0]")),
            0,
            "larger than"),
        header("too few bytes", file(entry("a", "F32", "[2]", "[0,7]")), 7, "span 7"),
        header("too many bytes", file(entry("a", "F32", "[2]", "[0,9]")), 9, "takes 8"),
        header("scalar without bytes", file(entry("a", "F32", "[]", "[0,0]")), 0, "takes 4"),
        header("empty with bytes", file(entry("a", "F32", "[0]", "[0,4]")), 4, "takes 0"),
        header(
            "rank 33",
            file(entry("a", "U8", Collections.nCopies(33, 1).toString(), "[0,1]")),
            1,
            "32"),
        header("no offset", file(entry("a", "U8", "[1]", "[]")), 1, "0 data_offsets"),
        header("one offset", file(entry("a", "U8", "[1]", "[0]")), 1, "1 data_offsets"),
        header("three offsets", file(entry("a", "U8", "[1]", "[0,1,1]")), 1, "more than the 2"),
        header("offsets in a string", file(entry("a", "U8", "[1]", "\"0,1\"")), 1, "not a list"),
        header("offset is a fraction", file(entry("a", "U8", "[1]", "[0,1.5]")), 1, "'1.5'"),
        header("offset is true", file(entry("a", "U8", "[1]", "[0,true]")), 1, "'true'"),
        header("negative offset", file(entry("a", "U8", "[1]", "[-1,0]")), 1, "'-1'"),
        header("begins after its end", file(entry("a", "U8", "[1]", "[1,0]")), 1, "after its end"),
        header("ends beyond the file", file(entry("a", "U8", "[2]", "[0,2]")), 1, "only 1"),
        header(
            "ends far beyond the file",
            file(entry("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]")),
            1,
            "only 1"),
        header("data all missing", file(entry("a", "F32", "[2]", "[0,8]")), 0, "cut off"),
        header(
            "dtype twice",
            "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
            1,
            "dtype twice"),
        header(
            "shape twice",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[2],\"data_offsets\":[0,1]}}",
            1,
            "shape twice"),
        header(
            "offsets twice",
            "{\"a\":{\"data_offsets\":[0,1],\"dtype\":\"U8\",\"data_offsets\":[0,1]}}",
            1,
            "data_offsets twice"),
        // between entries
        header(
            "name twice",
            file(entry("a", "U8", "[1]", "[0,1]"), entry("a", "U8", "[1]", "[1,2]")),
            2,
            "'a' twice"),
        header(
            "name twice, once escaped",
            file(entry("a", "U8", "[1]", "[0,1]"), entry("\\u0061", "U8", "[1]", "[1,2]")),
            2,
            "'a' twice"),
        header(
            "same bytes twice",
            file(entry("a", "U8", "[2]", "[0,2]"), entry("b", "U8", "[2]", "[0,2]")),
            2,
            "'a' and 'b' overlap at byte 0"),
        header(
            "overlap by one byte",
            file(entry("a", "U8", "[2]", "[0,2]"), entry("b", "U8", "[2]", "[1,3]")),
            3,
            "overlap at byte 1"),
        header(
            "empty tensor within another",
            file(entry("a", "U8", "[2]", "[0,2]"), entry("b", "U8", "[0]", "[1,1]")),
            2,
            "overlap at byte 1"),
        header("hole at the beginning", file(entry("a", "U8", "[1]", "[1,2]")), 2, "0 to 1"),
        header(
            "hole in the middle",
            file(entry("a", "U8", "[1]", "[0,1]"), entry("b", "U8", "[1]", "[2,3]")),
            3,
            "1 to 2"),
        header("trailing byte", file(entry("a", "U8", "[1]", "[0,1]")), 2, "go on to byte 2"),
        header("data without tensors", "{}", 3, "go on to byte 3"),
        // metadata
        header("metadata is null", "{\"__metadata__\":null}", 0, "not a JSON object"),
        header("metadata is a string", "{\"__metadata__\":\"pt\"}", 0, "not a JSON object"),
        header("metadata is a list", "{\"__metadata__\":[]}", 0, "not a JSON object"),
        header("metadata number", "{\"__metadata__\":{\"step\":5}}", 0, "'step'"),
        header("metadata null", "{\"__metadata__\":{\"step\":null}}", 0, "'step'"),
        header("metadata object", "{\"__metadata__\":{\"step\":{}}}", 0, "'step'"),
        header("metadata key twice", "{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "'k' twice"),
        header("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice"),
        header(
            "metadata shaped like a tensor",
            file(entry("__metadata__", "U8", "[0]", "[0,0]")),
            0,
            "'shape'"),
        // names in sentences
        header("name with a line feed", file(entry("a\\nb", "U8", "[1]", "[0,9]")), 1, "'a?b'"),
        header("name with an escape", file(entry("\\u001b[31m", "U8", "[1]", "[0,9]")), 1, "'?["),
        header(
            "name of a million letters",
            file(entry("x".repeat(1_000_000), "U8", "[1]", "[0,9]")),
            1,
            "x…'"));
  }

  private static Arguments header(String what, String header, int dataLength, String part) {
    return arguments(what, header, dataLength, part);
  }

  private static String file(String... entries) {
    return "{" + String.join(",", entries) + "}";
  }

  private static String entry(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }

  private static String raw(String name, String dtype, String shape, String offsets) {
    return file(entry(name, "@", shape, offsets)).replace("\"@\"", dtype);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badHeaders")
  void refusesBadHeaders(String what, String header, int dataLength, String part)
      throws IOException {
    assertRefused(SafetensorsFiles.bytes(header, dataLength), part);
  }

  /** Whoever cancels a request that reads a model should not look for a fault of the disk. */
  @Test
  void anInterruptIsCalledOne() throws IOException {
    Path file = SafetensorsFiles.write(folder, SafetensorsFiles.bytes("{}", 0));
    Thread.currentThread().interrupt();
    try {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> SafetensorsReader.open(file))
          .withMessage("The file %s could not be read because its thread was interrupted.", file);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  private void assertRefused(byte[] bytes, String part) throws IOException {
    Path file = SafetensorsFiles.write(folder, bytes);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> SafetensorsReader.open(file))
        .satisfies(e -> assertOneSentence(e.getMessage(), file))
        .withMessageContaining(part);
    Path resource = Path.of("resource");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> SafetensorsReader.of(bytes, resource))
        .satisfies(e -> assertOneSentence(e.getMessage(), resource));
  }

  private static void assertOneSentence(String message, Path file) {
    assertThat(message)
        .startsWith("The file " + file + " ")
        .endsWith(".")
        .doesNotContain(". ", "\n", "null)")
        .hasSizeLessThan(600);
  }

  static Stream<Arguments> goodHeaders() {
    return Stream.of(
        header("nothing", "{}", 0, ""),
        header("padding with spaces", "{}      ", 0, ""),
        header("other JSON white space", "{\n\t}\r\n", 0, ""),
        header("empty metadata", "{\"__metadata__\":{}}", 0, ""),
        header("unaligned header", file(entry("a", "F32", "[1]", "[0,4]")) + " ", 4, "a"),
        header(
            "entries out of order",
            file(entry("b", "F64", "[1]", "[8,16]"), entry("a", "F64", "[]", "[0,8]")),
            16,
            "b,a"),
        header(
            "empty tensors at every border",
            file(
                entry("c", "U8", "[0]", "[2,2]"),
                entry("a", "U8", "[2]", "[0,2]"),
                entry("b", "F64", "[3,0]", "[0,0]")),
            2,
            "c,a,b"),
        header(
            "a field of the future",
            file(entry("a", "U8", "[1]", "[0,1],\"scale\":{\"x\":[1,{}]}")),
            1,
            "a"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("goodHeaders")
  void readsUnusualButValidFiles(String what, String header, int dataLength, String names)
      throws IOException {
    Path file = SafetensorsFiles.write(folder, SafetensorsFiles.bytes(header, dataLength));
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(String.join(",", reader.names())).isEqualTo(names);
      for (String name : reader.names()) {
        assertThat(reader.tensor(name).shape()).isEqualTo(reader.shape(name));
      }
    }
  }

  @Test
  void refusesABooleanThatIsNeitherTrueNorFalse() throws IOException {
    byte[] bytes = SafetensorsFiles.bytes(file(entry("a", "BOOL", "[2]", "[0,2]")), 2);
    bytes[bytes.length - 1] = (byte) 200;
    Path file = SafetensorsFiles.write(folder, bytes);
    try (var reader = SafetensorsReader.open(file)) {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> reader.tensor("a"))
          .satisfies(e -> assertOneSentence(e.getMessage(), file))
          .withMessageContaining("byte 200");
    }
  }

  @Test
  void refusesATensorOfMoreThan2GiBWithoutAllocatingIt() throws IOException {
    byte[] header =
        SafetensorsFiles.bytes(file(entry("a", "U8", "[3000000000]", "[0,3000000000]")), 0);
    Path file = SafetensorsFiles.write(folder, header);
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(header.length + 3_000_000_000L);
    }
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> SafetensorsReader.open(file))
        .satisfies(e -> assertOneSentence(e.getMessage(), file))
        .withMessageContaining("larger than the 2147483647 bytes");
  }

  @Test
  void readsAHeaderOfTheGreatestLength() throws IOException {
    var header = new StringBuilder("{");
    while (header.length() < (1 << 24) - 100) {
      header.append(entry(Integer.toString(header.length(), 36), "U8", "[0]", "[0,0]")).append(',');
    }
    header.setCharAt(header.length() - 1, '}');
    header.append(" ".repeat((1 << 24) - header.length()));
    Path file = SafetensorsFiles.write(folder, SafetensorsFiles.bytes(header.toString(), 0));
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.names()).hasSizeGreaterThan(250_000);
    }
  }

  @Test
  void readsManyNamesOfOneHashCode() throws IOException {
    var names = new ArrayList<>(List.of(""));
    for (int i = 0; i < 14; i++) {
      var longer = new ArrayList<String>();
      names.forEach(name -> Collections.addAll(longer, name + "Aa", name + "BB"));
      names = longer;
    }
    String[] entries =
        names.stream().map(name -> entry(name, "U8", "[0]", "[0,0]")).toArray(String[]::new);
    Path file = SafetensorsFiles.write(folder, SafetensorsFiles.bytes(file(entries), 0));
    try (var reader = SafetensorsReader.open(file)) {
      assertThat(reader.names()).hasSize(1 << 14);
    }
  }

  @Test
  void namesAMissingFile() {
    Path file = folder.resolve("missing.safetensors");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> SafetensorsReader.open(file))
        .satisfies(e -> assertOneSentence(e.getMessage(), file))
        .withCauseInstanceOf(NoSuchFileException.class);
  }

  @Test
  void refusesAFolder() {
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> SafetensorsReader.open(folder))
        .satisfies(e -> assertOneSentence(e.getMessage(), folder));
  }

  @Test
  void namesAMissingTensor() throws IOException {
    Path file = SafetensorsFiles.write(folder, SafetensorsFiles.bytes("{}", 0));
    try (var reader = SafetensorsReader.open(file)) {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> reader.tensor("conv.weight"))
          .satisfies(e -> assertOneSentence(e.getMessage(), file))
          .withMessageContaining("'conv.weight'");
    }
  }

  @Test
  void noticesAFileThatShrinksWhileItIsOpen() throws IOException {
    byte[] bytes = SafetensorsFiles.bytes(file(entry("a", "F32", "[4]", "[0,16]")), 16);
    Path file = SafetensorsFiles.write(folder, bytes);
    try (var reader = SafetensorsReader.open(file)) {
      try (var writer = new RandomAccessFile(file.toFile(), "rw")) {
        writer.setLength(bytes.length - 1);
      }
      for (Callable<?> read : List.<Callable<?>>of(() -> reader.tensor("a"), reader::crc32c)) {
        assertThatExceptionOfType(IOException.class)
            .isThrownBy(read::call)
            .satisfies(e -> assertOneSentence(e.getMessage(), file))
            .withMessageContaining("shorter");
      }
    }
  }

  @Test
  void namesTheFileWhenItHasBeenClosed() throws IOException {
    Path file =
        SafetensorsFiles.write(
            folder, SafetensorsFiles.bytes(file(entry("a", "U8", "[1]", "[0,1]")), 1));
    SafetensorsReader reader = SafetensorsReader.open(file);
    reader.close();
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> reader.tensor("a"))
        .satisfies(e -> assertOneSentence(e.getMessage(), file))
        .withMessageContaining("ClosedChannelException");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void closesARefusedFile() throws IOException {
    Path file = SafetensorsFiles.write(folder, new byte[9]);
    var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long before = system.getOpenFileDescriptorCount();
    for (int i = 0; i < 500; i++) {
      assertThatExceptionOfType(IOException.class).isThrownBy(() -> SafetensorsReader.open(file));
    }
    assertThat(system.getOpenFileDescriptorCount() - before).isLessThan(100);
  }

  @Test
  void severalThreadsRead() throws Exception {
    var tensors = new LinkedHashMap<String, INDArray>();
    for (int i = 0; i < 8; i++) {
      tensors.put("t" + i, Nd4j.valueArrayOf(new long[] {10_000}, (double) i));
    }
    Path file = folder.resolve("model.safetensors");
    SafetensorsWriter.write(file, tensors, Map.of());
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (var reader = SafetensorsReader.open(file)) {
      var jobs = new ArrayList<Future<Boolean>>();
      for (int job = 0; job < 64; job++) {
        String name = "t" + job % 8;
        jobs.add(threads.submit(() -> reader.tensor(name).equals(tensors.get(name))));
      }
      for (Future<Boolean> job : jobs) {
        assertThat(job.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }
}

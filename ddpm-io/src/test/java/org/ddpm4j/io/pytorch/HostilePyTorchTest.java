package org.ddpm4j.io.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that were damaged, or made to do harm: each is refused with one sentence. */
class HostilePyTorchTest {

  private static final String PROTO = "\u0080\u0002";

  @TempDir Path folder;

  /** A pickle, a character for each byte, in an archive with a storage 0 of four bytes. */
  private Path archive(String pickle) throws IOException {
    return archive(pickle.getBytes(StandardCharsets.ISO_8859_1), false);
  }

  private Path archive(byte[] pickle, boolean compressed) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      put(zip, "archive/data.pkl", pickle, compressed);
      put(zip, "archive/data/0", new byte[] {0, 0, (byte) 128, 63}, compressed);
    }
    return Files.write(folder.resolve("hostile.pt"), bytes.toByteArray());
  }

  private static void put(ZipOutputStream zip, String name, byte[] content, boolean compressed)
      throws IOException {
    var entry = new ZipEntry(name);
    if (!compressed) {
      var crc = new CRC32();
      crc.update(content);
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(content.length);
      entry.setCrc(crc.getValue());
    }
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  private static String text(String value) {
    return "X" + littleEndian(value.length()) + value;
  }

  private static String integer(int value) {
    return "J" + littleEndian(value);
  }

  private static String littleEndian(int value) {
    byte[] bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A tensor of the storage 0, which has {@code elements} floats. */
  private static String tensor(int elements, int offset, int size, int stride) {
    return "ctorch._utils\n_rebuild_tensor_v2\n(("
        + text("storage")
        + "ctorch\nFloatStorage\n"
        + text("0")
        + text("cpu")
        + integer(elements)
        + "tQ"
        + integer(offset)
        + integer(size)
        + "\u0085"
        + integer(stride)
        + "\u0085\u0089ccollections\nOrderedDict\n)RtR";
  }

  private static String stateDict(String tensor) {
    return PROTO + "}" + text("w") + tensor + "s.";
  }

  private void assertRefused(String pickle, String reason) throws IOException {
    Path file = archive(pickle);
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(file).close())
        .withMessageStartingWith("The file " + file)
        .withMessageContaining(reason)
        .withMessageEndingWith(".");
  }

  @Test
  void theArchiveOfTheseTestsIsRead() throws IOException {
    try (PyTorchReader reader = PyTorchReader.open(archive(stateDict(tensor(1, 0, 1, 1))))) {
      assertThat(reader.tensor("w").toFloatVector()).containsExactly(1);
    }
  }

  /**
   * What the pickles of large models have and those of small ones do not, and what other protocols
   * write. Python's {@code pickle} reads each of these as these tensors.
   */
  @ParameterizedTest(name = "[{index}] {1}")
  @MethodSource("wholePickles")
  void theRarerOpcodesAreRead(String pickle, String names) throws IOException {
    try (PyTorchReader reader = PyTorchReader.open(archive(PROTO + pickle))) {
      assertThat(reader.names()).containsExactly(names.split(" "));
      for (String name : reader.names()) {
        assertThat(reader.tensor(name).toFloatVector()).containsExactly(1);
      }
    }
  }

  static Stream<Arguments> wholePickles() {
    String w = tensor(1, 0, 1, 1);
    String index = littleEndian(300);
    String pair = text("a") + w + "\u0086";
    return Stream.of(
        Arguments.of("}(" + text("a") + w + "r" + index + text("b") + "j" + index + "u.", "a b"),
        Arguments.of("}" + text("x") + "](" + w + "2es.", "x.0 x.1"),
        Arguments.of("}" + text("x") + "]" + w + "as.", "x.0"),
        Arguments.of("(" + text("a") + w + "d.", "a"),
        Arguments.of("}\u008d\u0001\0\0\0\0\0\0\0a" + w + "s.", "a"),
        Arguments.of("ccollections\nOrderedDict\n]" + pair + "a\u0085R.", "a"),
        // LONG1 of no byte is 0, and of eight one of 64 bits, as storages of 2³¹ elements have.
        Arguments.of(
            "}"
                + text("a")
                + w.replace(integer(0) + integer(1), "\u008a\u0000\u008a\u0008\u0001\0\0\0\0\0\0\0")
                + "s.",
            "a"));
  }

  /** PyTorch's flag of a view of -x: without it the weights would have the wrong sign. */
  @Test
  void refusesTensorsWithMetadata() throws IOException {
    String negative = tensor(1, 0, 1, 1).replace(")RtR", ")R}" + text("neg") + "\u0088stR");
    assertRefused(stateDict(negative), "a tensor with metadata");

    for (String none : new String[] {"}", "N"}) {
      String usual = tensor(1, 0, 1, 1).replace(")RtR", ")R" + none + "tR");
      try (PyTorchReader reader = PyTorchReader.open(archive(stateDict(usual)))) {
        assertThat(reader.tensor("w").toFloatVector()).containsExactly(1);
      }
    }
  }

  @Test
  void refusesViewsOfStorages() throws IOException {
    String id = text("cpu") + integer(1);
    String view = text("1") + integer(0) + integer(1) + "\u0087";
    assertRefused(
        stateDict(tensor(1, 0, 1, 1).replace(id, id + view)), "views of storages, as PyTorch had");
    String none = tensor(1, 0, 1, 1).replace(id, id + "N");
    try (PyTorchReader reader = PyTorchReader.open(archive(stateDict(none)))) {
      assertThat(reader.tensor("w").toFloatVector()).containsExactly(1);
    }
  }

  @Test
  void refusesBytesThatAreNoBooleans() throws IOException {
    String flags = stateDict(tensor(4, 0, 4, 1).replace("FloatStorage", "BoolStorage"));
    try (PyTorchReader reader = PyTorchReader.open(archive(flags))) {
      assertThatIOException()
          .isThrownBy(() -> reader.tensor("w"))
          .withMessageContaining("'w' of dtype bool has the byte 128");
    }
  }

  /** Read as little-endian they would be other numbers. */
  @Test
  void refusesBigEndianNumbers() throws IOException {
    Path zip = folder.resolve("big.pt");
    for (String order : new String[] {"big", "little"}) {
      try (var out = new ZipOutputStream(Files.newOutputStream(zip))) {
        byte[] pickle = stateDict(tensor(1, 0, 1, 1)).getBytes(StandardCharsets.ISO_8859_1);
        put(out, "archive/data.pkl", pickle, false);
        put(out, "archive/byteorder", order.getBytes(StandardCharsets.US_ASCII), false);
        put(out, "archive/data/0", new byte[] {0, 0, (byte) 128, 63}, false);
      }
      if (order.equals("big")) {
        assertThatIOException()
            .isThrownBy(() -> PyTorchReader.open(zip))
            .withMessageContaining("big-endian");
      }
    }
    readAll(zip);

    // In the older format a flag says so.
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(legacy("little_endianq\u0002\u0088", 15, 0x89)))
        .withMessageContaining("big-endian");
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(legacy("M\u00e9\u0003.", 1, 0xea)))
        .withMessageContaining("another version of the format than 1001");
  }

  /** A file of the older format with one byte changed. */
  private Path legacy(String found, int at, int value) throws IOException {
    byte[] bytes = Files.readAllBytes(PyTorchReaderTest.resource("views-legacy.pt"));
    int place = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(found);
    assertThat(place).isPositive();
    bytes[place + at] = (byte) value;
    return Files.write(folder.resolve("legacy.pt"), bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "posix, system",
    "os, system",
    "builtins, eval",
    "builtins, getattr",
    "__builtin__, exec",
    "subprocess, Popen",
    "torch, load",
    "torch._utils, _rebuild_sparse_tensor",
    "collections, defaultdict"
  })
  void callsNothing(String module, String name) throws IOException {
    String call = PROTO + "c" + module + "\n" + name + "\n(" + text("touch /tmp/pwned") + "tR.";

    assertRefused(call, "it asks for '" + module + "." + name + "'");
  }

  @ParameterizedTest
  @CsvSource({
    "i, INST",
    "o, OBJ",
    "\u0081, NEWOBJ",
    "\u0082, EXT1",
    "\u0092, NEWOBJ_EX",
    "P, PERSID",
    "\u0096, BYTEARRAY8",
    "\u0097, NEXT_BUFFER",
    "I, INT",
    "S, STRING"
  })
  void namesTheOpcodesThatItDoesNotKnow(String code, String name) throws IOException {
    assertRefused(PROTO + "((" + code + ".", "its pickle has the opcode " + name + ";");
  }

  @Test
  void refusesWhatIsNoOpcode() throws IOException {
    assertRefused(PROTO + "\u00ff.", "the byte 0xff, which is no opcode");
    assertRefused("\u0080\u0009}.", "of protocol 9");
  }

  @Test
  void setsNoState() throws IOException {
    assertRefused(PROTO + "]}b.", "BUILD for something other than a dict");
  }

  @Test
  void takesNoMoreThanThereIs() throws IOException {
    assertRefused(PROTO + "X\u00ff\u00ff\u00ff\u00ff", "asks for more than the");
    assertRefused(
        PROTO + "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f", "asks for more");
    assertRefused(PROTO + "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "63 bits");
    assertRefused(PROTO + "}", "asks for more than the 3 bytes");
    assertRefused(PROTO + "u.", "no mark");
    assertRefused(PROTO + "s.", "takes more from the stack than there is");
    assertRefused(PROTO + "}(0.", "takes more from the stack than there is");
    assertRefused(PROTO + "}(2.", "takes more from the stack than there is");
    assertRefused(PROTO + "h\u0007.", "asks for object 7");
    assertRefused(PROTO + "c" + "x".repeat(2000) + "\n", "a name of more than 1024 bytes");
  }

  @Test
  void refusesTensorsBeyondTheirStorage() throws IOException {
    assertRefused(stateDict(tensor(1, 0, 2, 1)), "the elements 0 to 1 of a storage that has 1");
    assertRefused(stateDict(tensor(1, 1, 1, 1)), "the elements 1 to 1 of a storage that has 1");
    assertRefused(stateDict(tensor(1, -1, 1, 1)), "the elements -1 to -1");
    assertRefused(stateDict(tensor(1, 0, -1, 1)), "needs the size of a tensor");
    assertRefused(stateDict(tensor(1, 0, 1, -1)), "needs the strides of a tensor");
    assertRefused(stateDict(tensor(2, 0, 2, 1)), "'0' has 4 bytes, and its pickle says 8");
    assertRefused(stateDict(tensor(-1, 0, 0, 1)), "other than the storage of a tensor");
    String strides = integer(1) + "\u0085\u0089";
    assertRefused(
        stateDict(tensor(1, 0, 1, 1).replace(strides, ")\u0089")), "1 dimension with 0 strides");
    String many = "(" + integer(1).repeat(33) + "t";
    assertRefused(
        stateDict(tensor(1, 0, 1, 1).replace(strides, many + "\u0089"))
            .replace(integer(0) + integer(1) + "\u0085", integer(0) + many),
        "33 dimensions with 33 strides, and at most 32");
  }

  /** A stride of 0 makes any number of elements of one. */
  @Test
  void refusesTensorsFarLargerThanTheFile() throws IOException {
    assertRefused(
        stateDict(tensor(1, 0, 500_000_000, 0)), "would take 2000000000 bytes, far more than");
    assertRefused(stateDict(tensor(1, 0, 2_000_000_000, 0)), "more than the 2147483647 bytes");
  }

  @Test
  void refusesDictsWithoutEnd() throws IOException {
    assertRefused(PROTO + "}q\u0000" + text("a") + "h\u0000s.", "nested more than 16 deep");
    StringBuilder laughs = new StringBuilder(PROTO + tensor(1, 0, 1, 1) + "q\u0000");
    for (int i = 1; i <= 14; i++) {
      laughs.append("](").append(("h" + (char) (i - 1)).repeat(10)).append("eq").append((char) i);
    }
    assertRefused(laughs + ".", "have more than 1000000 entries");
    assertRefused(PROTO + "}]q\u0000h\u0000a" + text("a") + "s.", "neither a string nor a number");
  }

  @Test
  void refusesItemsThatAreNone() throws IOException {
    String item = text("a") + tensor(1, 0, 1, 1);
    assertRefused(PROTO + "](" + item + "u.", "a dict with keys and values");
    assertRefused(PROTO + "}(" + item + text("b") + "u.", "a dict with keys and values");
    assertRefused(PROTO + "}" + tensor(1, 0, 1, 1) + "a.", "needs a list");
    String dict = PROTO + "ccollections\nOrderedDict\n]";
    assertRefused(dict + text("a") + "\u0085a\u0085R.", "a key and a value");
    assertRefused(dict + text("a") + "a\u0085R.", "a key and a value");
    assertRefused(PROTO + "ctorch._utils\n_rebuild_tensor_v2\n)R.", "the storage of a tensor");
  }

  @Test
  void refusesNamesThatTwoTensorsHave() throws IOException {
    String inner = "}" + text("b") + tensor(1, 0, 1, 1) + "s";
    assertRefused(
        PROTO + "}(" + text("a.b") + tensor(1, 0, 1, 1) + text("a") + inner + "u.",
        "two tensors named 'a.b'");
  }

  @Test
  void refusesTooManyOperations() throws IOException {
    assertRefused(PROTO + "N0".repeat(1_000_001) + ".", "more than 2000000 operations");
  }

  @Test
  void refusesWhatHoldsNoTensors() throws IOException {
    assertRefused(PROTO + "}.", "no dict or list with tensors");
    assertRefused(PROTO + tensor(1, 0, 1, 1) + ".", "no dict or list with tensors");
  }

  /** A megabyte of zeros takes a kilobyte when it is compressed; PyTorch compresses nothing. */
  @Test
  void refusesCompressedArchives() throws IOException {
    Path file = archive(new byte[1 << 20], true);
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(file))
        .withMessageContaining("'archive/data.pkl' in its archive is compressed");
  }

  @Test
  void refusesOtherFiles() throws IOException {
    Path page = Files.writeString(folder.resolve("model.pt"), "<!doctype html><html></html>");
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(page))
        .withMessageContaining("it is a web page (HTML)");
    Path zip = folder.resolve("other.pt");
    try (var out = new ZipOutputStream(Files.newOutputStream(zip))) {
      put(out, "readme.txt", new byte[1], false);
    }
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(zip))
        .withMessageContaining("0 files data.pkl");
    Path pickle = Files.write(folder.resolve("dict.pkl"), new byte[] {(byte) 0x80, 2, '}', '.'});
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(pickle))
        .withMessageContaining("a pickle, but none that PyTorch wrote");
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(folder))
        .withMessageContaining("a folder or a device");
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(folder.resolve("missing.pt")))
        .withMessageContaining("does not exist");
  }

  @ParameterizedTest
  @ValueSource(strings = {"views.pt", "views-legacy.pt"})
  void refusesFilesThatAreCutOffAnywhere(String name) throws IOException {
    byte[] whole = Files.readAllBytes(PyTorchReaderTest.resource(name));
    Path file = folder.resolve("cut.pt");
    for (int length = 0; length < whole.length; length += 5) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatIOException()
          .as("%d bytes", length)
          .isThrownBy(() -> readAll(file))
          .withMessageStartingWith("The file " + file)
          .withMessageEndingWith(".");
    }
  }

  /** Each file is read, or refused with a sentence: there is no third way. */
  @ParameterizedTest
  @ValueSource(strings = {"views.pt", "checkpoint-legacy.pt", "checkpoint-protocol-4.pt"})
  void readsOrRefusesDamagedFiles(String name) throws IOException {
    byte[] whole = Files.readAllBytes(PyTorchReaderTest.resource(name));
    Path file = folder.resolve("damaged.pt");
    var random = new SplittableRandom(3);
    int refused = 0;
    for (int i = 0; i < 500; i++) {
      byte[] damaged = whole.clone();
      for (int j = random.nextInt(1, 4); j > 0; j--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, damaged);
      try {
        readAll(file);
      } catch (IOException e) {
        refused++;
        assertThat(e.getMessage()).contains(file.toString()).endsWith(".");
      }
    }
    assertThat(refused).isBetween(20, 500);
  }

  private static void readAll(Path file) throws IOException {
    try (PyTorchReader reader = PyTorchReader.open(file)) {
      for (String name : reader.names()) {
        reader.tensor(name).close();
      }
    }
  }
}

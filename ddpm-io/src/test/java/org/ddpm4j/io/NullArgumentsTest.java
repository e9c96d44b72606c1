package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ddpm4j.io.hub.Hub;
import org.ddpm4j.io.hub.HubCache;
import org.ddpm4j.io.hub.HubListener;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.io.hub.HubSettings;
import org.ddpm4j.io.hub.SingleFile;
import org.ddpm4j.io.pytorch.PyTorchReader;
import org.ddpm4j.io.weights.WeightsFile;
import org.ddpm4j.io.weights.WeightsLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Arguments that are missing are named at once, before anything is written or downloaded. */
class NullArgumentsTest {

  private static final Path FILE = Path.of("nowhere", "file");

  private static Arguments missing(String name, ThrowingCallable call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> calls() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    IOException failure = new IOException("why");
    HubName name = HubName.parse("owner/name");
    Hub hub =
        new Hub(
            new HubSettings(URI.create("http://localhost:1"), FILE, Optional.empty(), true),
            HubListener.NONE);
    return Stream.of(
        missing("target", () -> AtomicFile.write(null, out -> {})),
        missing("content", () -> AtomicFile.write(FILE, null)),
        missing("target", () -> AtomicFile.writeString(null, "")),
        missing("content", () -> AtomicFile.writeBytes(FILE, null)),
        missing("target", () -> AtomicFile.requireWritable(null)),
        missing("folder", () -> AtomicFile.removeUnfinished(null)),
        missing("opening", () -> new DiffusersFields(null, Map.of())),
        missing("values", () -> new DiffusersFields("", null)),
        missing("json", () -> DiffusersFields.read("", null, json, Set.of(), "it does", x -> x)),
        missing("passedOver", () -> DiffusersFields.read("", json, json, null, "it does", x -> x)),
        missing("build", () -> DiffusersFields.read("", json, json, Set.of(), "it does", null)),
        missing("file", () -> FileFailure.unreadable(null, failure)),
        missing("cause", () -> FileFailure.unreadable(FILE, null)),
        missing("cause", () -> FileFailure.unwritable(FILE, null)),
        missing("folder", () -> FolderLock.tryLock(null)),
        missing("folder", () -> Folders.create(null)),
        missing("folder", () -> Folders.requireWritable(null)),
        missing("firstBytes", () -> ForeignFormat.of((byte[]) null)),
        missing("file", () -> ForeignFormat.of((Path) null)),
        missing("text", () -> ForeignText.line(null)),
        missing("text", () -> ForeignText.lines(null)),
        missing("file", () -> SafetensorsReader.open(null)),
        missing("bytes", () -> SafetensorsReader.of(null, FILE)),
        missing("name", () -> SafetensorsReader.of(new byte[0], null)),
        missing("file", () -> SafetensorsWriter.write(null, Map.of(), Map.of())),
        missing("tensors", () -> SafetensorsWriter.write(FILE, null, Map.of())),
        missing("metadata", () -> SafetensorsWriter.writeWithChecksum(FILE, Map.of(), null)),
        missing(
            "shape",
            () -> SafetensorsWriter.writeInParts(FILE, "x", DataType.FLOAT, null, x -> {})),
        missing(
            "parts",
            () -> SafetensorsWriter.writeInParts(FILE, "x", DataType.FLOAT, new long[] {1}, null)),
        missing("file", () -> new SmallTextFile(1, "list", "make one").read(null)),
        missing("file", () -> TextTable.rows(null)),
        missing("name", () -> hub.snapshot(null, (names, snapshot) -> List.of())),
        missing("selection", () -> hub.snapshot(name, null)),
        missing("cache", () -> HubCache.models(null)),
        missing("snapshot", () -> new HubCache.Cached(name, null)),
        missing("text", () -> HubName.parse(null)),
        missing("text", () -> HubName.isName(null)),
        missing("environment", () -> HubSettings.of(null, FILE)),
        missing("home", () -> HubSettings.of(Map.of(), null)),
        missing("place", () -> SingleFile.parse(null, "word")),
        missing("word", () -> SingleFile.parse("no name", null)),
        missing("file", () -> PyTorchReader.isPyTorch(null)),
        missing("file", () -> PyTorchReader.open(null)),
        missing("file", () -> WeightsFile.open(null)),
        missing("names", () -> WeightsLayout.choose(null, Optional.empty())),
        missing("folder", () -> WeightsLayout.find(null, Optional.empty())),
        missing("variant", () -> WeightsLayout.find(FILE, null)),
        missing("index", () -> WeightsLayout.shards(null)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void namesWhatIsMissing(String name, ThrowingCallable call) {
    assertThatNullPointerException().isThrownBy(call).withMessage(name);
  }

  @Test
  void nothingIsBegun(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("kept"), "before");
    assertThatNullPointerException().isThrownBy(() -> AtomicFile.write(file, null));
    assertThat(folder.toFile().list()).containsExactly("kept");
    assertThat(file).hasContent("before");
  }
}

package org.ddpm4j.cli.draw;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;

/**
 * What the images of a folder are of, in its file {@value #FILE}.
 *
 * @param facts everything that decides what the images are, by name
 */
public record SampleRecord(Map<String, String> facts) {

  /** The name of the file. */
  public static final String FILE = "samples.json";

  private static final SmallTextFile TEXT =
      new SmallTextFile(1 << 20, "record of samples", "draw into another folder");
  private static final JsonMapper JSON = StrictJson.builder().build();
  private static final int MAX_NAMED = 3;

  /** Copies the facts. */
  public SampleRecord {
    facts = Map.copyOf(facts);
  }

  /**
   * Reads a record.
   *
   * @param file that exists
   * @return what it says
   * @throws IOException if it cannot be read or is none
   */
  public static SampleRecord read(Path file) throws IOException {
    Map<String, String> found;
    try {
      found = JSON.readValue(TEXT.read(file), new TypeReference<TreeMap<String, String>>() {});
    } catch (JsonProcessingException e) {
      throw nothingSaid(file, e);
    }
    if (found == null || found.containsValue(null)) {
      throw nothingSaid(file, null);
    }
    return new SampleRecord(found);
  }

  private static IOException nothingSaid(Path file, Exception cause) {
    return new IOException(
        Text.format(
            "%s does not say what the images beside it are; name another folder by --output.",
            file),
        cause);
  }

  void write(Path file) throws IOException {
    AtomicFile.writeString(
        file,
        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(new TreeMap<>(facts)) + "\n");
  }

  /** In which facts this record, of a folder, differs from that of a call. */
  String differences(SampleRecord call) {
    TreeSet<String> names = new TreeSet<>(facts.keySet());
    names.addAll(call.facts.keySet());
    List<String> different =
        names.stream()
            .filter(name -> !text(name).equals(call.text(name)))
            .map(
                name ->
                    Text.format(
                        "%s: %s there, %s here",
                        ForeignText.line(name), ForeignText.line(text(name)), call.text(name)))
            .toList();
    return String.join("; ", different.subList(0, Math.min(MAX_NAMED, different.size())))
        + (different.size() > MAX_NAMED ? "; and more" : "");
  }

  private String text(String name) {
    return facts.getOrDefault(name, "none");
  }
}

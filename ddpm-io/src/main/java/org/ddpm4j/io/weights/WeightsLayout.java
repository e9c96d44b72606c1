package org.ddpm4j.io.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;

/**
 * Which files of a folder hold a network's weights, by diffusers' names, the first of these that
 * there is:
 *
 * <pre>
 * diffusion_pytorch_model.safetensors             one file
 * diffusion_pytorch_model.safetensors.index.json  several: the index says which tensor is where
 * diffusion_pytorch_model.bin                     PyTorch's own format
 * diffusion_pytorch_model.bin.index.json
 * </pre>
 *
 * <p>A <i>variant</i>, {@code fp16} for instance, has its name before the last part: {@code
 * diffusion_pytorch_model.fp16.safetensors}, {@code
 * diffusion_pytorch_model.safetensors.index.fp16.json}. Where nobody asks for one, the files
 * without are taken, or the only variant that there is. A folder with none of these names, but with
 * one file of tensors, is read by that.
 */
public final class WeightsLayout {

  private static final String STEM = "diffusion_pytorch_model";
  private static final String INDEX = ".index";
  private static final String JSON_ENDING = ".json";
  private static final List<String> FORMATS = List.of(".safetensors", ".bin");

  /** Not the number of a shard, {@code fp16-00001-of-00002}. */
  private static final String NAME = "((?![\\w-]*-\\d+-of-\\d+\\.)[\\w-]+)";

  private static final Pattern VARIANT =
      Pattern.compile(
          STEM
              + "\\.(?:"
              + NAME
              + "\\.(?:safetensors|bin)|(?:safetensors|bin)\\.index\\."
              + NAME
              + "\\.json)");

  private static final SmallTextFile INDEX_FILE =
      new SmallTextFile(
          1 << 24,
          "index of weights",
          "it says which file holds which tensor of the network, so copy or download the whole folder");

  private static final JsonMapper JSON = StrictJson.builder().build();

  private WeightsLayout() {}

  /**
   * Chooses among files.
   *
   * @param names of the files of one folder
   * @param variant the one that is asked for, if any
   * @return the name of the file of the weights, or of their index; empty if there is none
   * @throws IllegalArgumentException if the variant is missing, or must be chosen; the sentence
   *     names those that there are
   */
  public static Optional<String> choose(Collection<String> names, Optional<String> variant) {
    Objects.requireNonNull(names, "names");
    Objects.requireNonNull(variant, "variant");
    Set<String> variants = variants(names);
    if (variant.isPresent()) {
      return Optional.of(
          candidates("." + variant.get())
              .filter(names::contains)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          Text.format(
                              "there are no weights of the variant %s; %s",
                              variant.get(), offered(variants)))));
    }
    Optional<String> plain = candidates("").filter(names::contains).findFirst();
    if (plain.isPresent()) {
      return plain;
    }
    if (variants.size() > 1) {
      throw new IllegalArgumentException(
          Text.format("its weights are of several variants; %s", offered(variants)));
    }
    if (variants.size() == 1) {
      return choose(names, variants.stream().findFirst());
    }
    List<String> others = names.stream().filter(WeightsFile::isNamedSo).toList();
    return others.size() == 1 ? Optional.of(others.get(0)) : Optional.empty();
  }

  private static Stream<String> candidates(String variant) {
    return FORMATS.stream()
        .flatMap(
            format ->
                Stream.of(STEM + variant + format, STEM + format + INDEX + variant + JSON_ENDING));
  }

  private static Set<String> variants(Collection<String> names) {
    Set<String> variants = new TreeSet<>();
    for (String name : names) {
      Matcher matcher = VARIANT.matcher(name);
      if (matcher.matches()) {
        variants.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
      }
    }
    return variants;
  }

  private static String offered(Set<String> variants) {
    return variants.isEmpty()
        ? "ask for none, since there are no variants"
        : "choose one of " + String.join(", ", variants);
  }

  /**
   * Finds the weights in a folder.
   *
   * @param folder of a network
   * @param variant the one that is asked for, if any
   * @return the file of the weights, or their index; the file that a folder of today has if there
   *     is none
   * @throws IOException if the folder cannot be read, or the variant is missing or must be chosen
   */
  public static Path find(Path folder, Optional<String> variant) throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(variant, "variant");
    List<String> names;
    try (Stream<Path> files = Files.list(folder)) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw FileFailure.unreadable(folder, e);
    }
    try {
      return folder.resolve(choose(names, variant).orElse(STEM + FORMATS.get(0)));
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("%s: %s.", folder, e.getMessage()), e);
    }
  }

  /**
   * Whether a file only says where the weights are.
   *
   * @param name of a file
   * @return true if it is the name of an index
   */
  public static boolean isIndex(String name) {
    return name.contains(INDEX) && name.endsWith(JSON_ENDING);
  }

  /**
   * Opens what {@link #find} found.
   *
   * @param file of weights, or the index of several
   * @return a reader of all tensors, to be closed by the caller
   * @throws IOException if a file is missing or damaged
   */
  public static TensorReader open(Path file) throws IOException {
    return isIndex(file.getFileName().toString())
        ? ShardedReader.open(file, shards(file))
        : WeightsFile.open(file);
  }

  /**
   * Reads an index.
   *
   * @param index the file
   * @return for each tensor the name of the file beside the index that holds it
   * @throws IOException if it is missing or no index
   */
  public static Map<String, String> shards(Path index) throws IOException {
    Objects.requireNonNull(index, "index");
    JsonNode json;
    try {
      json = JSON.readTree(INDEX_FILE.read(index)).path("weight_map");
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format(
              "%s is not JSON (%s); copy or download it again.", index, StrictJson.problem(e)),
          e);
    }
    Map<String, String> shards = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      String file = entry.getValue().textValue();
      // Nothing of another folder.
      if (file == null || !WeightsFile.isNamedSo(file) || !file.matches("[\\w.-]+")) {
        throw new IOException(
            Text.format(
                "%s: the tensor %s is said to be in %s, which is no name of a file of weights beside it; copy or download it again.",
                index, ForeignText.quoted(entry.getKey()), StrictJson.quoted(entry.getValue())));
      }
      shards.put(entry.getKey(), file);
    }
    if (shards.isEmpty()) {
      throw new IOException(
          Text.format(
              "%s has no weight_map that names files of weights; copy or download it again.",
              index));
    }
    return shards;
  }
}

package org.ddpm4j.unet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.unet.model.AutoencoderConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * An autoencoder on disk as diffusers lays it out: {@value UnetFolder#CONFIG} and {@value
 * UnetFolder#WEIGHTS}, with PyTorch's names and layouts. Weights are read in the other {@linkplain
 * WeightsLayout layouts} of diffusers, too.
 */
public final class AutoencoderFolder {

  private static final SmallTextFile CONFIG_FILE =
      new SmallTextFile(
          1 << 20,
          "configuration of an autoencoder",
          Text.format(
              "an autoencoder's folder holds %s and %s, so copy or download all of it",
              UnetFolder.CONFIG, UnetFolder.WEIGHTS));

  private static final JsonMapper JSON = StrictJson.builder().build();

  private AutoencoderFolder() {}

  /**
   * Reads an autoencoder of which there may be several variants.
   *
   * @param folder with {@value UnetFolder#CONFIG} and weights in any {@linkplain WeightsLayout
   *     layout}
   * @param variant {@code fp16} for instance; empty for the weights without a variant, or the only
   *     ones that there are
   * @param dataType in which to compute, FLOAT or DOUBLE, whatever that of the weights
   * @param execution how it computes
   * @return the autoencoder
   * @throws IOException if a file is missing or damaged, or the weights are of another architecture
   */
  public static Autoencoder read(
      Path folder, Optional<String> variant, DataType dataType, Execution execution)
      throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(execution, "execution");
    execution.isFused(dataType);
    AutoencoderConfig config = readConfig(folder.resolve(UnetFolder.CONFIG));
    return FolderWeights.read(
        folder,
        variant,
        Autoencoder.declarations(config, dataType),
        AutoencoderConfig::parameterName,
        tensors -> Autoencoder.of(config, tensors, dataType, execution));
  }

  /**
   * Writes an autoencoder.
   *
   * @param folder made if missing
   * @param autoencoder what to write
   * @throws IOException if the files cannot be written
   */
  public static void write(Path folder, Autoencoder autoencoder) throws IOException {
    Objects.requireNonNull(autoencoder, "autoencoder");
    Folders.create(folder);
    SafetensorsWriter.write(
        folder.resolve(UnetFolder.WEIGHTS), autoencoder.toPyTorch(), Map.of("format", "pt"));
    AtomicFile.writeString(
        folder.resolve(UnetFolder.CONFIG), configToJson(autoencoder.config()) + "\n");
  }

  /**
   * An architecture as JSON.
   *
   * @param config the architecture
   * @return an object that {@link #readConfig} understands
   */
  public static String configToJson(AutoencoderConfig config) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("An autoencoder's configuration could not become JSON.", e);
    }
  }

  /**
   * Reads an architecture.
   *
   * @param file the JSON file
   * @return the architecture
   * @throws IOException if the file is missing or describes no autoencoder that can be built here
   */
  public static AutoencoderConfig readConfig(Path file) throws IOException {
    return configFromJson(CONFIG_FILE.read(file), file.toString());
  }

  /**
   * An architecture from JSON.
   *
   * @param text the JSON object
   * @param source where it comes from, for messages
   * @return the architecture
   * @throws IOException if it describes no autoencoder that can be built here
   */
  public static AutoencoderConfig configFromJson(String text, String source) throws IOException {
    try {
      return JSON.readValue(text, AutoencoderConfig.class);
    } catch (ValueInstantiationException e) {
      throw new IOException(Text.format("%s: %s", source, e.getCause().getMessage()), e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format("%s is not the JSON of an autoencoder: %s.", source, StrictJson.problem(e)),
          e);
    }
  }
}

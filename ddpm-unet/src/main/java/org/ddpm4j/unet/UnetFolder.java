package org.ddpm4j.unet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.DiffusersNetwork;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.ddpm4j.unet.model.UnetKind;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A U-Net on disk as diffusers lays it out: {@code config.json} and {@code
 * diffusion_pytorch_model.safetensors}, with PyTorch's names and layouts. Weights are read in the
 * other {@linkplain WeightsLayout layouts} of diffusers, too. A {@link Unet2D} is what diffusers
 * writes and reads as {@code UNet2DModel}; the other architectures are marked by {@code _model}, as
 * a {@link UnetKind} says.
 */
public final class UnetFolder {

  /** The file of the architecture. */
  public static final String CONFIG = "config.json";

  /** The file of the weights. */
  public static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

  private static final SmallTextFile CONFIG_FILE =
      new SmallTextFile(
          1 << 20,
          "configuration of a U-Net",
          Text.format(
              "a model folder holds %s and %s, so copy or download all of it", CONFIG, WEIGHTS));

  private static final JsonMapper JSON =
      StrictJson.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private static final String MODEL = "_model";

  private UnetFolder() {}

  /**
   * Reads a network.
   *
   * @param folder with both files
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @return the network
   * @throws IOException if a file is missing or damaged, or the weights are of another architecture
   */
  public static Unet read(Path folder, DataType dataType) throws IOException {
    return read(folder, dataType, Execution.automatic());
  }

  /**
   * Reads a network that computes in a given way.
   *
   * @param folder with both files
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @param execution how it computes
   * @return the network
   * @throws IOException if a file is missing or damaged, or the weights are of another architecture
   */
  public static Unet read(Path folder, DataType dataType, Execution execution) throws IOException {
    return read(folder, Optional.empty(), dataType, execution);
  }

  /**
   * Reads a network of which there may be several variants.
   *
   * @param folder with {@value #CONFIG} and weights in any {@linkplain WeightsLayout layout}
   * @param variant {@code fp16} for instance; empty for the weights without a variant, or the only
   *     ones that there are
   * @param dataType in which to compute, FLOAT or DOUBLE, whatever that of the weights
   * @param execution how it computes
   * @return the network
   * @throws IOException if a file is missing or damaged, or the weights are of another architecture
   */
  public static Unet read(
      Path folder, Optional<String> variant, DataType dataType, Execution execution)
      throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(execution, "execution");
    execution.isFused(dataType);
    UnetConfig config = readConfig(folder.resolve(CONFIG));
    List<Parameter> declarations = Unet.declarations(config, dataType);
    return new Unet(
        config,
        FolderWeights.read(
            folder,
            variant,
            declarations,
            config::parameterName,
            tensors -> parameters(declarations, tensors, dataType)),
        execution);
  }

  /**
   * Reads a network whose files are in no folder, but for example on the class path.
   *
   * @param config the architecture, as of {@link #configFromJson}
   * @param weights its tensors, as of {@link org.ddpm4j.io.SafetensorsReader#of}
   * @param dataType in which to compute, FLOAT or DOUBLE, whatever that of the weights
   * @param execution how it computes
   * @return the network
   * @throws IOException if the weights are damaged
   * @throws IllegalArgumentException if the weights are of another architecture
   */
  public static Unet read(
      UnetConfig config, TensorReader weights, DataType dataType, Execution execution)
      throws IOException {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(execution, "execution");
    execution.isFused(dataType);
    List<Parameter> declarations = Unet.declarations(config, dataType);
    return new Unet(
        config,
        FolderWeights.read(
            weights,
            declarations,
            config::parameterName,
            tensors -> parameters(declarations, tensors, dataType)),
        execution);
  }

  private static Parameters parameters(
      List<Parameter> declarations, Map<String, INDArray> tensors, DataType dataType) {
    Parameters parameters = Parameters.zeros(declarations, dataType);
    parameters.assignPyTorch(tensors);
    return parameters;
  }

  /**
   * Writes a network.
   *
   * @param folder made if missing
   * @param unet the network
   * @throws IOException if the files cannot be written
   */
  public static void write(Path folder, Unet unet) throws IOException {
    Objects.requireNonNull(unet, "unet");
    Folders.create(folder);
    SafetensorsWriter.write(
        folder.resolve(WEIGHTS), unet.parameters().toPyTorch(), Map.of("format", "pt"));
    AtomicFile.writeString(folder.resolve(CONFIG), configToJson(unet.config()) + "\n");
  }

  /**
   * An architecture as JSON.
   *
   * @param config the architecture
   * @return an object that {@link #readConfig} understands
   * @throws IllegalArgumentException if no {@link UnetKind} names the architecture
   */
  public static String configToJson(UnetConfig config) {
    Objects.requireNonNull(config, "config");
    try {
      ObjectNode json = JSON.createObjectNode();
      if (!(config instanceof DiffusersNetwork)) {
        json.put(MODEL, model(config));
      }
      json.setAll((ObjectNode) JSON.valueToTree(config));
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A U-Net's configuration could not become JSON.", e);
    }
  }

  private static String model(UnetConfig config) {
    return UnetKind.all().entrySet().stream()
        .filter(kind -> kind.getValue() == config.getClass())
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    Text.format(
                        "No UnetKind names %s, so that it could not be read again; write one and name it in META-INF/services/%s.",
                        config.getClass().getName(), UnetKind.class.getName())));
  }

  /**
   * Reads an architecture.
   *
   * @param file the JSON file
   * @return the architecture
   * @throws IOException if the file is missing or describes no network that can be built here
   */
  public static UnetConfig readConfig(Path file) throws IOException {
    return configFromJson(CONFIG_FILE.read(file), file.toString());
  }

  /**
   * An architecture from JSON.
   *
   * @param text the JSON object
   * @param source where it comes from, for messages
   * @return the architecture
   * @throws IOException if it describes no network that can be built here
   */
  public static UnetConfig configFromJson(String text, String source) throws IOException {
    try {
      JsonNode json = JSON.readTree(text);
      Class<? extends UnetConfig> kind = kind(json, source);
      if (!DiffusersNetwork.class.isAssignableFrom(kind)) {
        ((ObjectNode) json).remove(MODEL);
      }
      return JSON.treeToValue(json, kind);
    } catch (UnrecognizedPropertyException e) {
      throw new IOException(
          Text.format(
              "%s has the field %s, which this U-Net does not know; the fields are %s.",
              source, e.getPropertyName(), e.getKnownPropertyIds()),
          e);
    } catch (ValueInstantiationException e) {
      throw new IOException(Text.format("%s: %s", source, e.getCause().getMessage()), e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format("%s is not the JSON of a U-Net: %s.", source, StrictJson.problem(e)), e);
    }
  }

  /** By {@code _model}, which is ours, or by diffusers' {@code _class_name}. */
  private static Class<? extends UnetConfig> kind(JsonNode json, String source) throws IOException {
    JsonNode model = json.path(MODEL);
    JsonNode className = json.path(DiffusersFields.CLASS_NAME);
    if (model.isMissingNode() && !className.isMissingNode()) {
      return switch (String.valueOf(className.textValue())) {
        case Unet2D.CLASS_NAME -> Unet2D.class;
        case DiffusionTransformer.CLASS_NAME, DiffusionTransformer.FORMER_CLASS_NAME ->
            DiffusionTransformer.class;
        default ->
            throw new IOException(
                Text.format(
                    "%s describes no network known here: _class_name is %s and must be \"%s\" or \"%s\".",
                    source,
                    StrictJson.quoted(className),
                    Unet2D.CLASS_NAME,
                    DiffusionTransformer.CLASS_NAME));
      };
    }
    Map<String, Class<? extends UnetConfig>> kinds = UnetKind.all();
    if (model.isMissingNode() && json.path("model").isObject()) {
      throw new IOException(
          Text.format(
              "%s is the configuration of a run and not of a network; give its folder as a run, or the folder of its network, unet, as a model.",
              source));
    }
    Class<? extends UnetConfig> kind = kinds.get(String.valueOf(model.textValue()));
    if (kind == null) {
      throw new IOException(
          Text.format(
              "%s describes no U-Net known here: _model is %s and must be one of %s, or _class_name must be \"%s\".",
              source,
              model.isMissingNode() ? "missing" : StrictJson.quoted(model),
              kinds.keySet().stream().map(one -> '"' + one + '"').collect(Collectors.joining(", ")),
              Unet2D.CLASS_NAME));
    }
    return kind;
  }
}

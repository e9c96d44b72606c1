package org.ddpm4j.unet;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.pytorch.PyTorchReader;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.unet.layers.Parameter;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The weights in a folder, by the names that parameters have today. */
final class FolderWeights {

  /**
   * Under which keys checkpoints hold the weights of a network beside other tensors: those of the
   * moving average first, which are the ones to draw with.
   */
  private static final List<String> PREFIXES =
      List.of(
          "",
          "ema_model.",
          "ema.ema_model.",
          "ema.",
          "model_ema.",
          "state_dict.",
          "model_state_dict.",
          "model.",
          "unet.",
          "module.");

  private FolderWeights() {}

  /**
   * Reads exactly the parameters of a network.
   *
   * @param folder with weights in any {@linkplain WeightsLayout layout}
   * @param variant as {@link UnetFolder#read} has it
   * @param declarations the parameters
   * @param parameterName the parameter that a tensor of a file is meant for
   * @param use what is to become of the tensors, which are in PyTorch's layouts
   * @throws IOException if there are none, or others
   */
  static <T> T read(
      Path folder,
      Optional<String> variant,
      List<Parameter> declarations,
      UnaryOperator<String> parameterName,
      Function<Map<String, INDArray>, T> use)
      throws IOException {
    Path weights = WeightsLayout.find(folder, variant);
    try (TensorReader reader = WeightsLayout.open(weights)) {
      return read(reader, declarations, parameterName, use);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          Text.format(
              "%s does not fit the %s beside it: %s", weights, UnetFolder.CONFIG, e.getMessage()),
          e);
    }
  }

  /**
   * Reads exactly the parameters of a network.
   *
   * @throws IllegalArgumentException if there are others
   */
  static <T> T read(
      TensorReader reader,
      List<Parameter> declarations,
      UnaryOperator<String> parameterName,
      Function<Map<String, INDArray>, T> use)
      throws IOException {
    // Before memory is taken: an architecture may name any sizes, a file holds what it holds.
    Map<String, String> namesInFile = namesInFile(parameterName, declarations, reader);
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (Map.Entry<String, String> name : namesInFile.entrySet()) {
      shapes.put(name.getKey(), reader.shape(name.getValue()));
    }
    Parameters.checkPyTorchShapes(declarations, shapes);

    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, String> name : namesInFile.entrySet()) {
      tensors.put(name.getKey(), reader.tensor(name.getValue()));
    }
    return use.apply(tensors);
  }

  /** The tensors by the names that parameters have today. */
  private static Map<String, String> namesInFile(
      UnaryOperator<String> parameterName, List<Parameter> declarations, TensorReader reader) {
    Set<String> parameters =
        declarations.stream().map(Parameter::name).collect(Collectors.toUnmodifiableSet());
    for (String prefix : reader instanceof PyTorchReader ? PREFIXES : List.of("")) {
      Map<String, String> names = namesInFile(parameterName, prefix, reader);
      if (names.keySet().containsAll(parameters)) {
        if (!prefix.isEmpty()) {
          names.keySet().retainAll(parameters);
        }
        return names;
      }
    }
    return namesInFile(parameterName, "", reader);
  }

  private static Map<String, String> namesInFile(
      UnaryOperator<String> parameterName, String prefix, TensorReader reader) {
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : reader.names()) {
      if (!name.startsWith(prefix)) {
        continue;
      }
      String other = names.put(parameterName.apply(name.substring(prefix.length())), name);
      if (other != null) {
        throw new IllegalArgumentException(
            Text.format(
                "The tensors %s and %s are the same parameter, once by its former name; remove one.",
                other, name));
      }
    }
    return names;
  }
}

package org.ddpm4j.diffusion.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The model of clothes among the resources of {@code ddpm-models}: the folder {@code
 * models/fashion-mnist} of the repository.
 */
final class BundledModel {

  private static final String RESOURCE = "/org/ddpm4j/models/fashion-mnist";
  private static final String CONFIG = "config.json";
  private static final String NETWORK = "unet/" + UnetFolder.CONFIG;
  private static final String WEIGHTS = "unet/" + UnetFolder.WEIGHTS;

  private BundledModel() {}

  static DiffusionModel read(Execution execution) throws IOException {
    RunConfig config = RunConfig.fromJson(text(CONFIG), RESOURCE + "/" + CONFIG);
    Unet unet = readUnet(execution);
    try {
      return DiffusionModel.of(unet, config.model());
    } catch (IllegalArgumentException e) {
      unet.close();
      throw e;
    }
  }

  /** In memory: containers may have no folder that can be written to. */
  private static Unet readUnet(Execution execution) throws IOException {
    UnetConfig config = UnetFolder.configFromJson(text(NETWORK), RESOURCE + "/" + NETWORK);
    try (SafetensorsReader weights =
        SafetensorsReader.of(bytes(WEIGHTS), Path.of(RESOURCE, WEIGHTS))) {
      return UnetFolder.read(config, weights, DataType.FLOAT, execution);
    }
  }

  private static String text(String name) throws IOException {
    return new String(bytes(name), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String name) throws IOException {
    try (InputStream in = open(name)) {
      return in.readAllBytes();
    }
  }

  private static InputStream open(String name) throws IOException {
    InputStream in = BundledModel.class.getResourceAsStream(RESOURCE + "/" + name);
    if (in == null) {
      throw new IOException(
          Text.format(
              "The resource %s/%s is not on the class path; add the dependency org.ddpm4j:ddpm-models, which brings it.",
              RESOURCE, name));
    }
    return in;
  }
}

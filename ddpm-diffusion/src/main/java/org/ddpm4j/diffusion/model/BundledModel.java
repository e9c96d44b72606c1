package org.ddpm4j.diffusion.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.io.TemporaryFolder;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The model of clothes among the resources of {@code ddpm-models}: the folder {@code
 * models/fashion-mnist} of the repository.
 */
final class BundledModel {

  private static final String RESOURCE = "/org/ddpm4j/models/fashion-mnist";
  private static final String CONFIG = "config.json";

  private BundledModel() {}

  static DiffusionModel read(Execution execution) throws IOException {
    RunConfig config;
    try (InputStream in = open(CONFIG)) {
      config =
          RunConfig.fromJson(
              new String(in.readAllBytes(), StandardCharsets.UTF_8), RESOURCE + "/" + CONFIG);
    }
    return DiffusionModel.of(readUnet(execution), config.model());
  }

  /** Weights are read from a file channel, and a resource may lie within an archive. */
  private static Unet readUnet(Execution execution) throws IOException {
    try (TemporaryFolder folder = new TemporaryFolder("ddpm4j-")) {
      for (String file : List.of(UnetFolder.CONFIG, UnetFolder.WEIGHTS)) {
        copy("unet/" + file, folder.path().resolve(file));
      }
      return UnetFolder.read(folder.path(), DataType.FLOAT, execution);
    }
  }

  private static void copy(String name, Path file) throws IOException {
    try (InputStream in = open(name)) {
      Files.copy(in, file);
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

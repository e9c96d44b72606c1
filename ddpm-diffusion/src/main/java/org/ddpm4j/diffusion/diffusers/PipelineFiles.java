package org.ddpm4j.diffusion.diffusers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.ddpm4j.io.Text;
import org.ddpm4j.io.hub.HubSelection;
import org.ddpm4j.io.weights.WeightsLayout;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.UnetFolder;

/**
 * Which files of a model of the hub a pipeline, or a network alone, is read from: first those that
 * describe it, and only if it is one that is known here, its weights.
 *
 * @param model its name, for sentences
 * @param variant of the weights, if one is asked for
 */
public record PipelineFiles(String model, Optional<String> variant) implements HubSelection {

  /** Checks that nothing is missing. */
  public PipelineFiles {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(variant, "variant");
  }

  @Override
  public List<String> choose(Collection<String> names, Path snapshot) throws IOException {
    String unet = PipelineFolder.UNET + "/";
    String part =
        Stream.of(unet, PipelineFolder.TRANSFORMER + "/")
            .filter(folder -> names.contains(folder + UnetFolder.CONFIG))
            .findFirst()
            .orElse("");
    String config = part + UnetFolder.CONFIG;
    if (!names.contains(config)) {
      throw new IOException(
          Text.format(
              "The model %s has neither %s nor %s%s, so there is no network here that could be read; choose a model of diffusers.",
              model, UnetFolder.CONFIG, unet, UnetFolder.CONFIG));
    }
    Optional<String> autoencoder =
        PipelineFolder.AUTOENCODERS.stream()
            .map(folder -> folder + "/")
            .filter(folder -> names.contains(folder + UnetFolder.CONFIG))
            .findFirst();
    Stream<String> configs =
        Stream.concat(
            Stream.of(config), autoencoder.map(folder -> folder + UnetFolder.CONFIG).stream());
    List<String> files =
        new ArrayList<>(
            Stream.concat(PipelineFolder.DESCRIPTIONS.stream(), configs)
                .filter(names::contains)
                .toList());
    if (files.stream().allMatch(file -> Files.exists(snapshot.resolve(file)))) {
      if (PipelineFolder.isPipeline(snapshot)) {
        PipelineFolder.readScheduler(snapshot);
      }
      UnetFolder.readConfig(snapshot.resolve(config));
      files.addAll(weights(names, part, snapshot));
      if (autoencoder.isPresent()) {
        AutoencoderFolder.readConfig(snapshot.resolve(autoencoder.get() + UnetFolder.CONFIG));
        files.addAll(weights(names, autoencoder.get(), snapshot));
      }
    }
    return files;
  }

  private List<String> weights(Collection<String> names, String part, Path snapshot)
      throws IOException {
    List<String> beside =
        names.stream()
            .filter(name -> name.startsWith(part) && name.indexOf('/', part.length()) < 0)
            .map(name -> name.substring(part.length()))
            .toList();
    Optional<String> chosen;
    try {
      chosen = WeightsLayout.choose(beside, variant);
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("The model %s: %s.", model, e.getMessage()), e);
    }
    if (chosen.isEmpty()) {
      throw new IOException(
          Text.format(
              "The model %s has no weights beside its %s%s that can be read here; they are safetensors or files of PyTorch.",
              model, part, UnetFolder.CONFIG));
    }
    List<String> files = new ArrayList<>(List.of(part + chosen.get()));
    Path index = snapshot.resolve(part + chosen.get());
    if (WeightsLayout.isIndex(chosen.get()) && Files.exists(index)) {
      for (String shard : new TreeSet<>(WeightsLayout.shards(index).values())) {
        if (!beside.contains(shard)) {
          throw new IOException(
              Text.format(
                  "The model %s has no file %s%s, which its %s names; it is not whole.",
                  model, part, shard, chosen.get()));
        }
        files.add(part + shard);
      }
    }
    return files;
  }
}

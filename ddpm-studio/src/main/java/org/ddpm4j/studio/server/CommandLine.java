package org.ddpm4j.studio.server;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.io.Text;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.SamplingRecipe;

/** The words of {@code ddpm sample} that draw the same images to the last bit. */
final class CommandLine {

  private CommandLine() {}

  static List<String> of(
      ModelSource source, SamplingRecipe recipe, long seed, int count, List<String> classOptions) {
    List<String> words = new ArrayList<>(List.of("ddpm", "sample"));
    words.addAll(source.options());
    words.addAll(List.of("--count", Integer.toString(count), "--seed", Long.toString(seed)));
    words.addAll(classOptions);
    recipe.sampler().ifPresent(type -> words.addAll(List.of("--sampler", type.toString())));
    words.addAll(List.of("--steps", Integer.toString(recipe.steps())));
    if (!recipe.guidance().equals(Guidance.NONE)) {
      words.addAll(List.of("--guidance", Double.toString(recipe.guidance().scale())));
    }
    return words;
  }

  /** What names a class, of a model that was told classes. */
  static List<String> classOptions(DiffusionModel model, int label) {
    if (!model.isClassConditional()) {
      return List.of();
    }
    if (model.nullClass().orElse(-1) == label) {
      return List.of("--no-class");
    }
    return List.of(
        "--class",
        label < model.classNames().size()
            ? model.classNames().get(label)
            : Integer.toString(label));
  }

  /** The words as a shell reads them. */
  static String quoted(List<String> words) {
    return words.stream()
        .map(
            word ->
                word.matches("[\\w@%+=:,./-]+")
                    ? word
                    : Text.format("'%s'", word.replace("'", "'\\''")))
        .collect(Collectors.joining(" "));
  }
}

package org.ddpm4j.examples;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Sorts the pictures of an emoji package into folders by what they show, which {@code --dataset
 * folder} reads as classes: every tenth of each class into {@code test}, the others into {@code
 * train}.
 *
 * <p>The package is {@code emoji-datasource-google} of the npm registry, whose pictures are Noto
 * Emoji's (Apache licence 2.0): {@code npm pack emoji-datasource-google}, unpacked.
 */
public final class EmojiFolderExample {

  private static final int TEST_EVERY = 10;
  private static final String PICTURES = "img/google/64";

  private EmojiFolderExample() {}

  /**
   * Sorts the pictures and says how many there are.
   *
   * @param args the unpacked package, and the folder to make, by default {@code package} and {@code
   *     emoji}
   * @throws IOException if the package is not one, or the folder cannot be written
   */
  public static void main(String[] args) throws IOException {
    Path emoji = Path.of(args.length > 0 ? args[0] : "package");
    Path folder = Path.of(args.length > 1 ? args[1] : "emoji");
    sort(emoji, folder).forEach((name, count) -> System.out.println(name + ": " + count));
    System.out.println("Saved " + folder);
  }

  /**
   * Sorts the pictures. Those of a skin colour are left out, which are many times the same.
   *
   * @param emoji the unpacked package
   * @param folder to make
   * @return how many pictures there are of each class
   */
  static Map<String, Integer> sort(Path emoji, Path folder) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    for (JsonNode one : new ObjectMapper().readTree(emoji.resolve("emoji.json").toFile())) {
      String category = one.path("category").asText();
      // Components are pieces of others, such as hair.
      if (!one.path("has_img_google").asBoolean() || category.equals("Component")) {
        continue;
      }
      int number = counts.merge(category, 1, Integer::sum);
      Path of =
          folder
              .resolve(number % TEST_EVERY == 0 ? "test" : "train")
              .resolve(category.toLowerCase(Locale.ROOT).replace(" & ", "-and-"));
      Files.createDirectories(of);
      String file = one.path("image").asText();
      Files.copy(
          emoji.resolve(PICTURES).resolve(file),
          of.resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
    return counts;
  }
}

package org.ddpm4j.diffusion;

import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;

/**
 * Classes by what people call them: those of a data set, or those that a network is told.
 *
 * <p>What is wanted is looked for in this order, so that a number never hides a class that is
 * called so:
 *
 * <ol>
 *   <li>an exact name;
 *   <li>a name in other capitals;
 *   <li>another spelling: composed or decomposed accents, any space, hyphen or underscore between
 *       words, leading zeros of a number ({@code 7} for a class called {@code 007});
 *   <li>the number of a class, from 0; that of the null class is none.
 * </ol>
 *
 * <p>A spelling that fits several names is refused rather than guessed. The <em>null class</em>, by
 * which a network is told none, is no class with a name: it is {@link #nullClass()}, and {@value
 * #NONE} finds it only where no class is called so.
 */
public final class ClassNames {

  /** Finds the null class where no class has this name. */
  public static final String NONE = "none";

  private static final int SHOWN = 20;

  private final List<String> names;
  private final int classes;
  private final OptionalInt nullClass;

  private ClassNames(List<String> names, int classes, OptionalInt nullClass) {
    this.names = List.copyOf(names);
    this.classes = classes;
    this.nullClass = nullClass;
  }

  /**
   * The classes of a data set.
   *
   * @param names of the classes 0, 1, …, at least one
   * @return the classes
   * @throws IllegalArgumentException if there is none
   */
  public static ClassNames of(List<String> names) {
    return of(Objects.requireNonNull(names, "names"), names.size(), OptionalInt.empty());
  }

  /**
   * The classes of a network.
   *
   * @param names of the classes 0, 1, …, as far as they are known
   * @param classes the rows of its class embedding, at least one and not fewer than there are names
   * @param nullClass the row that stands for no class, if there is one
   * @return the classes
   * @throws IllegalArgumentException if a number is out of range
   */
  public static ClassNames of(List<String> names, int classes, OptionalInt nullClass) {
    Objects.requireNonNull(names, "names");
    Objects.requireNonNull(nullClass, "nullClass");
    if (classes < 1 || names.size() > classes) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d names for %d classes; it takes at least one class, and no more names.",
              names.size(), classes));
    }
    if (nullClass.isPresent() && (nullClass.getAsInt() < 0 || nullClass.getAsInt() >= classes)) {
      throw new IllegalArgumentException(
          Text.format(
              "The null class is %d, but the classes are numbered 0 to %d.",
              nullClass.getAsInt(), classes - 1));
    }
    return new ClassNames(names, classes, nullClass);
  }

  /**
   * The row that stands for no class.
   *
   * @return its number, or empty if there is none
   */
  public OptionalInt nullClass() {
    return nullClass;
  }

  /**
   * The number of a class.
   *
   * @param wanted its name in any spelling, or its number
   * @return its row of the class embedding
   * @throws IllegalArgumentException if there is none, or there are several; the message is a
   *     sentence that lists what there is
   */
  public int find(String wanted) {
    Objects.requireNonNull(wanted, "wanted");
    List<UnaryOperator<String>> spellings =
        List.of(UnaryOperator.identity(), ClassNames::folded, ClassNames::spelled);
    for (UnaryOperator<String> spelling : spellings) {
      OptionalInt found = find(wanted, spelling);
      if (found.isPresent()) {
        return found.getAsInt();
      }
    }
    int number = wanted.matches("[0-9]{1,9}") ? Integer.parseInt(wanted) : classes;
    boolean isNull = nullClass.isPresent() && nullClass.getAsInt() == number;
    if (number < classes && !isNull) {
      return number;
    }
    if (nullClass.isPresent() && wanted.equalsIgnoreCase(NONE)) {
      return nullClass.getAsInt();
    }
    throw new IllegalArgumentException(
        Text.format(
            "There is no class %s%s; choose a number %s%s.",
            wanted.isBlank() ? "without a name" : wanted,
            isNull ? ", which is the row that stands for no class" : "",
            numbers(),
            names.isEmpty() ? "" : " or one of the names " + listed(names)));
  }

  private String numbers() {
    int none = nullClass.orElse(classes);
    int first = none == 0 ? 1 : 0;
    int last = none == classes - 1 ? classes - 2 : classes - 1;
    String range = Text.format("from %d to %d", first, last);
    return first < none && none < last ? range + " but " + none : range;
  }

  private OptionalInt find(String wanted, UnaryOperator<String> spelling) {
    String looked = spelling.apply(wanted);
    int[] found =
        IntStream.range(0, names.size())
            .filter(i -> spelling.apply(names.get(i)).equals(looked))
            .toArray();
    if (found.length > 1) {
      throw new IllegalArgumentException(
          Text.format(
              "The class %s may be any of %s; write one of them as it stands here, or its number %s.",
              wanted,
              listed(IntStream.of(found).mapToObj(names::get).toList()),
              listed(IntStream.of(found).mapToObj(Integer::toString).toList())));
    }
    return found.length == 0 ? OptionalInt.empty() : OptionalInt.of(found[0]);
  }

  private static String listed(List<String> all) {
    String more = all.size() > SHOWN ? " and " + (all.size() - SHOWN) + " more" : "";
    return String.join(", ", all.subList(0, Math.min(SHOWN, all.size()))) + more;
  }

  /** In one case; by way of capitals, since some small letters have the same. */
  private static String folded(String name) {
    return name.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
  }

  private static String spelled(String name) {
    String composed = folded(Normalizer.normalize(name.strip(), Normalizer.Form.NFKC));
    String words = composed.replaceAll("(?<=[\\p{L}\\p{N}])[\\s_-]+(?=[\\p{L}\\p{N}])", " ");
    return words.matches("[0-9]+") ? words.replaceFirst("^0+(?=[0-9])", "") : words;
  }
}

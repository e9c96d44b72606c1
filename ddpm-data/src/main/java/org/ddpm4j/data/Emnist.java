package org.ddpm4j.data;

import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * EMNIST: handwritten digits and letters {@code [1,28,28]}, made as MNIST was (Cohen, Afshar,
 * Tapson and van Schaik 2017, "EMNIST: an extension of MNIST to handwritten letters"), in the IDX
 * files of its {@code gzip.zip}. They are not downloaded by themselves.
 *
 * <p>The published files hold each image column by column; here it stands upright.
 */
public final class Emnist {

  private static final String TEN = "0123456789";
  private static final String CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  private static final String SMALL = "abcdefghijklmnopqrstuvwxyz";

  /** The small letters that do not look like their capitals. */
  private static final String DISTINCT_SMALL = "abdefghnqrt";

  /** In which classes the data set is published. */
  public enum Variant {
    /** Digits, capitals and small letters, 62 classes, as frequent as in the forms: 814,255. */
    BYCLASS(TEN + CAPITALS + SMALL, 0),
    /** As {@link #BYCLASS}, with 15 small letters in the classes of their capitals: 47 classes. */
    BYMERGE(TEN + CAPITALS + DISTINCT_SMALL, 0),
    /** The classes of {@link #BYMERGE}, equally many of each: 131,600. */
    BALANCED(TEN + CAPITALS + DISTINCT_SMALL, 0),
    /** Letters, small ones in the classes of their capitals: 26 classes, 145,600. */
    LETTERS(CAPITALS, 1),
    /** Digits, equally many of each: 280,000. */
    DIGITS(TEN, 0),
    /** Digits, as many as MNIST has: 70,000. */
    MNIST(TEN, 0);

    private final String characters;
    private final int firstLabel;

    Variant(String characters, int firstLabel) {
      this.characters = characters;
      this.firstLabel = firstLabel;
    }

    private PublishedDataSet published() {
      String name = name().toLowerCase(Locale.ROOT);
      return new PublishedDataSet(
          "EMNIST " + name,
          "emnist",
          List.of("gzip", "raw", "raw/gzip", "EMNIST/raw", "EMNIST/raw/gzip"),
          new IdxConventions(
              "emnist-" + name + "-train",
              "emnist-" + name + "-test",
              firstLabel,
              IdxConventions.PixelOrder.COLUMN_BY_COLUMN),
          URI.create("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"),
          Optional.empty(),
          Optional.empty(),
          Arrays.asList(characters.split("")),
          Map.of());
    }
  }

  private Emnist() {}

  /**
   * The images of one part, from the first of this machine's sources that has them.
   *
   * @param variant in which classes
   * @param split training or test images
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Variant variant, Split split) throws IOException {
    return load(variant, split, DataSources.ofHost());
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, the system's folder. In each, the files may also lie in {@code gzip}, as the
   * published archive unpacks, or in {@code EMNIST/raw}, where torchvision keeps them.
   *
   * @param variant in which classes
   * @param split training or test images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Variant variant, Split split, DataSources sources)
      throws IOException {
    Objects.requireNonNull(variant, "variant");
    return variant.published().load(split, sources);
  }
}

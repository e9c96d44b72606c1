package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClassNamesTest {

  private static ClassNames names(String... names) {
    return ClassNames.of(List.of(names));
  }

  /** Folders that are numbered, as sorting by name has them. */
  @Test
  void aNameComesBeforeANumber() {
    ClassNames numbered = names("0", "1", "10", "2");
    assertThat(numbered.find("2")).isEqualTo(3);
    assertThat(numbered.find("10")).isEqualTo(2);
    assertThat(numbered.find("3")).isEqualTo(3);
    assertThat(names("1", "0").find("0")).isEqualTo(1);
  }

  @Test
  void anExactNameComesBeforeItsOtherSpellings() {
    ClassNames letters = names("A", "a", "e\u0301", "\u00e9");
    assertThat(letters.find("a")).isEqualTo(1);
    assertThat(letters.find("A")).isZero();
    assertThat(letters.find("e\u0301")).isEqualTo(2);
    assertThat(letters.find("\u00e9")).isEqualTo(3);
    assertThat(names("7", "007").find("007")).isEqualTo(1);
  }

  @Test
  void otherSpellingsAreFound() {
    ClassNames classes =
        names("T-shirt/top", "ice_cream", "Ankle boot", "Zo\u00eb", "Stra\u00dfe", "007", "-1");
    assertThat(classes.find("t-SHIRT/TOP")).isZero();
    assertThat(classes.find("t shirt/top")).isZero();
    assertThat(classes.find("Ice cream")).isEqualTo(1);
    assertThat(classes.find("ice-cream")).isEqualTo(1);
    assertThat(classes.find(" ankle_boot ")).isEqualTo(2);
    assertThat(classes.find("Zoe\u0308")).isEqualTo(3);
    assertThat(classes.find("STRASSE")).isEqualTo(4);
    assertThat(classes.find("7")).isEqualTo(5);
    assertThat(classes.find("-1")).isEqualTo(6);
    // No name, so a number.
    assertThat(classes.find("1")).isEqualTo(1);
  }

  @Test
  void aSpellingOfSeveralNamesIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> names("Cat", "cat", "dog").find("CAT"))
        .withMessage(
            "The class CAT may be any of Cat, cat; write one of them as it stands here, or its"
                + " number 0, 1.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> names("a_b", "a-b").find("a b"))
        .withMessageContaining("any of a_b, a-b");
  }

  @Test
  void theOrderDoesNotDependOnTheLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("tr"));
      assertThat(names("TITLE", "b").find("title")).isZero();
      assertThat(names("title", "b").find("TITLE")).isZero();
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void whatThereIsNotIsRefusedWithWhatThereIs() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> names("cat", "dog").find("hat"))
        .withMessage(
            "There is no class hat; choose a number from 0 to 1 or one of the names cat, dog.");
    for (String wrong : List.of("2", "-1", "1.0", "+1", "", "\u0661", "99999999999")) {
      assertThatIllegalArgumentException().isThrownBy(() -> names("cat", "dog").find(wrong));
    }
    List<String> many = IntStream.range(0, 30).mapToObj(i -> "n" + i).toList();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClassNames.of(many).find("hat"))
        .withMessageEndingWith("n19 and 10 more.");
  }

  @Test
  void theNullClassIsHiddenByNoNameAndHidesNone() {
    ClassNames plain = ClassNames.of(List.of("cat", "dog"), 3, OptionalInt.of(2));
    assertThat(plain.find("none")).isEqualTo(2);
    assertThat(plain.nullClass()).hasValue(2);
    for (String called : List.of("none", "None", "NONE")) {
      ClassNames taken = ClassNames.of(List.of("cat", called), 3, OptionalInt.of(2));
      assertThat(taken.find("none")).isEqualTo(1);
      assertThat(taken.nullClass()).hasValue(2);
    }
    assertThatIllegalArgumentException().isThrownBy(() -> names("cat", "dog").find("none"));
  }

  @Test
  void theNullClassHasNoNumber() {
    ClassNames last = ClassNames.of(List.of("cat", "dog"), 3, OptionalInt.of(2));
    assertThat(last.find("1")).isEqualTo(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> last.find("99"))
        .withMessage(
            "There is no class 99; choose a number from 0 to 1 or one of the names cat, dog.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> last.find("2"))
        .withMessageStartingWith(
            "There is no class 2, which is the row that stands for no class; choose a number from 0"
                + " to 1 or");
    // A class may be called like the null class's row.
    assertThat(ClassNames.of(List.of("2", "dog"), 3, OptionalInt.of(2)).find("2")).isZero();

    ClassNames first = ClassNames.of(List.of(), 3, OptionalInt.of(0));
    assertThat(first.find("2")).isEqualTo(2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> first.find("0"))
        .withMessageEndingWith("choose a number from 1 to 2.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClassNames.of(List.of(), 4, OptionalInt.of(2)).find("4"))
        .withMessage("There is no class 4; choose a number from 0 to 3 but 2.");
  }

  @Test
  void aNetworksClassesMayHaveNoNames() {
    ClassNames rows = ClassNames.of(List.of(), 5, OptionalInt.empty());
    assertThat(rows.find("4")).isEqualTo(4);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> rows.find("5"))
        .withMessage("There is no class 5; choose a number from 0 to 4.");
    assertThatIllegalArgumentException().isThrownBy(() -> ClassNames.of(List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClassNames.of(List.of("a", "b"), 1, OptionalInt.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClassNames.of(List.of("a"), 2, OptionalInt.of(2)));
  }
}

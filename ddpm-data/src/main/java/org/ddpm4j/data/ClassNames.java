package org.ddpm4j.data;

import java.util.List;

/** Finds a class by what a user calls it. */
final class ClassNames {

  private static final int SHOWN = 20;

  private ClassNames() {}

  /**
   * The number of a class.
   *
   * @param wanted its name, its name in other capitals, or its number; in this order
   * @throws IllegalArgumentException if there is none; the message lists the names
   */
  static int find(String wanted, List<String> names) {
    int exact = names.indexOf(wanted);
    if (exact >= 0) {
      return exact;
    }
    for (int i = 0; i < names.size(); i++) {
      if (names.get(i).equalsIgnoreCase(wanted)) {
        return i;
      }
    }
    if (wanted.matches("\\d{1,9}") && Integer.parseInt(wanted) < names.size()) {
      return Integer.parseInt(wanted);
    }
    String more = names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "";
    throw new IllegalArgumentException(
        String.format(
            "There is no class %s; choose a number from 0 to %d or one of the names %s%s.",
            wanted,
            names.size() - 1,
            String.join(", ", names.subList(0, Math.min(SHOWN, names.size()))),
            more));
  }
}

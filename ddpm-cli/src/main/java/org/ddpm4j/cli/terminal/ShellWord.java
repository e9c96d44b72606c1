package org.ddpm4j.cli.terminal;

/** Words of the commands that the program proposes, which people paste into a shell. */
public final class ShellWord {

  private ShellWord() {}

  /**
   * A word as a shell reads it.
   *
   * @param word a path, for example
   * @return the word, in quotation marks where something of it would mean something to a shell
   */
  public static String quoted(String word) {
    return word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}

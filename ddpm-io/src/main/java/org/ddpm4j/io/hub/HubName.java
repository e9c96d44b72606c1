package org.ddpm4j.io.hub;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.io.Text;

/**
 * The name of a model of the hub: {@code OWNER/NAME}, or {@code OWNER/NAME@REVISION}.
 *
 * @param owner a user or an organisation
 * @param name of the model
 * @param revision a branch, a tag or a commit
 */
public record HubName(String owner, String name, String revision) {

  /** The revision unless another is chosen. */
  public static final String MAIN = "main";

  private static final String PART = "[A-Za-z0-9_](?:[\\w.-]{0,94}[\\w-])?";
  private static final Pattern REVISION = Pattern.compile("\\w[\\w.-]*(?:/\\w[\\w.-]*)*");
  private static final Pattern NAME =
      Pattern.compile("(" + PART + ")/(" + PART + ")(?:@(" + REVISION.pattern() + "))?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * Checks the parts, which become parts of paths.
   *
   * @throws IllegalArgumentException if one has characters that no name of the hub has
   */
  public HubName {
    Objects.requireNonNull(revision, "revision");
    if (!owner.matches(PART) || !name.matches(PART) || !REVISION.matcher(revision).matches()) {
      throw new IllegalArgumentException(
          Text.format(
              "%s/%s@%s is no name of a model; write OWNER/NAME or OWNER/NAME@REVISION.",
              owner, name, revision));
    }
  }

  /**
   * Whether a text has the form of a name.
   *
   * @param text any text
   * @return true if {@link #parse} takes it
   */
  public static boolean isName(String text) {
    Objects.requireNonNull(text, "text");
    return NAME.matcher(text).matches();
  }

  /**
   * Takes a name apart.
   *
   * @param text OWNER/NAME or OWNER/NAME@REVISION
   * @return the name
   * @throws IllegalArgumentException if it is none
   */
  public static HubName parse(String text) {
    Objects.requireNonNull(text, "text");
    Matcher parts = NAME.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          Text.format(
              "'%s' is no name of a model; write OWNER/NAME or OWNER/NAME@REVISION.", text));
    }
    return new HubName(
        parts.group(1), parts.group(2), Objects.requireNonNullElse(parts.group(3), MAIN));
  }

  /** {@return the model's name without a revision, OWNER/NAME} */
  public String repository() {
    return owner + "/" + name;
  }

  /** Whether the revision is a commit, whose files never change. */
  boolean isCommit() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  /** The name of its folder in the cache. */
  String folder() {
    return "models--" + owner + "--" + name;
  }

  @Override
  public String toString() {
    return revision.equals(MAIN) ? repository() : repository() + "@" + revision;
  }
}

package org.ddpm4j.plots;

import java.awt.Font;
import java.awt.FontFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * The font of all pictures: DejaVu Sans 2.37, which comes along, so that pictures are the same
 * wherever they are drawn, and text can be drawn where the system has no fonts.
 *
 * <p>Java looks for fonts of the system before it loads any other, and fails where there are none
 * (JDK 17: {@code No physical fonts found}; since JDK 21: {@code Fontconfig head is null}). It is
 * then told by its property {@code sun.awt.fontconfig} that ours is the font of the system, too.
 */
public final class PlotFont {

  private static final String RESOURCE = "DejaVuSans.ttf";

  /** Where the JDK reads which files are the fonts of the system. */
  private static final String SYSTEM_FONTS = "sun.awt.fontconfig";

  private static Font loaded;

  private PlotFont() {}

  /**
   * The font in a size.
   *
   * @param size of the letters, in the units of what is drawn on; above 0
   * @return the font
   * @throws UncheckedIOException with a sentence, if Java cannot draw text here at all: without its
   *     own native libraries, or without any folder for temporary files
   */
  public static Font plain(float size) {
    return font().deriveFont(size);
  }

  /**
   * The font in a size, with thicker strokes.
   *
   * @param size of the letters, in the units of what is drawn on; above 0
   * @return the font
   * @throws UncheckedIOException as {@link #plain} does
   */
  public static Font bold(float size) {
    return font().deriveFont(Font.BOLD, size);
  }

  /**
   * Why no text, and so no chart, can be drawn here.
   *
   * @return a sentence, or nothing where all is well
   */
  public static Optional<String> obstacle() {
    try {
      font();
      return Optional.empty();
    } catch (UncheckedIOException e) {
      return Optional.of(e.getCause().getMessage());
    }
  }

  private static synchronized Font font() {
    if (loaded == null) {
      loaded = loadAnywhere();
    }
    return loaded;
  }

  private static Font loadAnywhere() {
    try {
      try {
        return load();
      } catch (IOException | RuntimeException | InternalError e) {
        // From a stream, whatever fails is an IOException.
        if (System.getProperty(SYSTEM_FONTS) != null) {
          throw e;
        }
        System.setProperty(SYSTEM_FONTS, writtenSystemOfOneFont().toString());
        return load();
      }
    } catch (UncheckedIOException e) {
      throw e;
    } catch (IOException
        | FontFormatException
        | RuntimeException
        | InternalError
        | LinkageError e) {
      throw new UncheckedIOException(
          new IOException(
              String.format(
                  Locale.ROOT,
                  "Java cannot draw text on this machine (%s); install the libraries freetype and fontconfig, or take a Java that brings them.",
                  rootOf(e)),
              e));
    }
  }

  /**
   * Java itself writes the font into that folder before it reads it, and does not always say that
   * this is what failed: where ours cannot be written, its cannot.
   */
  private static Path writtenSystemOfOneFont() {
    try {
      return systemOfOneFont();
    } catch (IOException e) {
      Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
      String reason =
          e instanceof FileSystemException failure ? failure.getReason() : e.getMessage();
      throw new UncheckedIOException(
          new IOException(
              String.format(
                  Locale.ROOT,
                  "Java draws text with a font that it first writes into the folder for temporary files, %s, and it could not be written there (%s); see that this folder takes files of a megabyte, or name another by -Djava.io.tmpdir=DIR.",
                  temporary,
                  !Files.isDirectory(temporary) ? "there is no such folder" : reason),
              e));
    }
  }

  private static Throwable rootOf(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private static Font load() throws IOException, FontFormatException {
    try (InputStream file = PlotFont.class.getResourceAsStream(RESOURCE)) {
      return Font.createFont(Font.TRUETYPE_FONT, file);
    }
  }

  /** The JDK's own format: each logical font in each style is our file. */
  private static Path systemOfOneFont() throws IOException {
    Path folder = Files.createTempDirectory("ddpm4j-font");
    Path font = folder.resolve(RESOURCE);
    Path list = folder.resolve("fontconfig.properties");
    // Deleted in the reverse order: a folder has to be empty.
    folder.toFile().deleteOnExit();
    font.toFile().deleteOnExit();
    list.toFile().deleteOnExit();
    try (InputStream file = PlotFont.class.getResourceAsStream(RESOURCE)) {
      Files.copy(file, font);
    }
    StringBuilder lines = new StringBuilder("version=1\n");
    for (String name : new String[] {"dialog", "dialoginput", "monospaced", "sansserif", "serif"}) {
      for (String style : new String[] {"plain", "bold", "italic", "bolditalic"}) {
        lines.append(name).append('.').append(style).append(".all=DejaVu Sans\n");
      }
    }
    lines.append("sequence.allfonts=all\n");
    // Properties take a backslash for an escape.
    String path = font.toString().replace("\\", "\\\\");
    lines.append("filename.DejaVu_Sans=").append(path).append('\n');
    return Files.writeString(list, lines);
  }
}

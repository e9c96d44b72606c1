package org.ddpm4j.cli.options;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.io.Text;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code 28x32} or, for a square, {@code 28}. */
public final class SizeConverter implements ITypeConverter<Size> {

  private static final Pattern FORM = Pattern.compile("(\\d{1,5})(?:x(\\d{1,5}))?");

  /** A converter, which has no state. */
  public SizeConverter() {}

  @Override
  public Size convert(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new TypeConversionException(
          Text.format("expected height and width as in 28x28 but was '%s'", text));
    }
    int height = Integer.parseInt(matcher.group(1));
    int width = matcher.group(2) == null ? height : Integer.parseInt(matcher.group(2));
    if (height == 0 || width == 0) {
      throw new TypeConversionException(
          Text.format("expected a height and a width of at least 1 but was '%s'", text));
    }
    return new Size(height, width);
  }
}

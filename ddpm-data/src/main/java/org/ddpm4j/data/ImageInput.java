package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.IIOException;
import javax.imageio.stream.FileImageInputStream;

/**
 * The bytes of an image file, for readers that do not notice their end: TwelveMonkeys' reader of
 * lossless WebP takes zeros for the bits behind it, which can keep it busy for hours. It then goes
 * back to one and the same place all the time.
 */
final class ImageInput extends FileImageInputStream {

  /** More than there are in the small parts of a file that come before its pixels. */
  private static final int SEEKS_TO_A_PLACE = 1 << 12;

  /** Seen at most was one for 1,900 pixels, in a flat image in lossy WebP. */
  private static final int PIXELS_FOR_A_SEEK = 256;

  private long mostSeeks = SEEKS_TO_A_PLACE;
  private long place;
  private long seeksToThePlace;

  ImageInput(Path file) throws IOException {
    super(file.toFile());
  }

  /** Allows for as many seeks as there may be in an image of this size. */
  void expect(int pixels) {
    mostSeeks = SEEKS_TO_A_PLACE + pixels / PIXELS_FOR_A_SEEK;
  }

  @Override
  public void seek(long position) throws IOException {
    seeksToThePlace = position == place ? seeksToThePlace + 1 : 0;
    place = position;
    if (seeksToThePlace > mostSeeks) {
      throw new IIOException("its data end too early");
    }
    super.seek(position);
  }
}

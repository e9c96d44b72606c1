package org.ddpm4j.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.stream.ImageInputStream;

/**
 * What an image file says beside its pixels and Java's readers do not tell, or tell each in another
 * way.
 *
 * @param orientation how it is to be turned, in the EXIF data of JPEG, PNG and WebP or the first
 *     directory of TIFF; {@link Orientation#UPRIGHT} where nothing is said
 * @param components of a JPEG file's pixels, 0 of any other
 * @param coding how Adobe's marker says that they are coded
 */
record ImageHeader(Orientation orientation, int components, Coding coding) {

  /** What the components of a JPEG file are. */
  enum Coding {
    /** The colours themselves. */
    PLAIN,
    /** Of four components the first three are coded as luma and chroma: YCCK. */
    LUMA_AND_CHROMA
  }

  private static final int JPEG_START = 0xffd8;
  private static final int PNG_START = 0x8950;
  private static final int RIFF_START = 'R' << 8 | 'I';
  private static final int LITTLE_ENDIAN = 'I' << 8 | 'I';
  private static final int BIG_ENDIAN = 'M' << 8 | 'M';

  private static final int ORIENTATION_TAG = 274;
  private static final int SHORT = 3;
  private static final int ENTRY_BYTES = 12;
  private static final int YCCK = 2;

  private static final byte[] EXIF = "Exif\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ADOBE = "Adobe".getBytes(StandardCharsets.US_ASCII);
  private static final ImageHeader NOTHING = new ImageHeader(Orientation.UPRIGHT, 0, Coding.PLAIN);

  /**
   * Reads what there is; what is damaged counts as not said, since the pixels may be whole all the
   * same.
   *
   * @param input at any position, and afterwards at the beginning and big-endian
   * @throws IOException if the input cannot be set back
   */
  static ImageHeader read(ImageInputStream input) throws IOException {
    try {
      input.seek(0);
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
      return switch (input.readUnsignedShort()) {
        case JPEG_START -> ofJpeg(input);
        case PNG_START -> ofPng(input);
        case RIFF_START -> ofWebp(input);
        case LITTLE_ENDIAN, BIG_ENDIAN -> NOTHING.turned(orientation(input, 0));
        default -> NOTHING;
      };
    } catch (EOFException e) {
      return NOTHING;
    } finally {
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
      input.seek(0);
    }
  }

  /**
   * Whether a file ends before its own length says so; of WebP alone, whose reader makes up what is
   * missing.
   *
   * @param input at any position, and afterwards at the beginning
   * @throws IOException if the input cannot be read
   */
  static boolean isCutOff(ImageInputStream input) throws IOException {
    try {
      input.seek(0);
      if (input.readInt() != name("RIFF")) {
        return false;
      }
      input.setByteOrder(ByteOrder.LITTLE_ENDIAN);
      return input.readUnsignedInt() + 8 > input.length();
    } catch (EOFException e) {
      return false;
    } finally {
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
      input.seek(0);
    }
  }

  private ImageHeader turned(int number) {
    return new ImageHeader(Orientation.of(number), components, coding);
  }

  /** Goes from segment to segment, up to the pixels. */
  private static ImageHeader ofJpeg(ImageInputStream input) throws IOException {
    int number = 0;
    int components = 0;
    Coding coding = Coding.PLAIN;
    try {
      while (true) {
        int marker = nextMarker(input);
        if (marker == 0xda || marker == 0xd9) {
          break;
        }
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
          continue;
        }
        int length = input.readUnsignedShort();
        long end = input.getStreamPosition() + length - 2;
        boolean frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame) {
          input.skipBytes(5);
          components = input.readUnsignedByte();
        } else if (marker == 0xe1 && number == 0 && begins(input, EXIF)) {
          number = orientation(input, input.getStreamPosition() + 1);
        } else if (marker == 0xee && begins(input, ADOBE)) {
          input.skipBytes(6);
          coding = input.readUnsignedByte() == YCCK ? Coding.LUMA_AND_CHROMA : Coding.PLAIN;
        }
        input.seek(end);
      }
    } catch (EOFException | IndexOutOfBoundsException e) {
      // What was said before the damage holds.
      return new ImageHeader(Orientation.of(number), components, coding);
    }
    return new ImageHeader(Orientation.of(number), components, coding);
  }

  /** The code of the next marker, before which any bytes may stand. */
  private static int nextMarker(ImageInputStream input) throws IOException {
    int code = input.readUnsignedByte();
    int before = 0;
    while (before != 0xff || code == 0xff || code == 0) {
      before = code;
      code = input.readUnsignedByte();
    }
    return code;
  }

  private static boolean begins(ImageInputStream input, byte[] wanted) throws IOException {
    byte[] found = new byte[wanted.length];
    input.readFully(found);
    return Arrays.equals(found, wanted);
  }

  /** A chunk: its length, its name, so many bytes, a checksum. */
  private static ImageHeader ofPng(ImageInputStream input) throws IOException {
    input.seek(8);
    while (true) {
      long length = input.readUnsignedInt();
      int name = input.readInt();
      long start = input.getStreamPosition();
      if (name == name("eXIf")) {
        return NOTHING.turned(orientation(input, start));
      }
      if (name == name("IEND")) {
        return NOTHING;
      }
      input.seek(start + length + 4);
    }
  }

  /** A chunk: its name, its length, so many bytes, and one more if that is odd. */
  private static ImageHeader ofWebp(ImageInputStream input) throws IOException {
    input.seek(8);
    if (input.readInt() != name("WEBP")) {
      return NOTHING;
    }
    while (true) {
      int name = input.readInt();
      input.setByteOrder(ByteOrder.LITTLE_ENDIAN);
      long length = input.readUnsignedInt();
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
      long start = input.getStreamPosition();
      if (name == name("EXIF")) {
        // Some programs put JPEG's name of the segment before it.
        boolean named = begins(input, EXIF);
        return NOTHING.turned(orientation(input, named ? start + EXIF.length + 1 : start));
      }
      input.seek(start + length + length % 2);
    }
  }

  private static int name(String name) {
    return name.charAt(0) << 24 | name.charAt(1) << 16 | name.charAt(2) << 8 | name.charAt(3);
  }

  /** The number that the first directory of TIFF data says; 0 if it says none. */
  private static int orientation(ImageInputStream input, long start) throws IOException {
    try {
      input.seek(start);
      int order = input.readUnsignedShort();
      if (order != LITTLE_ENDIAN && order != BIG_ENDIAN) {
        return 0;
      }
      input.setByteOrder(order == LITTLE_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      if (input.readUnsignedShort() != 42) {
        return 0;
      }
      long directory = start + input.readUnsignedInt();
      input.seek(directory);
      int entries = input.readUnsignedShort();
      for (int i = 0; i < entries; i++) {
        input.seek(directory + 2 + (long) i * ENTRY_BYTES);
        int tag = input.readUnsignedShort();
        int type = input.readUnsignedShort();
        input.readUnsignedInt();
        if (tag == ORIENTATION_TAG) {
          return type == SHORT ? input.readUnsignedShort() : 0;
        }
      }
      return 0;
    } catch (EOFException | IndexOutOfBoundsException e) {
      return 0;
    } finally {
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
    }
  }
}

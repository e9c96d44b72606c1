package org.ddpm4j.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import javax.imageio.stream.ImageInputStream;
import org.ddpm4j.io.Text;

/**
 * What an image file says beside its pixels and Java's readers do not tell, or tell each in another
 * way.
 *
 * @param orientation how it is to be turned, in the EXIF data of JPEG, PNG and WebP or the first
 *     directory of TIFF; {@link Orientation#UPRIGHT} where nothing is said
 * @param components of a JPEG file's pixels, 0 of any other
 * @param coding how Adobe's marker says that they are coded
 * @param samples of a TIFF file or a grey PNG file
 * @param place of the first picture of a GIF file; null of any other
 * @param obstacle why a whole TIFF file is not read here, a clause; null if nothing is known
 */
record ImageHeader(
    Orientation orientation,
    int components,
    Coding coding,
    Samples samples,
    Place place,
    String obstacle) {

  /**
   * What samples stand for.
   *
   * @param signed whether they are signed whole numbers, whose range no file says
   * @param alpha what further ones are
   * @param transparent the sample of a grey PNG file that is transparent, -1 for none
   * @param most the largest sample of such a file
   * @param palette whether they are numbers of more than 16 colours of a lossless WebP file, some
   *     of which are not opaque
   */
  record Samples(boolean signed, Alpha alpha, int transparent, int most, boolean palette) {

    static final Samples USUAL = new Samples(false, Alpha.OF_READER, -1, 255, false);
  }

  /** What the first sample is that is no colour: ExtraSamples of TIFF 6.0, tag 338. */
  enum Alpha {
    /** As the reader says. */
    OF_READER,
    /** 0: nobody knows, so that it is no opacity. */
    NONE,
    /** 1: an opacity by which the colours have been multiplied. */
    MULTIPLIED,
    /** 2: an opacity. */
    SEPARATE
  }

  /**
   * Where a picture lies.
   *
   * @param left column of the first of its pixels
   * @param top row of the first of its pixels
   * @param width of the whole, which the picture need not fill
   * @param height of the whole
   */
  record Place(int left, int top, int width, int height) {}

  /** What the components of a JPEG file are. */
  enum Coding {
    /** The colours themselves. */
    PLAIN,
    /** Of four components the first three are coded as luma and chroma: YCCK. */
    LUMA_AND_CHROMA
  }

  private static final int JPEG_START = 0xffd8;
  private static final int PNG_START = 0x8950;
  private static final int GIF_START = 'G' << 8 | 'I';
  private static final int RIFF_START = 'R' << 8 | 'I';
  private static final int LITTLE_ENDIAN = 'I' << 8 | 'I';
  private static final int BIG_ENDIAN = 'M' << 8 | 'M';

  private static final int ORIENTATION_TAG = 274;
  private static final int COMPRESSION_TAG = 259;
  private static final int PHOTOMETRIC_TAG = 262;
  private static final int EXTRA_SAMPLES_TAG = 338;
  private static final int SAMPLE_FORMAT_TAG = 339;
  private static final int SIGNED = 2;

  /** CIELab of TIFF 6.0, ICCLab and ITULab. */
  private static final Set<Integer> LAB = Set.of(8, 9, 10);

  /** None, CCITT's three, LZW, JPEG's two, deflate's two, PackBits: what the reader knows. */
  private static final Set<Integer> READ_COMPRESSIONS =
      Set.of(1, 2, 3, 4, 5, 6, 7, 8, 32946, 32773);

  /** Of the others those that libtiff, or other writers that are met, have. */
  private static final Map<Integer, String> COMPRESSIONS =
      Map.of(
          34661, "JBIG",
          34676, "SGILog",
          34712, "JPEG 2000",
          34887, "LERC",
          34892, "lossy JPEG of DNG",
          34925, "LZMA",
          34926, "zstd",
          50000, "zstd",
          50001, "WebP",
          52546, "JPEG XL");

  private static final int SHORT = 3;
  private static final int ENTRY_BYTES = 12;
  private static final int YCCK = 2;

  private static final byte[] EXIF = "Exif\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ADOBE = "Adobe".getBytes(StandardCharsets.US_ASCII);
  private static final ImageHeader NOTHING =
      new ImageHeader(Orientation.UPRIGHT, 0, Coding.PLAIN, Samples.USUAL, null, null);

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
        case GIF_START -> ofGif(input);
        case LITTLE_ENDIAN, BIG_ENDIAN -> ofTiff(input);
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
    return new ImageHeader(Orientation.of(number), components, coding, samples, place, obstacle);
  }

  private ImageHeader with(Samples newSamples) {
    return new ImageHeader(orientation, components, coding, newSamples, place, obstacle);
  }

  private static ImageHeader ofTiff(ImageInputStream input) throws IOException {
    int extra = shortOf(input, 0, EXTRA_SAMPLES_TAG, -1);
    Alpha alpha =
        switch (extra) {
          case 0 -> Alpha.NONE;
          case 1 -> Alpha.MULTIPLIED;
          case 2 -> Alpha.SEPARATE;
          default -> Alpha.OF_READER;
        };
    boolean signed = shortOf(input, 0, SAMPLE_FORMAT_TAG, 1) == SIGNED;
    String obstacle = obstacle(shortOf(input, 0, COMPRESSION_TAG, 1));
    if (obstacle == null && LAB.contains(shortOf(input, 0, PHOTOMETRIC_TAG, -1))) {
      // TwelveMonkeys' reader takes another white for some, and others for what they are not.
      obstacle = "its colours are CIELAB, which is not read here (write it in RGB)";
    }
    return new ImageHeader(
        Orientation.of(orientation(input, 0)),
        0,
        Coding.PLAIN,
        new Samples(signed, alpha, -1, 255, false),
        null,
        obstacle);
  }

  private static String obstacle(int compression) {
    return READ_COMPRESSIONS.contains(compression)
        ? null
        : Text.format(
            "it is compressed by %s, which is not read here (write it with LZW or deflate, or as PNG)",
            COMPRESSIONS.getOrDefault(compression, "method " + compression));
  }

  /** The screen's size, its colours, extensions in blocks, and then the first picture. */
  private static ImageHeader ofGif(ImageInputStream input) throws IOException {
    input.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    input.seek(6);
    int width = input.readUnsignedShort();
    int height = input.readUnsignedShort();
    int colors = input.readUnsignedByte();
    input.skipBytes(2 + ((colors & 0x80) == 0 ? 0 : 3 << (colors & 7) + 1));
    while (input.readUnsignedByte() == '!') {
      input.readUnsignedByte();
      for (int size = input.readUnsignedByte(); size > 0; size = input.readUnsignedByte()) {
        input.skipBytes(size);
      }
    }
    int left = input.readUnsignedShort();
    int top = input.readUnsignedShort();
    // Viewers show all of a picture that is larger than the screen.
    Place place =
        new Place(
            left,
            top,
            Math.max(width, left + input.readUnsignedShort()),
            Math.max(height, top + input.readUnsignedShort()));
    return new ImageHeader(Orientation.UPRIGHT, 0, Coding.PLAIN, Samples.USUAL, place, null);
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
      return new ImageHeader(Orientation.of(number), components, coding, Samples.USUAL, null, null);
    }
    return new ImageHeader(Orientation.of(number), components, coding, Samples.USUAL, null, null);
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
    ImageHeader header = NOTHING;
    int bits = 0;
    boolean grey = false;
    try {
      while (true) {
        long length = input.readUnsignedInt();
        int name = input.readInt();
        long start = input.getStreamPosition();
        if (name == name("IHDR")) {
          input.skipBytes(8);
          bits = input.readUnsignedByte();
          grey = input.readUnsignedByte() == 0;
        } else if (name == name("tRNS") && grey && bits < 8) {
          // Of larger samples the JDK's reader tells; of these it forgets some.
          int most = (1 << bits) - 1;
          int transparent = input.readUnsignedShort() & most;
          header = header.with(new Samples(false, Alpha.OF_READER, transparent, most, false));
        } else if (name == name("eXIf")) {
          header = header.turned(orientation(input, start));
        } else if (name == name("IEND")) {
          return header;
        }
        input.seek(start + length + 4);
      }
    } catch (EOFException | IndexOutOfBoundsException e) {
      return header;
    }
  }

  /** A chunk: its name, its length, so many bytes, and one more if that is odd. */
  private static ImageHeader ofWebp(ImageInputStream input) throws IOException {
    input.seek(8);
    if (input.readInt() != name("WEBP")) {
      return NOTHING;
    }
    ImageHeader header = NOTHING;
    boolean seen = false;
    try {
      while (true) {
        int name = input.readInt();
        input.setByteOrder(ByteOrder.LITTLE_ENDIAN);
        long length = input.readUnsignedInt();
        input.setByteOrder(ByteOrder.BIG_ENDIAN);
        long start = input.getStreamPosition();
        if (name == name("EXIF")) {
          // Some programs put JPEG's name of the segment before it.
          boolean named = begins(input, EXIF);
          return header.turned(orientation(input, named ? start + EXIF.length + 1 : start));
        }
        if (name == name("ANMF") && !seen) {
          // A frame begins with its place and its time, and then has chunks of its own.
          input.seek(start + 16);
          continue;
        }
        if (name == name("VP8L") && !seen) {
          seen = true;
          header = header.with(new Samples(false, Alpha.OF_READER, -1, 255, hasPalette(input)));
        }
        input.seek(start + length + length % 2);
      }
    } catch (EOFException | IndexOutOfBoundsException e) {
      return header;
    }
  }

  /** Signature, width and height of 14 bits each, alpha, version of 3 bits, the first transform. */
  private static boolean hasPalette(ImageInputStream input) throws IOException {
    input.skipBytes(4);
    int alphaAndVersion = input.readUnsignedByte();
    // The lowest bits come first: that there is a transform, which of four, colours less one.
    int bits = input.readUnsignedByte() | input.readUnsignedByte() << 8;
    boolean hasAlpha = (alphaAndVersion & 0x10) != 0;
    boolean isIndexed = (bits & 1) != 0 && (bits >> 1 & 3) == 3;
    return hasAlpha && isIndexed && (bits >> 3 & 255) >= 16;
  }

  private static int name(String name) {
    return name.charAt(0) << 24 | name.charAt(1) << 16 | name.charAt(2) << 8 | name.charAt(3);
  }

  /** The number that the first directory of TIFF data says; 0 if it says none. */
  private static int orientation(ImageInputStream input, long start) throws IOException {
    return shortOf(input, start, ORIENTATION_TAG, 0);
  }

  /** The first of the 16-bit numbers that the first directory of TIFF data has for a tag. */
  private static int shortOf(ImageInputStream input, long start, int wanted, int otherwise)
      throws IOException {
    try {
      input.seek(start);
      int order = input.readUnsignedShort();
      if (order != LITTLE_ENDIAN && order != BIG_ENDIAN) {
        return otherwise;
      }
      input.setByteOrder(order == LITTLE_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      if (input.readUnsignedShort() != 42) {
        return otherwise;
      }
      long directory = start + input.readUnsignedInt();
      input.seek(directory);
      int entries = input.readUnsignedShort();
      for (int i = 0; i < entries; i++) {
        input.seek(directory + 2 + (long) i * ENTRY_BYTES);
        int tag = input.readUnsignedShort();
        int type = input.readUnsignedShort();
        long count = input.readUnsignedInt();
        if (tag == wanted) {
          if (type != SHORT || count < 1) {
            return otherwise;
          }
          if (count > 2) {
            input.seek(start + input.readUnsignedInt());
          }
          return input.readUnsignedShort();
        }
      }
      return otherwise;
    } catch (EOFException | IndexOutOfBoundsException e) {
      return otherwise;
    } finally {
      input.setByteOrder(ByteOrder.BIG_ENDIAN);
    }
  }
}

package org.ddpm4j.data;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.Semaphore;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.Text;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads JPEG, PNG, GIF, BMP, TIFF and WebP files as images of one shape. What an image is decided
 * by its content, not by its name.
 *
 * <p>Levels are those of the file: a grey image's samples are taken as they are, since Java would
 * pass them through a colour space. Colours in another space become sRGB; of inks (CMYK, in JPEG
 * also YCCK) the light that they leave is taken, (255 - C)(255 - K)/255, as Pillow does, and not
 * what their profile says. Transparent pixels lie on white. A photograph is turned as its EXIF data
 * says.
 */
final class ImageDecoder {

  private static final Logger log = LoggerFactory.getLogger(ImageDecoder.class);

  private static final Set<String> FORMATS = Set.of("jpeg", "png", "gif", "bmp", "tiff", "webp");

  /** For sentences. */
  static final String FORMAT_NAMES = "JPEG, PNG, GIF, BMP, TIFF or WebP";

  private static final int INKS = 4;
  private static final int MAX_BITS = 16;

  /** Of one image; and of all images that are being decoded at one time, for the memory's sake. */
  private static final int MAX_PIXELS = 1 << 26;

  static {
    registerReaders(
        IIORegistry.getDefaultInstance(),
        ServiceLoader.load(ImageReaderSpi.class, ImageDecoder.class.getClassLoader()));
  }

  private final ImageShape shape;
  private final Semaphore pixelsInMemory = new Semaphore(MAX_PIXELS);

  /** A decoder to images of 1 or 3 channels; thread-safe. */
  ImageDecoder(ImageShape shape) {
    this.shape = shape;
  }

  /**
   * The readers that this library brings. ImageIO finds them by itself if the thread that needs
   * ImageIO first has the right context class loader, which threads of the common pool in a
   * container have not.
   */
  static void registerReaders(IIORegistry registry, Iterable<ImageReaderSpi> services) {
    Iterator<ImageReaderSpi> readers = services.iterator();
    while (true) {
      try {
        if (!readers.hasNext()) {
          return;
        }
        ImageReaderSpi reader = readers.next();
        if (registry.getServiceProviderByClass(reader.getClass()) == null) {
          registry.registerServiceProvider(reader, ImageReaderSpi.class);
        }
      } catch (ServiceConfigurationError e) {
        // Somebody else's, of another format or version: ImageIO passes over those as well.
        log.debug("A reader of images does not load", e);
      }
    }
  }

  /**
   * Reads a file.
   *
   * @return {@code [C,H,W]}
   * @throws IOException if that is not possible; the message is a clause that says why, without the
   *     file's name
   */
  byte[] decode(Path file) throws IOException {
    try {
      if (Files.isSymbolicLink(file) && !Files.exists(file)) {
        throw new IOException("it is a link to a file that is not there");
      }
      if (Files.isDirectory(file)) {
        throw new IOException("it is a folder");
      }
      if (Files.size(file) == 0) {
        throw new IOException("it is empty");
      }
      try (ImageInput input = new ImageInput(file)) {
        return decode(input, file);
      }
    } catch (NoSuchFileException e) {
      throw new IOException("it does not exist", e);
    } catch (AccessDeniedException e) {
      throw new IOException("permission is denied", e);
    } catch (FileNotFoundException e) {
      // The JDK says the file's name, and behind it in brackets why.
      String said = String.valueOf(e.getMessage());
      String why = said.replaceFirst("(?s).*\\(([^()]*)\\)$", "$1");
      throw new IOException("it cannot be opened" + (why.equals(said) ? "" : " (" + why + ")"), e);
    } catch (IIOException e) {
      String said = String.valueOf(e.getMessage());
      throw new IOException(
          isUnsupported(said)
              ? "it is of a kind that is not read here (" + said + "; write it as PNG)"
              : "it is damaged (" + said + ")",
          e);
    } catch (EOFException e) {
      throw new IOException("it is cut off", e);
    } catch (RuntimeException e) {
      // The readers answer damaged files by any kind of exception, which tells a user nothing.
      throw new IOException("it is damaged", e);
    } catch (OutOfMemoryError e) {
      // Few bytes can ask for any size.
      throw new IOException("it takes more memory than there is", e);
    }
  }

  private byte[] decode(ImageInput input, Path file) throws IOException {
    if (ImageHeader.isCutOff(input)) {
      throw new IOException("it is cut off");
    }
    ImageHeader header = ImageHeader.read(input);
    if (header.obstacle() != null) {
      throw new IOException(header.obstacle());
    }
    Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      try {
        if (FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
          return decode(reader, input, header);
        }
      } finally {
        reader.dispose();
      }
    }
    Optional<ForeignFormat> foreign =
        ForeignFormat.of(file).filter(format -> format != ForeignFormat.PICTURE);
    if (foreign.isPresent()) {
      throw new IOException(
          Text.format(
              "its content is no %s image, it is %s (%s)",
              FORMAT_NAMES, foreign.get().noun(), foreign.get().remedy()));
    }
    throw new IOException("its content is no " + FORMAT_NAMES + " image");
  }

  private byte[] decode(ImageReader reader, ImageInput input, ImageHeader header)
      throws IOException {
    reader.setInput(input, true, true);
    String[] damage = new String[1];
    reader.addIIOReadWarningListener(
        (source, warning) -> {
          if (isDamage(warning)) {
            damage[0] = warning;
          }
        });
    int height = reader.getHeight(0);
    int width = reader.getWidth(0);
    if (height < 1 || width < 1) {
      throw new IOException(Text.format("it is damaged (its size is %d x %d)", width, height));
    }
    if (header.place() != null) {
      height = Math.max(height, header.place().height());
      width = Math.max(width, header.place().width());
    }
    if ((long) height * width > MAX_PIXELS) {
      throw new IOException(
          Text.format("its %,d x %,d pixels are more than %,d", width, height, MAX_PIXELS));
    }
    int pixels = height * width;
    input.expect(pixels);
    pixelsInMemory.acquireUninterruptibly(pixels);
    try {
      Raster inks = header.components() == INKS ? reader.readRaster(0, null) : null;
      BufferedImage image = inks == null ? reader.read(0) : null;
      if (damage[0] != null) {
        throw new IOException("it is damaged (" + damage[0] + ")");
      }
      if (image != null) {
        requireLevels(image.getRaster(), header.samples());
        if (header.samples().palette()) {
          requireTransparency(image);
        }
      }
      boolean exchanged = header.orientation().exchangesSides();
      byte[] stored =
          Resampling.cover(
              inks == null ? placedRows(image, header) : inkRows(inks, header.coding()),
              shape.channels(),
              height,
              width,
              exchanged ? shape.width() : shape.height(),
              exchanged ? shape.height() : shape.width());
      return header.orientation().apply(stored, shape.channels(), shape.height(), shape.width());
    } finally {
      pixelsInMemory.release(pixels);
    }
  }

  /** What the values of other samples stand for, their files do not say. */
  private static void requireLevels(Raster raster, ImageHeader.Samples samples) throws IOException {
    if (samples.signed()) {
      throw new IOException(
          "its samples are signed whole numbers, of which nobody knows how bright they are (write it with 8 or 16 bits without a sign)");
    }
    int bits = raster.getSampleModel().getSampleSize(0);
    if (bits > MAX_BITS) {
      int type = raster.getSampleModel().getDataType();
      throw new IOException(
          Text.format(
              "its samples are %s of %d bits, of which nobody knows how bright they are (write it with 8 or 16 bits)",
              type == DataBuffer.TYPE_INT ? "whole numbers" : "floating-point numbers", bits));
    }
  }

  /**
   * TwelveMonkeys' reader gives numbers behind the end of a palette its last colour, where they are
   * of transparent pixels: newer encoders leave these out of the palette.
   */
  private static void requireTransparency(BufferedImage image) throws IOException {
    int[] row = new int[image.getWidth()];
    for (int y = 0; y < image.getHeight(); y++) {
      image.getRGB(0, y, row.length, 1, row, 0, row.length);
      if (Arrays.stream(row).anyMatch(argb -> argb >>> 24 == 0)) {
        return;
      }
    }
    throw new IOException(
        "which of its pixels are transparent cannot be told here, as of some lossless WebP files with a palette (write it as PNG)");
  }

  /** The readers' word for what they know of and do not read, and for numbers of a later TIFF. */
  private static boolean isUnsupported(String message) {
    return message.startsWith("Unsupported") || message.startsWith("Unknown TIFF");
  }

  /** The JPEG reader fills what is missing with grey and only warns. */
  private static boolean isDamage(String warning) {
    String text = warning.toLowerCase(Locale.ROOT);
    return text.contains("corrupt") || text.contains("truncated") || text.contains("premature");
  }

  // ---- pixels

  /** Of a picture that does not fill the whole what lies around it is transparent. */
  private Resampling.Rows placedRows(BufferedImage image, ImageHeader header) {
    Resampling.Rows rows = rows(image, header.samples());
    ImageHeader.Place place = header.place();
    if (place == null || place.width() == image.getWidth() && place.height() == image.getHeight()) {
      return rows;
    }
    float[][] picture = new float[shape.channels()][image.getWidth()];
    return (y, channels) -> {
      boolean meets = y >= place.top() && y < place.top() + image.getHeight();
      if (meets) {
        rows.read(y - place.top(), picture);
      }
      for (int c = 0; c < channels.length; c++) {
        Arrays.fill(channels[c], 255);
        if (meets) {
          System.arraycopy(picture[c], 0, channels[c], place.left(), image.getWidth());
        }
      }
    };
  }

  private Resampling.Rows rows(BufferedImage image, ImageHeader.Samples said) {
    ColorModel colors = image.getColorModel();
    boolean indexed = colors instanceof IndexColorModel;
    if (!indexed && colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY) {
      return greyRows(image.getRaster(), colors, said);
    }
    if (indexed || colors.getColorSpace().isCS_sRGB()) {
      return colorRows(image, said.alpha());
    }
    if (colors.getColorSpace().getType() == ColorSpace.TYPE_CMYK) {
      return inkRows(image.getRaster(), colors.getComponentSize(0), said.alpha());
    }
    BufferedImage converted =
        new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_ARGB);
    return colorRows(
        new ColorConvertOp(null).filter(image, converted), ImageHeader.Alpha.OF_READER);
  }

  private static Resampling.Rows greyRows(
      Raster raster, ColorModel colors, ImageHeader.Samples said) {
    int width = raster.getWidth();
    int[] samples = new int[width];
    int[] alphas = new int[width];
    float brightest = (1L << colors.getComponentSize(0)) - 1;
    float opaque = colors.hasAlpha() ? (1L << colors.getComponentSize(1)) - 1 : 1;
    return (y, channels) -> {
      raster.getSamples(0, y, width, 1, 0, samples);
      if (colors.hasAlpha()) {
        raster.getSamples(0, y, width, 1, 1, alphas);
      }
      for (int x = 0; x < width; x++) {
        float level = samples[x] * 255f / brightest;
        float alpha = colors.hasAlpha() ? alphas[x] / opaque : 1;
        if (said.transparent() >= 0) {
          alpha = Math.round(level * said.most() / 255) == said.transparent() ? 0 : 1;
        }
        float grey = onWhite(level, alpha, said.alpha());
        for (float[] channel : channels) {
          channel[x] = grey;
        }
      }
    };
  }

  /** The inks of a JPEG file, which by Adobe's convention has the light that each leaves. */
  private static Resampling.Rows inkRows(Raster raster, ImageHeader.Coding coding) {
    int width = raster.getWidth();
    int[] samples = new int[INKS * width];
    return (y, channels) -> {
      raster.getPixels(0, y, width, 1, samples);
      for (int x = 0; x < width; x++) {
        float first = samples[INKS * x];
        float second = samples[INKS * x + 1];
        float third = samples[INKS * x + 2];
        float black = samples[INKS * x + 3];
        if (coding == ImageHeader.Coding.LUMA_AND_CHROMA) {
          // JFIF's formulas; what is coded is the inks, the opposite of the light.
          float blue = second - 128;
          float red = third - 128;
          float luma = first;
          first = 255 - level(luma + 1.402f * red);
          second = 255 - level(luma - 0.344136f * blue - 0.714136f * red);
          third = 255 - level(luma + 1.772f * blue);
        }
        put(channels, x, first * black / 255, second * black / 255, third * black / 255);
      }
    };
  }

  /** Inks as TIFF has them, 0 for none, and perhaps an opacity. */
  private static Resampling.Rows inkRows(Raster raster, int bits, ImageHeader.Alpha said) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    boolean multiplied = said == ImageHeader.Alpha.MULTIPLIED;
    boolean hasAlpha = bands > INKS && (multiplied || said == ImageHeader.Alpha.SEPARATE);
    int[] samples = new int[bands * width];
    float most = (1L << bits) - 1;
    return (y, channels) -> {
      raster.getPixels(0, y, width, 1, samples);
      for (int x = 0; x < width; x++) {
        float alpha = hasAlpha ? samples[bands * x + INKS] / most : 1;
        // So much is a whole layer of ink.
        float full = multiplied && hasAlpha ? most * alpha : most;
        float light = 255 * left(samples[bands * x + 3], full);
        put(
            channels,
            x,
            onWhite(light * left(samples[bands * x], full), alpha, ImageHeader.Alpha.SEPARATE),
            onWhite(light * left(samples[bands * x + 1], full), alpha, ImageHeader.Alpha.SEPARATE),
            onWhite(light * left(samples[bands * x + 2], full), alpha, ImageHeader.Alpha.SEPARATE));
      }
    };
  }

  /** The share of the light that an ink leaves. */
  private static float left(float ink, float full) {
    return full > 0 ? Math.max(0, 1 - ink / full) : 1;
  }

  private static float level(float value) {
    return Math.max(0, Math.min(255, Math.round(value)));
  }

  private static void put(float[][] channels, int x, float red, float green, float blue) {
    if (channels.length == 1) {
      channels[0][x] = Luma.of(red, green, blue);
    } else {
      channels[0][x] = red;
      channels[1][x] = green;
      channels[2][x] = blue;
    }
  }

  private static Resampling.Rows colorRows(BufferedImage image, ImageHeader.Alpha said) {
    int width = image.getWidth();
    // The colours of such a model are divided by the opacity on the way.
    ImageHeader.Alpha kind =
        image.getColorModel().isAlphaPremultiplied() ? ImageHeader.Alpha.OF_READER : said;
    int[] argb = new int[width];
    return (y, channels) -> {
      image.getRGB(0, y, width, 1, argb, 0, width);
      for (int x = 0; x < width; x++) {
        float alpha = (argb[x] >>> 24) / 255f;
        put(
            channels,
            x,
            onWhite(argb[x] >> 16 & 255, alpha, kind),
            onWhite(argb[x] >> 8 & 255, alpha, kind),
            onWhite(argb[x] & 255, alpha, kind));
      }
    };
  }

  private static float onWhite(float level, float alpha, ImageHeader.Alpha kind) {
    if (alpha == 1 || kind == ImageHeader.Alpha.NONE) {
      return level;
    }
    float light = kind == ImageHeader.Alpha.MULTIPLIED ? level : level * alpha;
    return Math.min(255, light + 255 * (1 - alpha));
  }
}

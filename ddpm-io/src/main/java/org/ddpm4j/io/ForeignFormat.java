package org.ddpm4j.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Formats in which people have a file where another is expected, told by its first bytes: what
 * clones, browsers and mirrors leave in the place of the file itself, archives that were not
 * unpacked, and what other programs write.
 *
 * <p>For sentences, and to tell a safetensors file by any name.
 */
public enum ForeignFormat {
  /** What a clone without Git LFS has in the place of large files. */
  GIT_LFS_POINTER(
      "a Git LFS pointer, which only stands for the file",
      "get the file itself, by 'git lfs pull' in its repository",
      text("version https://git-lfs.github.com/")),
  /**
   * What a browser saves of a page that leads to a file, or of one that says that there is none.
   */
  HTML(
      "a web page (HTML)",
      "download the file itself, not the page about it",
      start -> {
        String text = words(start);
        return text.startsWith("<!doctype html")
            || text.startsWith("<html")
            || text.startsWith("<head")
            || (text.startsWith("<?xml") && text.contains("<html"));
      }),
  /** A vector graphic. */
  SVG(
      "an SVG drawing",
      "convert it to PNG",
      start -> {
        String text = words(start);
        return text.startsWith("<svg") || (text.startsWith("<?xml") && text.contains("<svg"));
      }),
  /** The refusals of object stores, for example. */
  XML("an XML document", "download the file again", start -> words(start).startsWith("<?xml")),
  /** Python's own serialisation. */
  PICKLE(
      "a pickle (Python's own format)",
      "get or write it in another format; of pickles only the weights of networks are read",
      // From protocol 2 on, a pickle says its protocol; before that, it begins with what it holds.
      start ->
          (begins(start, 0x80)
                  && start.length > 2
                  && start[1] >= 2
                  && start[1] <= 5
                  && isOpcode(start[2]))
              || Arrays.stream(new String[] {"(dp0\n", "(lp0\n", "(dp1\n", "(lp1\n", "cnumpy"})
                  .anyMatch(first -> text(first).test(start))),
  /** PyTorch's files are ZIP archives too, of pickles. */
  PYTORCH(
      "a file of PyTorch (a ZIP archive with pickles)",
      "save its tensors as safetensors; files of PyTorch are read as weights of networks alone",
      start ->
          begins(start, 'P', 'K', 3, 4)
              && new String(start, StandardCharsets.ISO_8859_1).contains("data.pkl")),
  /** The archive itself; NumPy's {@code .npz} is one, too. */
  ZIP("a ZIP archive", "unpack it", start -> begins(start, 'P', 'K', 3, 4)),
  /** One compressed file, often an archive. */
  GZIP("compressed by gzip", "unpack it", start -> begins(start, 0x1f, 0x8b)),
  /** One compressed file, often an archive. */
  XZ("compressed by xz", "unpack it", start -> begins(start, 0xfd, '7', 'z', 'X', 'Z', 0)),
  /** One compressed file, often an archive. */
  BZIP2("compressed by bzip2", "unpack it", text("BZh")),
  /** One compressed file, often an archive. */
  ZSTANDARD("compressed by zstd", "unpack it", start -> begins(start, 0x28, 0xb5, 0x2f, 0xfd)),
  /** The archive itself. */
  SEVEN_ZIP("a 7z archive", "unpack it", start -> begins(start, '7', 'z', 0xbc, 0xaf, 0x27, 0x1c)),
  /** The archive itself. */
  RAR("a RAR archive", "unpack it", text("Rar!")),
  /** The archive itself. */
  TAR("a tar archive", "unpack it", start -> holds(start, 257, "ustar")),
  /** Tensors. */
  SAFETENSORS(
      "a safetensors file",
      "give it where tensors are expected",
      start ->
          start.length > 9 && start[5] == 0 && start[6] == 0 && start[7] == 0 && start[8] == '{'),
  /** One array of NumPy. */
  NUMPY(
      "an array of NumPy (.npy)",
      "write it in the expected format",
      start -> begins(start, 0x93, 'N', 'U', 'M', 'P', 'Y')),
  /** Keras' older weights, and many data sets. */
  HDF5(
      "an HDF5 file",
      "write it in the expected format",
      start -> begins(start, 0x89, 'H', 'D', 'F')),
  /** Octave reads these too. */
  MATLAB("a file of Matlab", "get or write it in the expected format", text("MATLAB ")),
  /** The table files of data set hubs. */
  PARQUET(
      "a Parquet table", "write its images as files in folders, one for each class", text("PAR1")),
  /** Weights of llama.cpp and its relatives. */
  GGUF("a GGUF file", "get the model as safetensors", text("GGUF")),
  /** The version of the format, and then who wrote it. */
  ONNX(
      "an ONNX model",
      "give it to ONNX Runtime; networks are read as safetensors",
      start -> begins(start, 8) && start.length > 5 && start[1] > 0 && isField(start, 2, 0x12)),
  /** Too large for TIFF. */
  BIG_TIFF(
      "a BigTIFF image",
      "convert it to TIFF or PNG",
      start -> begins(start, 'I', 'I', 43, 0) || begins(start, 'M', 'M', 0, 43)),
  /** Where no image is expected. */
  PICTURE(
      "a picture",
      "name the file that was meant",
      start ->
          begins(start, 0x89, 'P', 'N', 'G')
              || begins(start, 0xff, 0xd8, 0xff)
              || holds(start, 0, "GIF8")
              || (holds(start, 0, "RIFF") && holds(start, 8, "WEBP"))
              || begins(start, 'I', 'I', 42, 0)
              || begins(start, 'M', 'M', 0, 42)),
  /** A document. */
  PDF("a PDF document", "choose the file that it is about", text("%PDF-")),
  /** Photographs. */
  AVIF(
      "an AVIF image",
      "convert it to PNG or JPEG",
      start -> holds(start, 4, "ftypavif") || holds(start, 4, "ftypavis")),
  /** Photographs of telephones. */
  HEIF(
      "a HEIF image",
      "convert it to PNG or JPEG",
      start ->
          holds(start, 4, "ftyphei")
              || holds(start, 4, "ftyphev")
              || holds(start, 4, "ftypmif1")
              || holds(start, 4, "ftypmsf1")),
  /** Photographs. */
  JPEG_XL(
      "a JPEG XL image",
      "convert it to PNG or JPEG",
      start -> begins(start, 0xff, 0x0a) || holds(start, 4, "JXL ")),
  /** Scans and medical images. */
  JPEG_2000(
      "a JPEG 2000 image",
      "convert it to PNG or JPEG",
      start -> begins(start, 0xff, 0x4f, 0xff, 0x51) || holds(start, 4, "jP  ")),
  /** A picture with its layers. */
  PHOTOSHOP("a file of Photoshop", "convert it to PNG or JPEG", text("8BPS")),
  /** JSON, such as the refusals of web services. */
  JSON(
      "JSON text",
      "download the file again",
      start -> {
        String text = words(start);
        return text.startsWith("{\"") || text.startsWith("[{\"") || text.startsWith("{ \"");
      });

  /** Of UTF-8, a character for each byte. */
  private static final String BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

  /** What pickles of protocols 2 to 5 go on with: frames, and the openings of what is pickled. */
  private static final String PICKLE_OPCODES =
      "\u0095}](cXUKMJG\u008a\u008c\u008f).N\u0088\u0089C\u0096";

  /** As many bytes as recognition looks at. */
  private static final int FIRST_BYTES = 512;

  private final String noun;
  private final String remedy;
  private final Predicate<byte[]> recognises;

  ForeignFormat(String noun, String remedy, Predicate<byte[]> recognises) {
    this.noun = noun;
    this.remedy = remedy;
    this.recognises = recognises;
  }

  /**
   * Recognises a file by its beginning.
   *
   * @param firstBytes of the file; 512 suffice for all formats
   * @return the format, or empty if it is none of these
   */
  public static Optional<ForeignFormat> of(byte[] firstBytes) {
    Objects.requireNonNull(firstBytes, "firstBytes");
    return Arrays.stream(values()).filter(format -> format.recognises.test(firstBytes)).findFirst();
  }

  /**
   * Recognises a file.
   *
   * @param file of any kind
   * @return the format, or empty if it is none of these or cannot be read
   */
  public static Optional<ForeignFormat> of(Path file) {
    Objects.requireNonNull(file, "file");
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (InputStream stream = Files.newInputStream(file)) {
      return of(stream.readNBytes(FIRST_BYTES));
    } catch (IOException e) {
      // Whoever asks is about to say what is wrong with the file.
      return Optional.empty();
    }
  }

  /**
   * What such a file is.
   *
   * @return a noun with its article, or what was done to it, as in "a ZIP archive"
   */
  public String noun() {
    return noun;
  }

  /**
   * What to do about it.
   *
   * @return a clause without a full stop, as in "unpack it"
   */
  public String remedy() {
    return remedy;
  }

  private static boolean isOpcode(byte code) {
    return PICKLE_OPCODES.indexOf(Byte.toUnsignedInt(code)) >= 0;
  }

  /** Whether a field of Protocol Buffers is a short text of ASCII. */
  private static boolean isField(byte[] start, int at, int tag) {
    int length = start[at + 1];
    if (start[at] != tag || length < 1 || start.length < at + 2 + length) {
      return false;
    }
    for (int i = at + 2; i < at + 2 + length; i++) {
      if (start[i] < ' ' || start[i] > '~') {
        return false;
      }
    }
    return true;
  }

  private static Predicate<byte[]> text(String beginning) {
    return start -> holds(start, 0, beginning);
  }

  private static boolean begins(byte[] start, int... bytes) {
    if (start.length < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if (start[i] != (byte) bytes[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean holds(byte[] start, int at, String text) {
    byte[] wanted = text.getBytes(StandardCharsets.ISO_8859_1);
    return start.length >= at + wanted.length
        && Arrays.equals(start, at, at + wanted.length, wanted, 0, wanted.length);
  }

  /** The beginning as text, without byte order mark and leading space, in small letters. */
  private static String words(byte[] start) {
    String text = new String(start, StandardCharsets.ISO_8859_1);
    text = text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
    return text.stripLeading().toLowerCase(Locale.ROOT);
  }
}

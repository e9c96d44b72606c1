package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.io.Text;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Image files and the number of each one's class.
 *
 * @param paths where the files are
 * @param labels the class of each, as many as there are paths
 * @param classNames the names of the classes
 * @param source where the files come from, for people to read
 */
record ImageFiles(List<Path> paths, List<Integer> labels, List<String> classNames, String source) {

  private static final Logger LOG = LoggerFactory.getLogger(ImageFiles.class);

  /**
   * Reads them, on all processors; what comes out does not depend on how many there are.
   *
   * @throws IOException if there is no file, none of the wanted class, none that can be read, or
   *     one that cannot be and may not be skipped, or the images do not fit into memory
   */
  LoadedImages load(ImageFileOptions options) throws IOException {
    int[] chosen = choose(options);
    PixelStore.requireMemory(options.shape(), chosen.length, source);
    PixelStore pixels = new PixelStore(options.shape(), chosen.length);
    ImageDecoder decoder = new ImageDecoder(options.shape());
    // Every thread writes to places of its own.
    String[] failures = new String[chosen.length];
    IntStream.range(0, chosen.length)
        .parallel()
        .forEach(
            i -> {
              try {
                pixels.put(i, decoder.decode(paths.get(chosen[i])), 0);
              } catch (IOException e) {
                LOG.debug("{}", paths.get(chosen[i]), e);
                failures[i] = String.valueOf(e.getMessage()).strip().replaceFirst("\\.$", "");
              }
            });
    List<LoadedImages.Skipped> skipped = new ArrayList<>();
    for (int i = 0; i < chosen.length; i++) {
      if (failures[i] != null) {
        skipped.add(new LoadedImages.Skipped(paths.get(chosen[i]), failures[i]));
      }
    }
    check(skipped, chosen.length, options.corrupt());
    int[] rows = IntStream.range(0, chosen.length).filter(i -> failures[i] == null).toArray();
    int[] rowLabels = IntStream.of(rows).map(row -> labels.get(chosen[row])).toArray();
    ImageDataSet images =
        ImageDataSet.sharing(
            options.shape(), pixels, rows, rowLabels, classNames, described(options, skipped));
    return new LoadedImages(images, skipped);
  }

  private int[] choose(ImageFileOptions options) throws IOException {
    int[] chosen = IntStream.range(0, paths.size()).toArray();
    if (options.onlyClass().isPresent()) {
      int wanted = wantedClass(options.onlyClass().get());
      chosen = IntStream.of(chosen).filter(i -> labels.get(i) == wanted).toArray();
      if (chosen.length == 0) {
        throw new IOException(
            Text.format(
                "%s: there is no image of class %s; choose another class, or add images of it.",
                source, classNames.get(wanted)));
      }
    }
    OptionalInt most = options.maxImages();
    if (most.isPresent() && most.getAsInt() < chosen.length) {
      int[] all = chosen;
      chosen =
          IntStream.of(ImageDataSet.spread(all.length, most.getAsInt())).map(i -> all[i]).toArray();
    }
    return chosen;
  }

  private int wantedClass(String nameOrNumber) throws IOException {
    try {
      return ClassNames.of(classNames).find(nameOrNumber);
    } catch (IllegalArgumentException e) {
      throw new IOException(source + ": " + e.getMessage(), e);
    }
  }

  private static void check(List<LoadedImages.Skipped> bad, int all, CorruptFiles policy)
      throws IOException {
    if (bad.isEmpty() || (policy == CorruptFiles.SKIP && bad.size() < all)) {
      return;
    }
    LoadedImages.Skipped first = bad.get(0);
    throw new IOException(
        Text.format(
            "%,d of %,d image files cannot be read, the first of them %s: %s; %s.",
            bad.size(),
            all,
            first.file(),
            first.reason(),
            bad.size() == all
                ? "choose a folder with images"
                : "repair or remove them, or let corrupt files be skipped"));
  }

  private String described(ImageFileOptions options, List<LoadedImages.Skipped> skipped) {
    StringBuilder text = new StringBuilder(source);
    options.onlyClass().ifPresent(name -> text.append(", class ").append(name));
    if (skipped.size() == 1) {
      text.append(", without a file that cannot be read");
    } else if (skipped.size() > 1) {
      text.append(Text.format(", without %,d file(s) that cannot be read", skipped.size()));
    }
    return text.toString();
  }
}

package org.ddpm4j.cli.edit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which pixels are kept and which are drawn. */
final class MaskOptions {

  private static final Pattern BOX = Pattern.compile("\\d{1,6}(,\\d{1,6}){3}");

  @ArgGroup(exclusive = true)
  private Source source = new Source();

  private static final class Source {
    @Option(
        names = "--mask",
        paramLabel = "FILE",
        description =
            "Picture of what is kept: white; black is drawn anew. It is brought to the model's size"
                + " as images are.")
    private Path file;

    @Option(
        names = "--mask-box",
        paramLabel = "BOX",
        converter = BoxConverter.class,
        description =
            "What is drawn anew: center, left, right, top or bottom, or T,L,H,W, a box from row T"
                + " and column L on (default: "
                + EditingDefaults.MASK_BOX
                + ").")
    private String box;
  }

  static final class BoxConverter implements picocli.CommandLine.ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (!BOX.matcher(text).matches() && !text.matches("center|left|right|top|bottom")) {
        throw new TypeConversionException(
            Text.format(
                "expected center, left, right, top, bottom or four whole numbers T,L,H,W but was '%s'",
                text));
      }
      return text;
    }
  }

  /** The mask, {@code [1,1,H,W]}, 1 where a pixel is kept. */
  INDArray mask(ImageShape shape) throws IOException {
    return source.file == null
        ? ofBox(source.box == null ? EditingDefaults.MASK_BOX : source.box, shape)
        : ofFile(source.file, shape);
  }

  private static INDArray ofFile(Path file, ImageShape shape) throws IOException {
    INDArray mask = ImageFile.readMask(file, shape.height(), shape.width());
    if (mask.minNumber().intValue() == 1) {
      throw new BadInputException(
          "The mask %s is white all over, so that nothing is to be drawn; paint black what is.",
          file);
    }
    return mask;
  }

  private static INDArray ofBox(String box, ImageShape shape) {
    int h = shape.height();
    int w = shape.width();
    int[] sides =
        switch (box) {
          case "center" -> new int[] {h / 4, w / 4, h - h / 4 * 2, w - w / 4 * 2};
          case "left" -> new int[] {0, 0, h, w / 2};
          case "right" -> new int[] {0, w - w / 2, h, w / 2};
          case "top" -> new int[] {0, 0, h / 2, w};
          case "bottom" -> new int[] {h - h / 2, 0, h / 2, w};
          default -> Pattern.compile(",").splitAsStream(box).mapToInt(Integer::parseInt).toArray();
        };
    if (sides[2] < 1 || sides[3] < 1 || sides[0] + sides[2] > h || sides[1] + sides[3] > w) {
      throw new BadInputException(
          "A box of %dx%d from row %d and column %d on does not lie in an image of %dx%d; choose a smaller one, as T,L,H,W.",
          sides[2], sides[3], sides[0], sides[1], h, w);
    }
    INDArray mask = Nd4j.ones(DataType.FLOAT, 1, 1, h, w);
    mask.get(
            NDArrayIndex.all(),
            NDArrayIndex.all(),
            NDArrayIndex.interval(sides[0], sides[0] + sides[2]),
            NDArrayIndex.interval(sides[1], sides[1] + sides[3]))
        .assign(0);
    return mask;
  }
}

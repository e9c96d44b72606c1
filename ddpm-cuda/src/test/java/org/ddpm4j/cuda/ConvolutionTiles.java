package org.ddpm4j.cuda;

/**
 * Prints which tiles Java chooses for the shapes of convolution_bench.cu, which marks them: a line
 * each, with the shape's number, the direction and the tile. Arguments: bytes of an element (2 if
 * none) and kilobytes of shared memory (227).
 */
final class ConvolutionTiles {

  private static final int IMAGES = 128;

  /** As in convolution_bench.cu. */
  private static final Shape[] SHAPES = {
    new Shape(28, 28, 28, 3, 1, 1, 1, false),
    new Shape(28, 32, 32, 3, 1, 1, 1, false),
    new Shape(28, 56, 28, 3, 1, 1, 1, false),
    new Shape(14, 56, 56, 3, 1, 1, 1, false),
    new Shape(14, 64, 64, 3, 1, 1, 1, false),
    new Shape(14, 112, 56, 3, 1, 1, 1, false),
    new Shape(7, 112, 112, 3, 1, 1, 1, false),
    new Shape(7, 128, 128, 3, 1, 1, 1, false),
    new Shape(7, 224, 112, 3, 1, 1, 1, false),
    new Shape(28, 28, 384, 1, 1, 0, 0, false),
    new Shape(28, 128, 28, 1, 1, 0, 0, false),
    new Shape(14, 56, 384, 1, 1, 0, 0, false),
    new Shape(28, 28, 1, 1, 1, 0, 0, false),
    new Shape(28, 1, 28, 7, 1, 3, 3, false),
    new Shape(28, 28, 56, 4, 2, 1, 1, false),
    new Shape(14, 56, 112, 4, 2, 1, 1, false),
    new Shape(7, 112, 56, 4, 2, 1, 1, true),
    new Shape(14, 56, 28, 4, 2, 1, 1, true),
    new Shape(32, 128, 128, 3, 1, 1, 1, false),
    new Shape(16, 256, 256, 3, 1, 1, 1, false),
    new Shape(8, 512, 256, 3, 1, 1, 1, false),
    new Shape(32, 128, 128, 3, 2, 0, 1, false),
    new Shape(16, 256, 256, 1, 1, 0, 0, false),
    new Shape(32, 3, 128, 3, 1, 1, 1, false),
    new Shape(32, 128, 3, 3, 1, 1, 1, false),
  };

  private final int elementBytes;
  private final int sharedMemory;

  private ConvolutionTiles(int elementBytes, int sharedMemory) {
    this.elementBytes = elementBytes;
    this.sharedMemory = sharedMemory;
  }

  /** A convolution of square images. */
  private record Shape(
      int size,
      int in,
      int out,
      int kernel,
      int stride,
      int padding,
      int endPadding,
      boolean transposed) {

    int outSize() {
      return transposed
          ? (size - 1) * stride - 2 * padding + kernel
          : (size + padding + endPadding - kernel) / stride + 1;
    }

    /** The gradient by data, of the full size that an output of that size can have. */
    Shape reversed() {
      return new Shape(outSize(), out, in, kernel, stride, padding, endPadding, !transposed);
    }

    ConvolutionLookup lookup() {
      int to = outSize();
      return new ConvolutionLookup(
          IMAGES, size, size, to, to, kernel, kernel, stride, padding, transposed);
    }
  }

  public static void main(String[] arguments) {
    int elementBytes = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
    int kilobytes = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 227;
    ConvolutionTiles tiles = new ConvolutionTiles(elementBytes, kilobytes << 10);
    for (int i = 0; i < SHAPES.length; i++) {
      Shape shape = SHAPES[i];
      System.out.printf("%d forward %s%n", i, tiles.gather(shape));
      System.out.printf("%d data %s%n", i, tiles.gather(shape.reversed()));
      System.out.printf("%d weights %s%n", i, tiles.weights(shape));
    }
  }

  private static int row(int channels) {
    return channels <= 8 ? 8 : channels <= 16 ? 16 : ConvolutionLookup.ceil(channels, 32) * 32;
  }

  private String gather(Shape shape) {
    GatherTile tile =
        GatherTile.of(shape.lookup(), row(shape.in), row(shape.out), elementBytes, sharedMemory);
    return "u%d %dx%d/%dx%d taps %d stages %d (%d KB)"
        .formatted(
            tile.units(),
            tile.pixels(),
            tile.channels(),
            tile.warpPixels(),
            tile.warpChannels(),
            tile.stageTaps(),
            tile.stages(),
            tile.sharedBytes() >> 10);
  }

  private String weights(Shape original) {
    Shape shape = original.transposed ? original.reversed() : original;
    ConvolutionLookup lookup = shape.lookup();
    int in = row(shape.in);
    int out = row(shape.out);
    WeightGradientTile tile = WeightGradientTile.of(lookup, in, out, elementBytes, sharedMemory);
    long partLength = (long) shape.kernel * shape.kernel * shape.in * shape.out + shape.out;
    return "u%d n%d p%d %dx%d k%d stages %d parts %d (%d KB)"
        .formatted(
            tile.units(),
            tile.channels(),
            tile.pixels(),
            tile.blocks(),
            tile.warps(),
            tile.pixelWarps(),
            tile.stages(),
            tile.parts(lookup, in, out, elementBytes, partLength, sharedMemory),
            tile.sharedBytes() >> 10);
  }
}

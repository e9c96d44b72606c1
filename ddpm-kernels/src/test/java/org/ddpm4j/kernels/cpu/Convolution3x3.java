package org.ddpm4j.kernels.cpu;

import java.util.SplittableRandom;

/**
 * A convolution of kernel 3, stride 1 and padding 1, and its gradients by the definition.
 *
 * @param x {@code [N,H,W,iC]}
 * @param w {@code [3,3,iC,oC]}
 * @param bias {@code [oC]}
 * @param dy {@code [N,H,W,oC]}
 */
record Convolution3x3(Values x, Values w, Values bias, Values dy) {

  static Convolution3x3 of(int images, int height, int width, int in, int out) {
    SplittableRandom random = new SplittableRandom(31L * images + height);
    return new Convolution3x3(
        Values.gaussian(random, 1, images, height, width, in),
        Values.gaussian(random, 0.1, 3, 3, in, out),
        Values.gaussian(random, 1, out),
        Values.gaussian(random, 1, images, height, width, out));
  }

  Values inputGradient() {
    Values dx = Values.zeros(x.shape());
    forEachProduct((i, k, o) -> dx.elements()[i] += w.elements()[k] * dy.elements()[o]);
    return dx;
  }

  Values weightsGradient() {
    Values dw = Values.zeros(w.shape());
    forEachProduct((i, k, o) -> dw.elements()[k] += x.elements()[i] * dy.elements()[o]);
    return dw;
  }

  Values biasGradient() {
    Values db = Values.zeros(bias.shape());
    for (int i = 0; i < dy.elements().length; i++) {
      db.elements()[i % db.size(0)] += dy.elements()[i];
    }
    return db;
  }

  /** One of the products of which the definition is the sum. */
  private interface Product {
    void accept(int x, int w, int y);
  }

  private void forEachProduct(Product product) {
    int height = x.size(1);
    int width = x.size(2);
    int in = x.size(3);
    int out = dy.size(3);
    for (int position = 0; position < x.size(0) * height * width; position++) {
      int column = position % width;
      int row = position / width % height;
      for (int k = 0; k < 9; k++) {
        int r = row + k / 3 - 1;
        int c = column + k % 3 - 1;
        if (r >= 0 && r < height && c >= 0 && c < width) {
          int other = position + (r - row) * width + c - column;
          for (int i = 0; i < in; i++) {
            for (int o = 0; o < out; o++) {
              product.accept(other * in + i, (k * in + i) * out + o, position * out + o);
            }
          }
        }
      }
    }
  }

  @Override
  public String toString() {
    return "%s to %d".formatted(x, w.size(3));
  }
}

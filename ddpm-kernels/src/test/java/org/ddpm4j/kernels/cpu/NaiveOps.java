package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.kernels.ops.Activation;

/** The operations as plain loops in double precision, written from their definitions. */
public final class NaiveOps {

  private NaiveOps() {}

  /** {@code [N,H,W,C]} at n, h, w, c. */
  private static int at(Values x, int n, int h, int w, int c) {
    return ((n * x.size(1) + h) * x.size(2) + w) * x.size(3) + c;
  }

  /** Weights {@code [kH,kW,iC,oC]}; no bias if null. */
  public static Values conv2d(Values x, Values weights, Values bias, int stride, int padding) {
    return conv2d(x, weights, bias, stride, padding, padding);
  }

  public static Values conv2d(
      Values x, Values weights, Values bias, int stride, int padding, int endPadding) {
    int height = (x.size(1) + padding + endPadding - weights.size(0)) / stride + 1;
    int width = (x.size(2) + padding + endPadding - weights.size(1)) / stride + 1;
    Values y = Values.zeros(x.size(0), height, width, weights.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int h = 0; h < height; h++) {
        for (int w = 0; w < width; w++) {
          for (int c = 0; c < y.size(3); c++) {
            double sum = bias == null ? 0 : bias.elements()[c];
            for (int i = 0; i < weights.size(0); i++) {
              for (int j = 0; j < weights.size(1); j++) {
                int row = h * stride + i - padding;
                int column = w * stride + j - padding;
                if (row >= 0 && row < x.size(1) && column >= 0 && column < x.size(2)) {
                  for (int k = 0; k < x.size(3); k++) {
                    sum +=
                        x.elements()[at(x, n, row, column, k)]
                            * weights.elements()[at(weights, i, j, k, c)];
                  }
                }
              }
            }
            y.elements()[at(y, n, h, w, c)] = sum;
          }
        }
      }
    }
    return y;
  }

  public static Values groupNorm(Values x, Values scale, Values shift, int groups, double epsilon) {
    Values y = Values.zeros(x.shape());
    int channels = x.size(3);
    int perGroup = channels / groups;
    int positions = x.size(1) * x.size(2);
    for (int n = 0; n < x.size(0); n++) {
      for (int g = 0; g < groups; g++) {
        double mean = 0;
        double squares = 0;
        for (int pass = 0; pass < 2; pass++) {
          for (int p = 0; p < positions; p++) {
            for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
              double value = x.elements()[(n * positions + p) * channels + c];
              if (pass == 0) {
                mean += value / (positions * perGroup);
              } else {
                squares += (value - mean) * (value - mean);
              }
            }
          }
        }
        double deviation = Math.sqrt(squares / (positions * perGroup) + epsilon);
        for (int p = 0; p < positions; p++) {
          for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
            int i = (n * positions + p) * channels + c;
            y.elements()[i] =
                (x.elements()[i] - mean) / deviation * scale.elements()[c] + shift.elements()[c];
          }
        }
      }
    }
    return y;
  }

  public static Values eltwise(Values x, Activation function) {
    return map(
        x,
        switch (function) {
          case IDENTITY -> v -> v;
          case SILU -> v -> v / (1 + Math.exp(-v));
          case GELU -> v -> v * (1 + erf(v / Math.sqrt(2))) / 2;
          case RELU -> v -> Math.max(v, 0);
          case MISH -> v -> v * Math.tanh(Math.log1p(Math.exp(v)));
          case GELU_TANH ->
              v -> v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))) / 2;
        });
  }

  private static Values map(Values x, DoubleUnaryOperator function) {
    return new Values(Arrays.stream(x.elements()).map(function).toArray(), x.shape());
  }

  /** By its power series; beyond 4 it is 1 to eight digits. */
  private static double erf(double x) {
    if (Math.abs(x) > 4) {
      return Math.signum(x);
    }
    double power = x;
    double sum = x;
    for (int n = 1; n < 100; n++) {
      power *= -x * x / n;
      sum += power / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  public static Values add(Values a, Values b) {
    Values y = Values.zeros(a.shape());
    Arrays.setAll(y.elements(), i -> a.elements()[i] + b.elements()[i]);
    return y;
  }

  /** v is {@code [N,C]}. */
  public static Values addPerChannel(Values x, Values v) {
    Values y = Values.zeros(x.shape());
    int channels = x.size(3);
    int positions = x.size(1) * x.size(2);
    for (int i = 0; i < y.elements().length; i++) {
      int image = i / (positions * channels);
      y.elements()[i] = x.elements()[i] + v.elements()[image * channels + i % channels];
    }
    return y;
  }

  /** {@code x·(1 + scale) + shift} with {@code [scale, shift]} of {@code [N,2C]}. */
  public static Values scaleShiftPerChannel(Values x, Values scalesAndShifts) {
    Values y = Values.zeros(x.shape());
    int channels = x.size(3);
    int positions = x.size(1) * x.size(2);
    for (int i = 0; i < y.elements().length; i++) {
      int image = i / (positions * channels);
      int scale = 2 * image * channels + i % channels;
      y.elements()[i] =
          x.elements()[i] * (1 + scalesAndShifts.elements()[scale])
              + scalesAndShifts.elements()[scale + channels];
    }
    return y;
  }

  public static Values affine(Values x, double factor, double summand) {
    return map(x, v -> factor * v + summand);
  }

  public static Values concatChannels(Values a, Values b) {
    Values y = Values.zeros(a.size(0), a.size(1), a.size(2), a.size(3) + b.size(3));
    for (int i = 0; i < y.elements().length; i++) {
      int position = i / y.size(3);
      int c = i % y.size(3);
      y.elements()[i] =
          c < a.size(3)
              ? a.elements()[position * a.size(3) + c]
              : b.elements()[position * b.size(3) + c - a.size(3)];
    }
    return y;
  }

  public static Values upsampleNearest(Values x) {
    Values y = Values.zeros(x.size(0), 2L * x.size(1), 2L * x.size(2), x.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int h = 0; h < y.size(1); h++) {
        for (int w = 0; w < y.size(2); w++) {
          for (int c = 0; c < y.size(3); c++) {
            y.elements()[at(y, n, h, w, c)] = x.elements()[at(x, n, h / 2, w / 2, c)];
          }
        }
      }
    }
    return y;
  }

  /** Means over squares of two by two positions. */
  public static Values averagePool(Values x) {
    return pool(x, square -> Arrays.stream(square).average().orElseThrow());
  }

  /** The largest of squares of two by two positions. */
  public static Values maxPool(Values x) {
    return pool(x, square -> Arrays.stream(square).max().orElseThrow());
  }

  private static Values pool(Values x, ToDoubleFunction<double[]> summary) {
    Values y = Values.zeros(x.size(0), x.size(1) / 2, x.size(2) / 2, x.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int h = 0; h < y.size(1); h++) {
        for (int w = 0; w < y.size(2); w++) {
          for (int c = 0; c < y.size(3); c++) {
            double[] square = {
              x.elements()[at(x, n, 2 * h, 2 * w, c)],
              x.elements()[at(x, n, 2 * h, 2 * w + 1, c)],
              x.elements()[at(x, n, 2 * h + 1, 2 * w, c)],
              x.elements()[at(x, n, 2 * h + 1, 2 * w + 1, c)]
            };
            y.elements()[at(y, n, h, w, c)] = summary.applyAsDouble(square);
          }
        }
      }
    }
    return y;
  }

  /** Labels {@code [N]}, table {@code [count,width]}. */
  public static Values embedding(Values labels, Values table) {
    int width = table.size(1);
    Values y = Values.zeros(labels.size(0), width);
    for (int i = 0; i < y.elements().length; i++) {
      int row = (int) Math.round(labels.elements()[i / width]);
      y.elements()[i] = table.elements()[row * width + i % width];
    }
    return y;
  }

  public static Values multiply(Values a, Values b) {
    Values y = Values.zeros(a.shape());
    Arrays.setAll(y.elements(), i -> a.elements()[i] * b.elements()[i]);
    return y;
  }

  /** x {@code [N,in]}, weights {@code [in,out]}. */
  public static Values linear(Values x, Values weights, Values bias) {
    int in = x.size(1);
    int out = weights.size(1);
    Values y = Values.zeros(x.size(0), out);
    for (int n = 0; n < x.size(0); n++) {
      for (int o = 0; o < out; o++) {
        double sum = bias.elements()[o];
        for (int i = 0; i < in; i++) {
          sum += x.elements()[n * in + i] * weights.elements()[i * out + o];
        }
        y.elements()[n * out + o] = sum;
      }
    }
    return y;
  }

  /** {@code softmax(q·kᵀ/√d)·v} for each image and head. */
  public static Values attention(Values qkv, int heads) {
    int positions = qkv.size(1) * qkv.size(2);
    int width = qkv.size(3) / 3 / heads;
    Values y = Values.zeros(qkv.size(0), qkv.size(1), qkv.size(2), qkv.size(3) / 3);
    for (int n = 0; n < qkv.size(0); n++) {
      for (int head = 0; head < heads; head++) {
        for (int p = 0; p < positions; p++) {
          double[] weights = new double[positions];
          for (int other = 0; other < positions; other++) {
            for (int j = 0; j < width; j++) {
              weights[other] +=
                  part(qkv, n, p, 0, head * width + j)
                      * part(qkv, n, other, 1, head * width + j)
                      / Math.sqrt(width);
            }
          }
          softmax(weights);
          for (int j = 0; j < width; j++) {
            double sum = 0;
            for (int other = 0; other < positions; other++) {
              sum += weights[other] * part(qkv, n, other, 2, head * width + j);
            }
            y.elements()[(n * positions + p) * heads * width + head * width + j] = sum;
          }
        }
      }
    }
    return y;
  }

  /** Queries are normalised over their features, keys over the positions. */
  public static Values linearAttention(Values qkv, int heads) {
    int positions = qkv.size(1) * qkv.size(2);
    int width = qkv.size(3) / 3 / heads;
    Values y = Values.zeros(qkv.size(0), qkv.size(1), qkv.size(2), qkv.size(3) / 3);
    for (int n = 0; n < qkv.size(0); n++) {
      for (int head = 0; head < heads; head++) {
        double[][] context = new double[width][width];
        for (int i = 0; i < width; i++) {
          double[] keys = new double[positions];
          for (int p = 0; p < positions; p++) {
            keys[p] = part(qkv, n, p, 1, head * width + i);
          }
          softmax(keys);
          for (int j = 0; j < width; j++) {
            for (int p = 0; p < positions; p++) {
              context[i][j] += keys[p] * part(qkv, n, p, 2, head * width + j);
            }
          }
        }
        for (int p = 0; p < positions; p++) {
          double[] query = new double[width];
          for (int i = 0; i < width; i++) {
            query[i] = part(qkv, n, p, 0, head * width + i);
          }
          softmax(query);
          for (int j = 0; j < width; j++) {
            double sum = 0;
            for (int i = 0; i < width; i++) {
              sum += query[i] / Math.sqrt(width) * context[i][j];
            }
            y.elements()[(n * positions + p) * heads * width + head * width + j] = sum;
          }
        }
      }
    }
    return y;
  }

  /** Queries are part 0, keys 1, values 2. */
  private static double part(Values qkv, int image, int position, int part, int feature) {
    int positions = qkv.size(1) * qkv.size(2);
    int features = qkv.size(3) / 3;
    return qkv.elements()[
        (image * positions + position) * 3 * features + part * features + feature];
  }

  private static void softmax(double[] values) {
    double max = Arrays.stream(values).max().orElseThrow();
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.exp(values[i] - max);
      sum += values[i];
    }
    for (int i = 0; i < values.length; i++) {
      values[i] /= sum;
    }
  }

  public static double innerProduct(Values a, Values b) {
    double sum = 0;
    for (int i = 0; i < a.elements().length; i++) {
      sum += a.elements()[i] * b.elements()[i];
    }
    return sum;
  }
}

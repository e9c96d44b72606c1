package org.ddpm4j.unet;

import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.Layers;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The forward pass of {@link Layers} in plain loops over doubles, straight from the definitions.
 * Arrays only hold the numbers. Shapes are those of {@link Layers}.
 */
final class NaiveLayers {

  private NaiveLayers() {}

  static INDArray conv2d(INDArray x, INDArray weight, INDArray bias, Convolution shape) {
    int inChannels = (int) x.size(3);
    INDArray y = zeros(x.size(0), out(shape, x.size(1)), out(shape, x.size(2)), weight.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int i = 0; i < y.size(1); i++) {
        for (int j = 0; j < y.size(2); j++) {
          for (int o = 0; o < y.size(3); o++) {
            double sum = bias == null ? 0 : bias.getDouble(o);
            for (int a = 0; a < shape.kernel(); a++) {
              for (int b = 0; b < shape.kernel(); b++) {
                int row = i * shape.stride() + a - shape.padding();
                int column = j * shape.stride() + b - shape.padding();
                for (int c = 0; c < inChannels; c++) {
                  sum += padded(x, n, row, column, c) * weight.getDouble(a, b, c, o);
                }
              }
            }
            y.putScalar(new int[] {n, i, j, o}, sum);
          }
        }
      }
    }
    return y;
  }

  static INDArray depthwiseConv2d(INDArray x, INDArray weight, INDArray bias, Convolution shape) {
    INDArray y = zeros(x.size(0), out(shape, x.size(1)), out(shape, x.size(2)), x.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int i = 0; i < y.size(1); i++) {
        for (int j = 0; j < y.size(2); j++) {
          for (int c = 0; c < y.size(3); c++) {
            double sum = bias.getDouble(c);
            for (int a = 0; a < shape.kernel(); a++) {
              for (int b = 0; b < shape.kernel(); b++) {
                int row = i * shape.stride() + a - shape.padding();
                int column = j * shape.stride() + b - shape.padding();
                sum += padded(x, n, row, column, c) * weight.getDouble(a, b, c, 0);
              }
            }
            y.putScalar(new int[] {n, i, j, c}, sum);
          }
        }
      }
    }
    return y;
  }

  /** Every input value stamps the kernel onto the output; what falls outside is cut off. */
  static INDArray convTranspose2d(INDArray x, INDArray weight, INDArray bias, Convolution shape) {
    int height = shape.transposedOutputSize((int) x.size(1));
    int width = shape.transposedOutputSize((int) x.size(2));
    INDArray y = zeros(x.size(0), height, width, weight.size(2));
    for (int n = 0; n < x.size(0); n++) {
      for (int o = 0; o < y.size(3); o++) {
        for (int i = 0; i < height; i++) {
          for (int j = 0; j < width; j++) {
            y.putScalar(new int[] {n, i, j, o}, bias.getDouble(o));
          }
        }
        for (int i = 0; i < x.size(1); i++) {
          for (int j = 0; j < x.size(2); j++) {
            for (int a = 0; a < shape.kernel(); a++) {
              for (int b = 0; b < shape.kernel(); b++) {
                int row = i * shape.stride() + a - shape.padding();
                int column = j * shape.stride() + b - shape.padding();
                if (row < 0 || row >= height || column < 0 || column >= width) {
                  continue;
                }
                double sum = y.getDouble(n, row, column, o);
                for (int c = 0; c < x.size(3); c++) {
                  sum += x.getDouble(n, i, j, c) * weight.getDouble(a, b, o, c);
                }
                y.putScalar(new int[] {n, row, column, o}, sum);
              }
            }
          }
        }
      }
    }
    return y;
  }

  private static int out(Convolution shape, long size) {
    return shape.outputSize((int) size);
  }

  private static double padded(INDArray x, int n, int row, int column, int channel) {
    boolean inside = row >= 0 && row < x.size(1) && column >= 0 && column < x.size(2);
    return inside ? x.getDouble(n, row, column, channel) : 0;
  }

  static INDArray groupNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      int groups,
      double epsilon,
      Activation activation) {
    int perGroup = (int) x.size(3) / groups;
    double count = x.size(1) * x.size(2) * perGroup;
    INDArray y = zeros(x.shape());
    for (int n = 0; n < x.size(0); n++) {
      for (int group = 0; group < groups; group++) {
        int first = group * perGroup;
        double mean = 0;
        for (int i = 0; i < x.size(1); i++) {
          for (int j = 0; j < x.size(2); j++) {
            for (int c = first; c < first + perGroup; c++) {
              mean += x.getDouble(n, i, j, c) / count;
            }
          }
        }
        double variance = 0;
        for (int i = 0; i < x.size(1); i++) {
          for (int j = 0; j < x.size(2); j++) {
            for (int c = first; c < first + perGroup; c++) {
              variance += Math.pow(x.getDouble(n, i, j, c) - mean, 2) / count;
            }
          }
        }
        for (int i = 0; i < x.size(1); i++) {
          for (int j = 0; j < x.size(2); j++) {
            for (int c = first; c < first + perGroup; c++) {
              double normalised = (x.getDouble(n, i, j, c) - mean) / Math.sqrt(variance + epsilon);
              double value = normalised * weight.getDouble(c) + bias.getDouble(c);
              y.putScalar(new int[] {n, i, j, c}, function(activation).applyAsDouble(value));
            }
          }
        }
      }
    }
    return y;
  }

  static INDArray linear(INDArray x, INDArray weight, INDArray bias, Activation activation) {
    INDArray y = zeros(x.size(0), weight.size(1));
    for (int n = 0; n < x.size(0); n++) {
      for (int o = 0; o < weight.size(1); o++) {
        double sum = bias.getDouble(o);
        for (int c = 0; c < weight.size(0); c++) {
          sum += x.getDouble(n, c) * weight.getDouble(c, o);
        }
        y.putScalar(n, o, function(activation).applyAsDouble(sum));
      }
    }
    return y;
  }

  static INDArray activation(INDArray x, Activation activation) {
    INDArray y = x.castTo(DataType.DOUBLE).dup('c');
    for (long i = 0; i < y.length(); i++) {
      y.putScalar(i, function(activation).applyAsDouble(y.getDouble(i)));
    }
    return y;
  }

  private static DoubleUnaryOperator function(Activation activation) {
    return switch (activation) {
      case IDENTITY -> x -> x;
      case SILU -> x -> x / (1 + Math.exp(-x));
      case GELU -> x -> x * (1 + erf(x / Math.sqrt(2))) / 2;
      case RELU -> x -> x > 0 ? x : 0;
      case MISH -> x -> x * Math.tanh(Math.log1p(Math.exp(x)));
      case GELU_TANH ->
          x -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
    };
  }

  /** Abramowitz and Stegun 7.1.6, a series of terms of one sign. */
  private static double erf(double x) {
    double term = x;
    double sum = 0;
    for (int n = 1; n < 500 && Math.abs(term) > 1e-20 * Math.abs(sum); n++) {
      sum += term;
      term *= 2 * x * x / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  static INDArray addPerChannel(INDArray x, INDArray perChannel) {
    INDArray y = zeros(x.shape());
    for (int n = 0; n < x.size(0); n++) {
      for (int i = 0; i < x.size(1); i++) {
        for (int j = 0; j < x.size(2); j++) {
          for (int c = 0; c < x.size(3); c++) {
            double value = x.getDouble(n, i, j, c) + perChannel.getDouble(n, c);
            y.putScalar(new int[] {n, i, j, c}, value);
          }
        }
      }
    }
    return y;
  }

  static INDArray scaleShiftPerChannel(INDArray x, INDArray scalesAndShifts) {
    int channels = (int) x.size(3);
    INDArray y = zeros(x.shape());
    for (int n = 0; n < x.size(0); n++) {
      for (int i = 0; i < x.size(1); i++) {
        for (int j = 0; j < x.size(2); j++) {
          for (int c = 0; c < channels; c++) {
            double scale = 1 + scalesAndShifts.getDouble(n, c);
            double shift = scalesAndShifts.getDouble(n, channels + c);
            y.putScalar(new int[] {n, i, j, c}, x.getDouble(n, i, j, c) * scale + shift);
          }
        }
      }
    }
    return y;
  }

  static INDArray avgPool2(INDArray x) {
    return pool2(x, square -> (square[0] + square[1] + square[2] + square[3]) / 4);
  }

  static INDArray maxPool2(INDArray x) {
    return pool2(
        x, square -> Math.max(Math.max(square[0], square[1]), Math.max(square[2], square[3])));
  }

  private static INDArray pool2(INDArray x, ToDoubleFunction<double[]> summary) {
    INDArray y = zeros(x.size(0), x.size(1) / 2, x.size(2) / 2, x.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int i = 0; i < y.size(1); i++) {
        for (int j = 0; j < y.size(2); j++) {
          for (int c = 0; c < y.size(3); c++) {
            double[] square = {
              x.getDouble(n, 2 * i, 2 * j, c),
              x.getDouble(n, 2 * i, 2 * j + 1, c),
              x.getDouble(n, 2 * i + 1, 2 * j, c),
              x.getDouble(n, 2 * i + 1, 2 * j + 1, c)
            };
            y.putScalar(new int[] {n, i, j, c}, summary.applyAsDouble(square));
          }
        }
      }
    }
    return y;
  }

  static INDArray upsampleNearest2(INDArray x) {
    INDArray y = zeros(x.size(0), 2 * x.size(1), 2 * x.size(2), x.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int i = 0; i < y.size(1); i++) {
        for (int j = 0; j < y.size(2); j++) {
          for (int c = 0; c < y.size(3); c++) {
            y.putScalar(new int[] {n, i, j, c}, x.getDouble(n, i / 2, j / 2, c));
          }
        }
      }
    }
    return y;
  }

  static INDArray concatChannels(INDArray a, INDArray b) {
    INDArray y = zeros(a.size(0), a.size(1), a.size(2), a.size(3) + b.size(3));
    for (int n = 0; n < y.size(0); n++) {
      for (int i = 0; i < y.size(1); i++) {
        for (int j = 0; j < y.size(2); j++) {
          for (int c = 0; c < y.size(3); c++) {
            boolean first = c < a.size(3);
            double value =
                first ? a.getDouble(n, i, j, c) : b.getDouble(n, i, j, c - (int) a.size(3));
            y.putScalar(new int[] {n, i, j, c}, value);
          }
        }
      }
    }
    return y;
  }

  static INDArray attention(INDArray qkv, int heads) {
    QueriesKeysValues in = new QueriesKeysValues(qkv, heads);
    INDArray y = zeros(qkv.size(0), qkv.size(1), qkv.size(2), heads * in.width);
    for (int n = 0; n < qkv.size(0); n++) {
      for (int head = 0; head < heads; head++) {
        for (int query = 0; query < in.positions; query++) {
          double[] scores = new double[in.positions];
          for (int key = 0; key < in.positions; key++) {
            for (int i = 0; i < in.width; i++) {
              scores[key] += in.q(n, query, head, i) * in.k(n, key, head, i);
            }
            scores[key] /= Math.sqrt(in.width);
          }
          double[] weights = softmax(scores);
          for (int i = 0; i < in.width; i++) {
            double sum = 0;
            for (int key = 0; key < in.positions; key++) {
              sum += weights[key] * in.v(n, key, head, i);
            }
            in.put(y, n, query, head, i, sum);
          }
        }
      }
    }
    return y;
  }

  static INDArray linearAttention(INDArray qkv, int heads) {
    QueriesKeysValues in = new QueriesKeysValues(qkv, heads);
    INDArray y = zeros(qkv.size(0), qkv.size(1), qkv.size(2), heads * in.width);
    for (int n = 0; n < qkv.size(0); n++) {
      for (int head = 0; head < heads; head++) {
        double[][] summary = new double[in.width][in.width];
        for (int i = 0; i < in.width; i++) {
          double[] feature = new double[in.positions];
          for (int key = 0; key < in.positions; key++) {
            feature[key] = in.k(n, key, head, i);
          }
          double[] weights = softmax(feature);
          for (int j = 0; j < in.width; j++) {
            for (int key = 0; key < in.positions; key++) {
              summary[i][j] += weights[key] * in.v(n, key, head, j);
            }
          }
        }
        for (int query = 0; query < in.positions; query++) {
          double[] features = new double[in.width];
          for (int i = 0; i < in.width; i++) {
            features[i] = in.q(n, query, head, i);
          }
          double[] weights = softmax(features);
          for (int j = 0; j < in.width; j++) {
            double sum = 0;
            for (int i = 0; i < in.width; i++) {
              sum += weights[i] / Math.sqrt(in.width) * summary[i][j];
            }
            in.put(y, n, query, head, j, sum);
          }
        }
      }
    }
    return y;
  }

  private static double[] softmax(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += Math.exp(value);
    }
    double[] weights = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      weights[i] = Math.exp(values[i]) / sum;
    }
    return weights;
  }

  private static final class QueriesKeysValues {

    private final INDArray qkv;
    private final int heads;
    private final int width;
    private final int positions;

    QueriesKeysValues(INDArray qkv, int heads) {
      this.qkv = qkv;
      this.heads = heads;
      this.width = (int) qkv.size(3) / (3 * heads);
      this.positions = (int) (qkv.size(1) * qkv.size(2));
    }

    double q(int n, int position, int head, int i) {
      return get(n, position, head * width + i);
    }

    double k(int n, int position, int head, int i) {
      return get(n, position, (heads + head) * width + i);
    }

    double v(int n, int position, int head, int i) {
      return get(n, position, (2 * heads + head) * width + i);
    }

    private double get(int n, int position, int channel) {
      int columns = (int) qkv.size(2);
      return qkv.getDouble(n, position / columns, position % columns, channel);
    }

    void put(INDArray y, int n, int position, int head, int i, double value) {
      int columns = (int) qkv.size(2);
      y.putScalar(new int[] {n, position / columns, position % columns, head * width + i}, value);
    }
  }

  static INDArray lossPerImage(INDArray prediction, INDArray target, LossFunction function) {
    INDArray y = zeros(prediction.size(0));
    double count = prediction.size(1) * prediction.size(2) * prediction.size(3);
    for (int n = 0; n < prediction.size(0); n++) {
      double sum = 0;
      for (int i = 0; i < prediction.size(1); i++) {
        for (int j = 0; j < prediction.size(2); j++) {
          for (int c = 0; c < prediction.size(3); c++) {
            sum += cost(prediction.getDouble(n, i, j, c), target.getDouble(n, i, j, c), function);
          }
        }
      }
      y.putScalar(n, sum / count);
    }
    return y;
  }

  private static double cost(double prediction, double target, LossFunction function) {
    double d = prediction - target;
    return switch (function) {
      case L1 -> Math.abs(d);
      case L2 -> d * d;
      case HUBER -> Math.abs(d) < 1 ? d * d / 2 : Math.abs(d) - 0.5;
    };
  }

  private static INDArray zeros(long... shape) {
    return Nd4j.zeros(DataType.DOUBLE, shape);
  }

  /** {@code [N,H,W,C]}. */
  static INDArray blur(INDArray x) {
    double[] taps = {0.25, 0.5, 0.25};
    INDArray y = Nd4j.zeros(x.shape()).castTo(x.dataType());
    for (int n = 0; n < x.size(0); n++) {
      for (int i = 0; i < x.size(1); i++) {
        for (int j = 0; j < x.size(2); j++) {
          for (int c = 0; c < x.size(3); c++) {
            double sum = 0;
            for (int k = -1; k <= 1; k++) {
              for (int l = -1; l <= 1; l++) {
                boolean inside = i + k >= 0 && i + k < x.size(1) && j + l >= 0 && j + l < x.size(2);
                sum += inside ? taps[k + 1] * taps[l + 1] * x.getDouble(n, i + k, j + l, c) : 0;
              }
            }
            y.putScalar(new int[] {n, i, j, c}, sum);
          }
        }
      }
    }
    return y;
  }
}

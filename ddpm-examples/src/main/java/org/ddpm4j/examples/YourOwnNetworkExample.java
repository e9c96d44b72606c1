package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.model.UnetConfig;
import org.ddpm4j.unet.model.UnetKind;
import org.nd4j.autodiff.samediff.SDVariable;

/** A network of one's own that is trained, saved, loaded and sampled with. */
public final class YourOwnNetworkExample {

  /**
   * Features of the whole size and of half of it, joined by a skip connection.
   *
   * @param inChannels of the images
   * @param width of all features, even, at least 4
   */
  public record TwoLevels(int inChannels, int width) implements UnetConfig {

    @Override
    public int outChannels() {
      return inChannels;
    }

    @Override
    public int sizeDivisor() {
      return 2;
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      SDVariable time = modules.layers().sinusoidalEmbedding(t, new Frequencies(width, 0));
      FeatureMap whole = block(modules, "down", x, time);
      FeatureMap half = block(modules, "middle", modules.layers().avgPool2(whole), time);
      FeatureMap again = modules.layers().upsampleNearest2(half);
      FeatureMap joined = modules.layers().concatChannels(whole, again);
      FeatureMap last = block(modules, "up", joined, time);
      return modules.conv2d("out", last, inChannels, Convolution.same(3));
    }

    private FeatureMap block(Modules modules, String name, FeatureMap x, SDVariable time) {
      FeatureMap h = modules.conv2d(name + ".conv", x, width, Convolution.same(3));
      SDVariable shift = modules.linear(name + ".time", time, width, width, Activation.IDENTITY);
      h = modules.layers().addPerChannel(h, shift);
      return modules.groupNorm(name + ".norm", h, 2, 1e-5, Activation.SILU);
    }
  }

  /** How config.json names it; itself named in META-INF/services. */
  public static final class Kind implements UnetKind {

    /** For the service loader. */
    public Kind() {}

    @Override
    public String model() {
      return "two_levels";
    }

    @Override
    public Class<TwoLevels> type() {
      return TwoLevels.class;
    }
  }

  private YourOwnNetworkExample() {}

  /**
   * Trains the network, saves it and draws with what was saved.
   *
   * @param args the folder of the model to write, the folder for pictures, and the number of steps
   * @throws IOException if files cannot be read or written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Path model = arguments.model().orElse(Path.of("two-levels"));
    Path output = arguments.output();
    UnetFolder.write(model, train(FashionMnist.load(Split.TRAIN), arguments.steps(1500)));
    // It reads the network from the folder, as it would any other.
    SampleFashionMnistExample.draw(model, output);
  }

  static Unet train(ImageDataSet clothes, long steps) throws IOException {
    var network = new TwoLevels(clothes.shape().channels(), 32);
    var objective = ObjectiveConfig.simple().create(TrainFashionMnistExample.SCHEDULE);
    return TrainFashionMnistExample.train(clothes, network, objective, steps);
  }
}

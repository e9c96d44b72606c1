package org.ddpm4j.unet.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;

/** What a network's channels say, where it does not say it itself. */
class UnetConfigTest {

  private interface Unbuilt extends UnetConfig {

    @Override
    default int sizeDivisor() {
      return 1;
    }

    @Override
    default FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      throw new UnsupportedOperationException();
    }
  }

  private record Plain(int inChannels, int outChannels) implements Unbuilt {}

  /** Is given its estimate before the images, and says so. */
  private record SelfConditioned(int imageChannels, int outChannels) implements Unbuilt {

    @Override
    public boolean selfConditions() {
      return true;
    }

    @Override
    public int inChannels() {
      return 2 * imageChannels;
    }
  }

  /** A network of one's own, as docs/your-own-network.md has it, need not halve its images. */
  @Test
  void sizesAreRefusedWithoutHalvingWhereNothingIsHalved() {
    UnetConfig thirds =
        new Unbuilt() {
          @Override
          public int inChannels() {
            return 1;
          }

          @Override
          public int outChannels() {
            return 1;
          }

          @Override
          public int sizeDivisor() {
            return 3;
          }
        };
    thirds.checkImageSize(9, 3);
    assertThatThrownBy(() -> thirds.checkImageSize(9, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Images of 9x4 do not go through this network: height and width must be multiples of 3, and not 0; resize or pad the images.");
    assertThatThrownBy(() -> new Plain(1, 1).checkImageSize(0, 4))
        .hasMessage(
            "Images of 0x4 do not go through this network: height and width must be multiples of 1, and not 0; resize or pad the images.");
  }

  @Test
  void twiceTheChannelsOfTheImagesAreALearnedVariance() {
    assertThat(new Plain(3, 3).learnsVariance()).isFalse();
    assertThat(new Plain(3, 6).learnsVariance()).isTrue();
    assertThat(new SelfConditioned(3, 3).learnsVariance()).isFalse();
    assertThat(new SelfConditioned(3, 6).learnsVariance()).isTrue();
    assertThat(new SelfConditioned(3, 12).learnsVariance()).isFalse();
  }

  @Test
  void twiceTheChannelsThatComeOutAreAnEstimateBeforeTheImages() {
    assertThat(new Plain(6, 3).selfConditions()).isTrue();
    assertThat(new Plain(6, 3).imageChannels()).isEqualTo(3);
    assertThat(new Plain(6, 3).learnsVariance()).isFalse();
    assertThat(new Plain(6, 6).selfConditions()).isFalse();
    assertThat(new Plain(6, 6).imageChannels()).isEqualTo(6);
  }
}

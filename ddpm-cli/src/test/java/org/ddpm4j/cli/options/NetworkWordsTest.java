package org.ddpm4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.examples.YourOwnNetworkExample;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.junit.jupiter.api.Test;

class NetworkWordsTest {

  @Test
  void saysWhatANetworkIsBuiltOf() {
    AnnotatedUnet resnet = AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 4).withAttention(2, 16);
    assertThat(NetworkWords.describe(resnet))
        .isEqualTo(
            "U-Net of ResNet blocks, normalised in 4 groups; widths 28, 56, 112; attention of 2 heads of 16; 1 channel of images");
    assertThat(NetworkWords.describe(resnet.withOutChannels(2).withClassEmbeddings(11)))
        .endsWith("1 channel of images, and as many of a variance; 11 class embeddings");
    assertThat(NetworkWords.describe(resnet.withDropout(0.1)))
        .endsWith("1 channel of images; dropout of 0.1 in training");
    assertThat(NetworkWords.describe(resnet.withAttention(AnnotatedUnet.Attention.MIDDLE)))
        .contains("112; attention in the middle alone, of 2 heads of 16; 1 channel");
    assertThat(NetworkWords.describe(resnet.withAttention(AnnotatedUnet.Attention.NONE)))
        .contains("112; no attention; 1 channel");
    assertThat(NetworkWords.describe(AnnotatedUnet.convnext(8, 3, List.of(1, 2))))
        .startsWith("U-Net of ConvNeXt blocks, 2 times as wide within; widths 8, 16; ")
        .endsWith("; 3 channels of images");
    assertThat(NetworkWords.describe(TutorialUnet.of(1, 1000)))
        .isEqualTo(
            "small U-Net without normalisation or attention, base width 32; 1 channel of images");
    assertThat(NetworkWords.describe(new MinimalUnet(16, 3, 3, 256)))
        .isEqualTo("minimal U-Net, base width 16; time embedding of 256; 3 channels of images");
    assertThat(NetworkWords.describe(new YourOwnNetworkExample.TwoLevels(1, 32)))
        .isEqualTo("TwoLevels; 1 channel of images");
  }
}

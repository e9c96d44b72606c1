package org.ddpm4j.unet.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.unet.GradientCheck;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The gradients of the blocks of the annotated U-Net, element by element, and of small whole ones,
 * in random directions.
 */
@Tag("gradients")
class BlocksGradientTest {

  private static final int DIM = 4;

  private final GradientCheck check = new GradientCheck().sampling(4);

  private AnnotatedUnet.Graph graph(AnnotatedUnet.Block block, int groups, int batch) {
    List<Integer> mults = List.of(1, 2);
    AnnotatedUnet config =
        switch (block) {
          case RESNET -> AnnotatedUnet.resnet(DIM, 1, mults, groups);
          case CONVNEXT -> AnnotatedUnet.convnext(DIM, 1, mults);
        };
    return config.withAttention(2, 3).new Graph(check.modules(), timesteps(batch), null);
  }

  private SDVariable timesteps(int batch) {
    return check.variable("t", check.random().gaussian(5, batch));
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void timeMlp(int batch) {
    check.check(graph(AnnotatedUnet.Block.RESNET, 1, batch).time);
  }

  @ParameterizedTest
  @CsvSource({
    "RESNET, 1, 4, 1",
    "RESNET, 2, 6, 2",
    "RESNET, 4, 8, 1",
    "CONVNEXT, 1, 4, 2",
    "CONVNEXT, 1, 6, 1"
  })
  void timedBlock(AnnotatedUnet.Block block, int groups, int width, int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 4);
    check.check(graph(block, groups, batch).timedBlock("block", x, width));
  }

  /** The loss takes in the time too, whose parameters the block leaves alone. */
  @ParameterizedTest
  @CsvSource({"RESNET, 1, 4, 2", "RESNET, 2, 6, 1", "CONVNEXT, 1, 4, 1", "CONVNEXT, 1, 6, 2"})
  void timelessBlock(AnnotatedUnet.Block block, int groups, int width, int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 4);
    AnnotatedUnet.Graph graph = graph(block, groups, batch);
    check.check(graph.timelessBlock("block", x, width).values(), graph.time);
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void residualAttention(int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 4);
    AnnotatedUnet.Graph graph = graph(AnnotatedUnet.Block.RESNET, 1, batch);
    check.check(graph.residualAttention("attention", x).values(), graph.time);
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void residualLinearAttention(int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 4);
    AnnotatedUnet.Graph graph = graph(AnnotatedUnet.Block.RESNET, 1, batch);
    check.check(graph.residualLinearAttention("attention", x).values(), graph.time);
  }

  @Test
  void down() {
    FeatureMap x = check.featureMap("x", 2, 4, 6, 3);
    check.check(check.modules().conv2d("down", x, 2, new Convolution(4, 2, 1)));
  }

  @Test
  void up() {
    FeatureMap x = check.featureMap("x", 2, 2, 3, 3);
    check.check(check.modules().convTranspose2d("up", x, 2, new Convolution(4, 2, 1)));
  }

  @ParameterizedTest
  @CsvSource({"RESNET, 1", "RESNET, 2", "CONVNEXT, 1"})
  void unet(AnnotatedUnet.Block block, int groups) {
    check.inDirections(2);
    FeatureMap x = check.featureMap("x", 1, 4, 4, 1);
    check.check(graph(block, groups, 1).unet(x));
  }

  private SDVariable labels(double... labels) {
    return check.graph().constant(Nd4j.createFromArray(labels));
  }

  @Test
  void annotatedUnetWithClassesAndMoreChannelsAtTheEnd() {
    check.inDirections(2);
    UnetConfig config =
        AnnotatedUnet.resnet(DIM, 1, List.of(1, 2), 1)
            .withAttention(2, 3)
            .withOutChannels(3)
            .withClassEmbeddings(2);
    FeatureMap x = check.featureMap("x", 2, 4, 4, 1);
    FeatureMap y = config.build(check.modules(), x, timesteps(2), labels(1, 0));
    assertThat(y.channels()).isEqualTo(3);
    check.check(y);
  }

  @Test
  void tutorialUnet() {
    check.inDirections(2);
    FeatureMap x = check.featureMap("x", 2, 4, 8, 2);
    UnetConfig config = TutorialUnet.of(2, 10).withDim(3);
    check.check(config.build(check.modules(), x, timesteps(2), null));
  }

  @Test
  void tutorialUnetWithClasses() {
    check.inDirections(2);
    FeatureMap x = check.featureMap("x", 2, 4, 4, 1);
    UnetConfig config = TutorialUnet.of(1, 10).withDim(4).withClassEmbeddings(3);
    check.check(config.build(check.modules(), x, timesteps(2), labels(2, 0)));
  }

  @Test
  void minimalUnet() {
    check.inDirections(2);
    FeatureMap x = check.featureMap("x", 1, 16, 16, 1);
    UnetConfig config = new MinimalUnet(2, 1, 1, 4);
    check.check(config.build(check.modules(), x, timesteps(1), null));
  }
}

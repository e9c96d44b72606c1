package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalInt;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class WeightTransferTest {

  private static final AnnotatedUnet CONFIG = AnnotatedUnet.resnet(4, 1, List.of(1, 2), 2);
  private static final String TABLE = "class_embedding.weight";

  private static Parameters weights(UnetConfig config, long seed) {
    Parameters parameters =
        Parameters.zeros(Unet.declarations(config, DataType.FLOAT), DataType.FLOAT);
    parameters.initialize(seed);
    return parameters;
  }

  private static void assertAllButTheTableEqual(Parameters filled, Parameters trained) {
    for (Parameter parameter : filled.declarations()) {
      if (!parameter.name().equals(TABLE)) {
        assertThat(filled.get(parameter.name()))
            .as(parameter.name())
            .isEqualTo(trained.get(parameter.name()));
      }
    }
  }

  @Test
  void rowsOfTheClassEmbeddingFollowTheirClassesAndNewOnesBeginAtNone() {
    Parameters trained = weights(CONFIG.withClassEmbeddings(3), 1);
    Parameters filled = weights(CONFIG.withClassEmbeddings(4), 2);
    new WeightTransfer(List.of(1, -1, 0, 2), OptionalInt.of(2)).copy(trained, filled);
    assertAllButTheTableEqual(filled, trained);
    INDArray from = trained.get(TABLE);
    INDArray to = filled.get(TABLE);
    int[] expected = {1, 2, 0, 2};
    for (int i = 0; i < expected.length; i++) {
      assertThat(to.getRow(i).toFloatVector()).isEqualTo(from.getRow(expected[i]).toFloatVector());
    }
    new WeightTransfer(List.of(-1, 0, 1, 2), OptionalInt.empty()).copy(trained, filled);
    for (int i = 0; i < from.columns(); i++) {
      assertThat(filled.get(TABLE).getDouble(0, i))
          .isCloseTo(
              (from.getDouble(0, i) + from.getDouble(1, i) + from.getDouble(2, i)) / 3,
              within(1e-6));
    }
  }

  /** A network that learns classes draws, to begin with, what the one without them did. */
  @Test
  void aNewClassEmbeddingChangesNothing() {
    INDArray x = Nd4j.linspace(-1, 1, 64, DataType.FLOAT).reshape(1, 1, 8, 8);
    INDArray t = Nd4j.createFromArray(3f);
    try (Unet trained = Unet.create(CONFIG, DataType.FLOAT, 1);
        Unet filled = Unet.create(CONFIG.withClassEmbeddings(2), DataType.FLOAT, 2)) {
      new WeightTransfer(List.of(-1, -1), OptionalInt.empty())
          .copy(trained.parameters(), filled.parameters());
      INDArray told = filled.predict(new UnetInput(x, t, Nd4j.createFromArray(1f)));
      assertThat(told).isEqualTo(trained.predict(x, t));
    }
  }

  @Test
  void aClassEmbeddingIsLeftOutWhereNobodyNeedsIt() {
    Parameters trained = weights(CONFIG.withClassEmbeddings(3), 1);
    Parameters filled = weights(CONFIG, 2);
    new WeightTransfer(List.of(), OptionalInt.empty()).copy(trained, filled);
    assertAllButTheTableEqual(filled, trained);
  }

  @Test
  void whatDoesNotFitIsNamedAndChangesNothing() {
    Parameters filled = weights(CONFIG, 2);
    Parameters before = filled.zerosLike();
    before.assign(filled);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new WeightTransfer(List.of(), OptionalInt.empty())
                    .copy(weights(AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2), 1), filled))
        .withMessageContaining("is [32, 8] where the other has [16, 4]");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new WeightTransfer(List.of(), OptionalInt.empty())
                    .copy(weights(AnnotatedUnet.resnet(4, 1, List.of(1, 2, 2), 2), 1), filled))
        .withMessageContaining("trained network");
    assertThat(filled.flat()).isEqualTo(before.flat());
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new WeightTransfer(List.of(3, 0), OptionalInt.empty())
                    .copy(
                        weights(CONFIG.withClassEmbeddings(3), 1),
                        weights(CONFIG.withClassEmbeddings(2), 1)))
        .withMessageContaining("[3, 0]");
  }
}

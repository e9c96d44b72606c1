package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ddpm4j.unet.layers.FeatureMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.factory.Nd4j;

/** The check finds wrong gradients, of which SameDiff has some. */
@Tag("gradients")
class GradientCheckTest {

  private final GradientCheck check = new GradientCheck();

  @Test
  void acceptsARightGradient() {
    SDVariable x = check.variable("x", 2, 3);
    check.check(check.graph().math().square(x));
  }

  @Test
  void findsTheWrongGradientOfHuberLoss() {
    SDVariable labels = check.graph().constant(check.random().gaussian(1, 3, 4));
    SDVariable predictions = check.variable("predictions", 3, 4);
    SDVariable loss = check.graph().loss().huberLoss(labels, predictions, null, 1.0);
    assertThatThrownBy(() -> check.check(loss))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("GradCheckUtil");
  }

  @Test
  void findsTheWrongGradientOfUpsamplingInChannelsLast() {
    FeatureMap x = check.featureMap("x", 2, 3, 3, 2);
    SDVariable y = check.graph().cnn().upsampling2d(x.values(), 2, 2, false);
    assertThatThrownBy(() -> check.check(y))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("GradCheckUtil");
  }

  /** The gradient of floor is zero; at its jump at 1 the difference quotient is not. */
  private SDVariable withAJump() {
    SDVariable x = check.variable("x", Nd4j.createFromArray(1.0, 0.5));
    return check
        .graph()
        .math()
        .floor(x)
        .add(x.mul(check.graph().constant(Nd4j.createFromArray(0.0, 1.0))));
  }

  @Test
  void findsAGradientThatIsWronglyZero() {
    SDVariable y = withAJump();
    assertThatThrownBy(() -> check.check(y))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("element 0 of x, of gradient zero");
  }

  @Test
  void findsAVariableWithoutEffect() {
    SDVariable x = check.variable("x", 2);
    SDVariable y = check.variable("y", 2).mul(0.0);
    assertThatThrownBy(() -> check.check(x.add(y)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the largest gradient of y");
  }

  @Test
  void acceptsARightGradientInDirections() {
    SDVariable x = check.variable("x", 2, 3);
    SDVariable y = check.variable("y", 4);
    check
        .inDirections(8)
        .check(check.graph().math().square(x), y.mul(1e3), check.graph().math().tanh(y));
  }

  /** However small the part is that its variable has in the loss. */
  @Test
  void findsAWrongGradientInDirections() {
    SDVariable labels = check.graph().constant(check.random().gaussian(1, 3, 4));
    SDVariable predictions = check.variable("predictions", 3, 4);
    SDVariable loss = check.graph().loss().huberLoss(labels, predictions, null, 1.0).mul(1e-3);
    SDVariable x = check.variable("x", 20, 3);
    assertThatThrownBy(() -> check.inDirections(1).check(loss, check.graph().math().square(x)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the derivative in a direction of 2 variables");
  }

  @Test
  void findsAGradientThatIsWronglyZeroInDirections() {
    SDVariable y = withAJump();
    assertThatThrownBy(() -> check.inDirections(1).check(y))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the derivative in a direction");
  }

  @Test
  void findsAVariableWithoutEffectInDirections() {
    SDVariable x = check.variable("x", 2);
    SDVariable y = check.variable("y", 2).mul(0.0);
    assertThatThrownBy(() -> check.inDirections(1).check(x.add(y)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the largest gradient of y");
  }
}

package org.ddpm4j.unet.layers;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * The declaration of one parameter of a network.
 *
 * @param name PyTorch's name, for example {@code downs.0.0.block1.proj.weight}
 * @param layout how its axes lie
 * @param shape sizes in our layout
 * @param initialization how it starts
 * @param learning whether training changes it
 */
public record Parameter(
    String name,
    WeightLayout layout,
    long[] shape,
    Initialization initialization,
    Learning learning) {

  /** Whether training changes a parameter. */
  public enum Learning {
    /** It has a gradient. */
    TRAINED,
    /** It stays as it was drawn: its gradient is zero. */
    FROZEN
  }

  /**
   * Checks and copies the shape.
   *
   * @throws IllegalArgumentException if the shape is not of the layout's rank or has a size below 1
   */
  public Parameter {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(initialization, "initialization");
    Objects.requireNonNull(learning, "learning");
    if (shape.length != layout.rank() || Arrays.stream(shape).anyMatch(size -> size < 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "Parameter %s of layout %s cannot have the shape %s; it needs %d size(s) of at least 1.",
              name, layout, Arrays.toString(shape), layout.rank()));
    }
    shape = shape.clone();
  }

  /**
   * A parameter that training changes.
   *
   * @param name PyTorch's name
   * @param layout how its axes lie
   * @param shape sizes in our layout
   * @param initialization how it starts
   * @throws IllegalArgumentException if the shape is not of the layout's rank or has a size below 1
   */
  public Parameter(String name, WeightLayout layout, long[] shape, Initialization initialization) {
    this(name, layout, shape, initialization, Learning.TRAINED);
  }

  /** {@return a copy of the sizes in our layout} */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** {@return the number of elements: the product of the sizes} */
  public long length() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /**
   * The shape in PyTorch.
   *
   * @return sizes in PyTorch's layout
   */
  public long[] pyTorchShape() {
    return layout.toPyTorch(shape);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Parameter p
        && name.equals(p.name)
        && layout == p.layout
        && Arrays.equals(shape, p.shape)
        && initialization.equals(p.initialization)
        && learning == p.learning;
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, layout, Arrays.hashCode(shape), initialization, learning);
  }

  @Override
  public String toString() {
    return name + " " + layout + Arrays.toString(shape);
  }
}

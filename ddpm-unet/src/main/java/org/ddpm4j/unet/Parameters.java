package org.ddpm4j.unet;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.BackendLookup;
import org.ddpm4j.unet.layers.Parameter;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * One value for every parameter of a network, in one flat buffer with a named view for each. The
 * same class holds weights, gradients, moments of an optimiser and moving averages: whatever has
 * the shape of the network.
 *
 * <p>Views share the buffer's memory. Not thread-safe while somebody writes.
 */
public final class Parameters {

  static {
    BackendLookup.settle();
  }

  private final List<Parameter> declarations;
  private final INDArray flat;
  private final Map<String, INDArray> views;
  private final AtomicLong version = new AtomicLong();

  /** Whether anybody outside has an array through which values can change without a word. */
  private volatile boolean lent;

  private Parameters(List<Parameter> declarations, DataType dataType) {
    this.declarations = List.copyOf(declarations);
    long count = declarations.stream().mapToLong(Parameter::length).sum();
    this.views = new LinkedHashMap<>();
    this.flat = OutsideWorkspaces.make(() -> Nd4j.zeros(dataType, count));
    long offset = 0;
    for (Parameter declaration : declarations) {
      INDArray range = flat.get(NDArrayIndex.interval(offset, offset + declaration.length()));
      if (views.put(declaration.name(), range.reshape('c', declaration.shape())) != null) {
        throw new IllegalArgumentException(
            Text.format("Parameter %s is declared twice.", declaration.name()));
      }
      offset += declaration.length();
    }
  }

  /**
   * Zeros for every declared parameter.
   *
   * @param declarations the parameters, in the order in which they lie in the buffer
   * @param dataType FLOAT or DOUBLE
   * @return the new values
   */
  public static Parameters zeros(List<Parameter> declarations, DataType dataType) {
    return new Parameters(declarations, dataType);
  }

  /**
   * Zeros of the same shapes and type.
   *
   * @return the new values
   */
  public Parameters zerosLike() {
    return new Parameters(declarations, flat.dataType());
  }

  /**
   * The declarations.
   *
   * @return in the order of the buffer
   */
  public List<Parameter> declarations() {
    return declarations;
  }

  /**
   * The buffer.
   *
   * @return all values, {@code [count]}; writing to it changes them, see {@link #version}
   */
  public INDArray flat() {
    lend();
    return flat;
  }

  private void lend() {
    lent = true;
    version.incrementAndGet();
  }

  /**
   * Whether an array of the values is or was in somebody's hands, so that an unchanged {@link
   * #version} does not prove unchanged values.
   */
  boolean isLent() {
    return lent;
  }

  /** The buffer, for reading alone. */
  INDArray values() {
    return flat;
  }

  /**
   * Changes whenever somebody asks for the values in a form that can be written to, or writes to
   * them by this class: networks with copies of their own compare it before they compute. On a
   * device, who keeps an array of {@link #flat} or {@link #get} and writes to it later has to ask
   * for it anew, or to call {@link #changed}; the processor compares checksums once there is such
   * an array.
   *
   * @return a number that never decreases
   */
  public long version() {
    return version.get();
  }

  /** Tells that values have been written to through an array that was asked for earlier. */
  public void changed() {
    version.incrementAndGet();
  }

  /**
   * One parameter.
   *
   * @param name its name
   * @return a view in our layout; writing to it changes the buffer, see {@link #version}
   * @throws IllegalArgumentException if there is none of that name
   */
  public INDArray get(String name) {
    lend();
    return view(name);
  }

  /** As {@link #get}, for those who keep no array and change the version after writing. */
  INDArray view(String name) {
    INDArray view = views.get(name);
    if (view == null) {
      throw new IllegalArgumentException(
          Text.format("The network has no parameter named %s.", name));
    }
    return view;
  }

  /** Whether there is a parameter of that name. */
  boolean contains(String name) {
    return views.containsKey(name);
  }

  /**
   * The number of scalars.
   *
   * @return the length of the buffer
   */
  public long count() {
    return flat.length();
  }

  /**
   * A checksum of all values, by which weights are told from others: the CRC-32C of their bytes in
   * the order of the buffer.
   *
   * @return 8 hexadecimal digits
   */
  public String fingerprint() {
    CRC32C sum = new CRC32C();
    INDArray values = flat.dup('c');
    try {
      int bytes = Math.toIntExact(values.length() * values.dataType().width());
      sum.update(values.data().asNio().limit(bytes));
    } finally {
      // The buffer does not keep the memory alive, only the array does.
      values.close();
    }
    return HexFormat.of().toHexDigits(sum.getValue(), 8);
  }

  /**
   * Draws all values anew as the declarations say. The same seed gives the same values in any
   * layout and data type, up to rounding.
   *
   * @param seed of the random numbers
   */
  public void initialize(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (Parameter declaration : declarations) {
      double[] values = new double[Math.toIntExact(declaration.length())];
      for (int i = 0; i < values.length; i++) {
        values[i] = declaration.initialization().draw(random);
      }
      INDArray drawn =
          Nd4j.createFromArray(values)
              .castTo(flat.dataType())
              .reshape('c', declaration.pyTorchShape());
      declaration.layout().toPyTorch(view(declaration.name())).assign(drawn);
    }
    version.incrementAndGet();
  }

  /**
   * The values under PyTorch's names in PyTorch's layouts.
   *
   * @return views, in the order of the buffer
   */
  public Map<String, INDArray> toPyTorch() {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (Parameter declaration : declarations) {
      tensors.put(declaration.name(), declaration.layout().toPyTorch(get(declaration.name())));
    }
    return tensors;
  }

  /**
   * Takes values under PyTorch's names in PyTorch's layouts. Nothing is changed unless all fit.
   *
   * @param tensors exactly the network's parameters, in any order and floating type
   * @throws IllegalArgumentException if one is missing, unknown, of another shape or not of a
   *     floating type, as the weights of quantised networks are
   */
  public void assignPyTorch(Map<String, INDArray> tensors) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    checkPyTorchShapes(declarations, shapes);
    tensors.forEach(
        (name, tensor) -> {
          if (!tensor.dataType().isFPType()) {
            throw new IllegalArgumentException(
                Text.format(
                    "The tensor %s holds numbers of the type %s where parameters are floating-point numbers; take weights that are not quantised.",
                    name, tensor.dataType()));
          }
        });
    for (Parameter declaration : declarations) {
      declaration
          .layout()
          .toPyTorch(view(declaration.name()))
          .assign(tensors.get(declaration.name()).castTo(flat.dataType()));
    }
    version.incrementAndGet();
  }

  /**
   * Checks that tensors are exactly the parameters of a network, by PyTorch's names and shapes.
   *
   * @throws IllegalArgumentException if one is missing, unknown or of another shape
   */
  static void checkPyTorchShapes(List<Parameter> declarations, Map<String, long[]> shapes) {
    Set<String> unknown = new LinkedHashSet<>(shapes.keySet());
    for (Parameter declaration : declarations) {
      long[] shape = shapes.get(declaration.name());
      if (shape == null) {
        throw new IllegalArgumentException(
            Text.format(
                "The tensor %s %s is missing, which the network has as a parameter.",
                declaration.name(), Arrays.toString(declaration.pyTorchShape())));
      }
      if (!Arrays.equals(shape, declaration.pyTorchShape())) {
        throw new IllegalArgumentException(
            Text.format(
                "The tensor %s has the shape %s where the network has %s.",
                declaration.name(),
                Arrays.toString(shape),
                Arrays.toString(declaration.pyTorchShape())));
      }
      unknown.remove(declaration.name());
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          Text.format(
              "The tensor %s is none of the network's parameters.", unknown.iterator().next()));
    }
  }

  /**
   * Copies all values of another set.
   *
   * @param other values of the same network
   */
  public void assign(Parameters other) {
    if (!declarations.equals(other.declarations)) {
      throw new IllegalArgumentException("These are the parameters of two different networks.");
    }
    flat.assign(other.flat);
    version.incrementAndGet();
  }
}

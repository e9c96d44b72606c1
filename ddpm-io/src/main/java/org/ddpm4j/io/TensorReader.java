package org.ddpm4j.io;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Named tensors on disk, in one open file or in several. Numbers are read when {@link #tensor} asks
 * for them, one tensor at a time, so that a model needs no second copy in memory.
 */
public interface TensorReader extends AutoCloseable {

  /**
   * The names of the tensors.
   *
   * @return the names, iterated in the file's order; unmodifiable
   */
  Set<String> names();

  /**
   * The data type that {@link #tensor} gives the array.
   *
   * @param name the tensor's name
   * @return ND4J's counterpart of the file's
   * @throws IOException if there is no such tensor
   */
  DataType dataType(String name) throws IOException;

  /**
   * The shape of a tensor, without reading it.
   *
   * @param name the tensor's name
   * @return its dimensions, of length 0 for a scalar; a new array
   * @throws IOException if there is no such tensor
   */
  long[] shape(String name) throws IOException;

  /**
   * Reads one tensor.
   *
   * @param name the tensor's name
   * @return a new array in 'c' order, outside of any workspace, of {@link #shape} and {@link
   *     #dataType}: a scalar for the shape {@code []}, an empty array for a shape with a 0
   * @throws IOException if there is no such tensor, if a file cannot be read or has been changed
   *     since it was opened, if the tensor does not fit into memory, or if a BOOL is neither 0 nor
   *     1
   */
  INDArray tensor(String name) throws IOException;

  /**
   * Reads all tensors.
   *
   * @return the tensors by name, in the file's order
   * @throws IOException as {@link #tensor} does
   */
  default Map<String, INDArray> tensors() throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (String name : names()) {
      tensors.put(name, tensor(name));
    }
    return tensors;
  }

  /** Closes the files; arrays that were read stay valid. */
  @Override
  void close() throws IOException;
}

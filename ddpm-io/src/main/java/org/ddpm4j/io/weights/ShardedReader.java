package org.ddpm4j.io.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The tensors of several files, each where an index says it is. */
final class ShardedReader implements TensorReader {

  private final Path index;

  /** By the name of the file. */
  private final Map<String, TensorReader> readers;

  /** The file of each tensor. */
  private final Map<String, String> shards;

  private ShardedReader(Path index, Map<String, TensorReader> readers, Map<String, String> shards) {
    this.index = index;
    this.readers = readers;
    this.shards = Collections.unmodifiableMap(shards);
  }

  static ShardedReader open(Path index, Map<String, String> shards) throws IOException {
    Map<String, TensorReader> readers = new LinkedHashMap<>();
    var reader = new ShardedReader(index, readers, shards);
    try {
      for (String name : new LinkedHashSet<>(shards.values())) {
        Path file = index.resolveSibling(name);
        if (Files.notExists(file)) {
          throw new IOException(
              Text.format(
                  "%s is missing, which %s names; copy or download the whole folder.",
                  file, index.getFileName()));
        }
        readers.put(name, WeightsFile.open(file));
      }
      for (Map.Entry<String, String> shard : shards.entrySet()) {
        if (!readers.get(shard.getValue()).names().contains(shard.getKey())) {
          throw new IOException(
              Text.format(
                  "%s has no tensor %s, which %s says it has; copy or download both again.",
                  index.resolveSibling(shard.getValue()),
                  ForeignText.quoted(shard.getKey()),
                  index.getFileName()));
        }
      }
      return reader;
    } catch (IOException | RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  @Override
  public Set<String> names() {
    return shards.keySet();
  }

  @Override
  public DataType dataType(String name) throws IOException {
    return of(name).dataType(name);
  }

  @Override
  public long[] shape(String name) throws IOException {
    return of(name).shape(name);
  }

  @Override
  public INDArray tensor(String name) throws IOException {
    return of(name).tensor(name);
  }

  private TensorReader of(String name) throws IOException {
    String shard = shards.get(name);
    if (shard == null) {
      throw new IOException(
          Text.format(
              "%s names no tensor %s among its %d; check that it belongs to this model.",
              index, ForeignText.quoted(name), shards.size()));
    }
    return readers.get(shard);
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (TensorReader reader : readers.values()) {
      try {
        reader.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}

package org.ddpm4j.io.pytorch;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.io.ForeignText;

/** The tensors of nested dicts and lists, each by the keys that lead to it, joined by points. */
final class TensorTree {

  /** Deeper than any state dict; a dict that contains itself has no end. */
  private static final int MAX_DEPTH = 16;

  /** Dicts that share their parts can have more paths than bytes. */
  private static final int MAX_VISITS = 1_000_000;

  private final PyTorchFailure failure;
  private final Map<String, TensorView> tensors = new LinkedHashMap<>();
  private int visits;

  private TensorTree(PyTorchFailure failure) {
    this.failure = failure;
  }

  /**
   * Flattens what a pickle describes.
   *
   * @param failure for sentences
   * @param root what {@link Unpickler} read
   * @return the tensors by name, in the pickle's order
   * @throws IOException with a sentence, if there is none, or two have one name
   */
  static Map<String, TensorView> flatten(PyTorchFailure failure, Object root) throws IOException {
    var tree = new TensorTree(failure);
    tree.visit("", root, 0);
    if (tree.tensors.isEmpty()) {
      throw failure.unsupported("it holds no dict or list with tensors");
    }
    return tree.tensors;
  }

  private void visit(String name, Object value, int depth) throws IOException {
    if (depth > MAX_DEPTH || ++visits > MAX_VISITS) {
      throw failure.unsupported(
          "its dicts and lists are nested more than %d deep, or have more than %d entries",
          MAX_DEPTH, MAX_VISITS);
    }
    if (value instanceof Map<?, ?> dict) {
      for (Map.Entry<?, ?> entry : dict.entrySet()) {
        visit(child(name, entry.getKey()), entry.getValue(), depth + 1);
      }
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        visit(child(name, i), list.get(i), depth + 1);
      }
    } else if (value instanceof TensorView tensor && depth > 0) {
      if (tensors.put(name, tensor) != null) {
        throw failure.unsupported("it has two tensors named %s", ForeignText.quoted(name));
      }
    }
  }

  private static String child(String parent, Object key) {
    return parent.isEmpty() ? key.toString() : parent + "." + key;
  }
}

package org.ddpm4j.io.pytorch;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.TensorMemory;

/**
 * A pickle's stack machine that builds lists, dicts, numbers, strings and {@link TensorView}s, and
 * nothing else.
 *
 * <p>What it makes: {@link List} of lists and tuples, {@link Map} of dicts with strings and numbers
 * as keys, {@link String}, {@link Long} or {@link BigInteger}, {@link Double}, {@link Boolean},
 * {@link #NONE}, {@link StorageReference}, {@link TensorView}, and what {@link TorchName#find}
 * names. Lists and dicts may contain themselves; nothing here walks through them.
 */
final class Unpickler {

  /** Python's None. */
  static final Object NONE = new Object();

  /**
   * The most operations of one pickle. A tensor with its name takes about thirty, so that this is
   * room for sixty thousand; each can take some hundred bytes of memory, and no more.
   */
  private static final int MAX_OPERATIONS = 2_000_000;

  private static final int HIGHEST_PROTOCOL = 5;

  private final PyTorchFailure failure;
  private final PickleInput input;
  private final List<Object> stack = new ArrayList<>();
  private final Deque<Integer> marks = new ArrayDeque<>();
  private final Map<Long, Object> memo = new HashMap<>();

  private Unpickler(PyTorchFailure failure, PickleInput input) {
    this.failure = failure;
    this.input = input;
  }

  /**
   * Reads one pickle.
   *
   * @param failure for sentences
   * @param input at the pickle's first byte; afterwards behind its last
   * @return what it describes
   * @throws IOException with a sentence, if it is damaged or asks for anything else
   */
  static Object read(PyTorchFailure failure, PickleInput input) throws IOException {
    return new Unpickler(failure, input).run();
  }

  private Object run() throws IOException {
    for (int operations = 0; operations < MAX_OPERATIONS; operations++) {
      int code = input.unsignedByte();
      PickleOpcode opcode = PickleOpcode.of(code);
      if (opcode == null) {
        throw failure.malformed("its pickle has the byte 0x%02x, which is no opcode", code);
      }
      if (opcode == PickleOpcode.STOP) {
        return pop();
      }
      execute(opcode);
    }
    throw failure.unsupported("its pickle has more than %d operations", MAX_OPERATIONS);
  }

  private void execute(PickleOpcode opcode) throws IOException {
    switch (opcode) {
      case PROTO -> protocol(input.unsignedByte());
      case FRAME -> input.bytes(Long.BYTES);
      case MARK -> marks.push(stack.size());
      case POP -> pop();
      case DUP -> push(top());
      case NONE -> push(NONE);
      case NEWTRUE -> push(true);
      case NEWFALSE -> push(false);
      case BININT1 -> push(input.unsigned(1));
      case BININT2 -> push(input.unsigned(2));
      case BININT -> push((long) (int) input.unsigned(Integer.BYTES));
      case LONG1 -> push(integer(input.unsignedByte()));
      case BINFLOAT -> push(input.bigEndianDouble());
      case BINUNICODE, BINSTRING -> push(input.text(input.unsigned(Integer.BYTES)));
      case SHORT_BINUNICODE, SHORT_BINSTRING -> push(input.text(input.unsignedByte()));
      case BINUNICODE8 -> push(input.text(input.unsigned(Long.BYTES)));
      case EMPTY_TUPLE, EMPTY_LIST -> push(new ArrayList<>(0));
      case TUPLE, LIST -> push(new ArrayList<>(popToMark()));
      case TUPLE1 -> tuple(1);
      case TUPLE2 -> tuple(2);
      case TUPLE3 -> tuple(3);
      case APPEND -> append(List.of(pop()));
      case APPENDS -> append(popToMark());
      case EMPTY_DICT -> push(new LinkedHashMap<>());
      case DICT -> {
        List<Object> items = popToMark();
        push(new LinkedHashMap<>());
        setItems(items);
      }
      case SETITEM -> {
        Object value = pop();
        setItems(List.of(pop(), value));
      }
      case SETITEMS -> setItems(popToMark());
      case BINPUT -> memo.put(input.unsigned(1), top());
      case LONG_BINPUT -> memo.put(input.unsigned(Integer.BYTES), top());
      case MEMOIZE -> memo.put((long) memo.size(), top());
      case BINGET -> push(remembered(input.unsigned(1)));
      case LONG_BINGET -> push(remembered(input.unsigned(Integer.BYTES)));
      case GLOBAL -> {
        String module = input.line();
        push(named(module, input.line()));
      }
      case STACK_GLOBAL -> {
        String name = pop(String.class, "the name of a class");
        push(named(pop(String.class, "the module of a class"), name));
      }
      case BINPERSID -> push(storage(popList("a persistent id")));
      case REDUCE -> {
        List<?> arguments = popList("the arguments of a function");
        push(call(pop(TorchName.class, "a function"), arguments));
      }
      case BUILD -> build();
      default -> throw failure.unsupported("its pickle has the opcode %s", opcode);
    }
  }

  private void protocol(int protocol) throws IOException {
    if (protocol > HIGHEST_PROTOCOL) {
      throw failure.unsupported("its pickle is of protocol %d", protocol);
    }
  }

  /** A little-endian number in two's complement. */
  private Object integer(int width) throws IOException {
    byte[] bytes = input.bytes(width);
    for (int i = 0; i < width / 2; i++) {
      byte other = bytes[i];
      bytes[i] = bytes[width - 1 - i];
      bytes[width - 1 - i] = other;
    }
    BigInteger value = width == 0 ? BigInteger.ZERO : new BigInteger(bytes);
    return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
  }

  private void tuple(int size) throws IOException {
    List<Object> elements = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      elements.add(0, pop());
    }
    push(elements);
  }

  private void append(List<Object> elements) throws IOException {
    if (!(top() instanceof List)) {
      throw unexpected("a list");
    }
    @SuppressWarnings("unchecked") // All lists here are of objects.
    List<Object> list = (List<Object>) top();
    list.addAll(elements);
  }

  private void setItems(List<Object> keysAndValues) throws IOException {
    if (!(top() instanceof Map) || keysAndValues.size() % 2 != 0) {
      throw unexpected("a dict with keys and values");
    }
    @SuppressWarnings("unchecked") // All maps here are of objects.
    Map<Object, Object> map = (Map<Object, Object>) top();
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      map.put(key(keysAndValues.get(i)), keysAndValues.get(i + 1));
    }
  }

  /** Others, such as lists that contain themselves, have no hash code. */
  private Object key(Object key) throws IOException {
    if (key instanceof String || key instanceof Number || key instanceof Boolean) {
      return key;
    }
    throw failure.unsupported(
        "its pickle has a dict with a key that is neither a string nor a number");
  }

  private Object remembered(long index) throws IOException {
    Object value = memo.get(index);
    if (value == null) {
      throw failure.malformed("its pickle asks for object %d, which it has not made", index);
    }
    return value;
  }

  private Object named(String module, String name) throws IOException {
    return TorchName.find(module, name)
        .orElseThrow(
            () ->
                failure.unsupported(
                    "it asks for %s, and no class or function but those of tensors is read",
                    ForeignText.quoted(module + "." + name)));
  }

  /** A state dict carries attributes ({@code _metadata}) that say nothing of its tensors. */
  private void build() throws IOException {
    Object state = pop();
    if (!(top() instanceof Map) || !(state instanceof Map)) {
      throw failure.unsupported("its pickle has the opcode BUILD for something other than a dict");
    }
  }

  /** ("storage", class, key, location, elements), and in the older format None or a view. */
  private StorageReference storage(List<?> id) throws IOException {
    boolean isStorage =
        (id.size() == 5 || id.size() == 6)
            && "storage".equals(id.get(0))
            && id.get(1) instanceof TorchName.StorageType
            && id.get(2) instanceof String
            && id.get(4) instanceof Long elements
            && elements >= 0;
    if (!isStorage) {
      throw failure.unsupported("it refers to something other than the storage of a tensor");
    }
    if (id.size() == 6 && id.get(5) != NONE) {
      throw failure.unsupported("it has views of storages, as PyTorch had them before 0.4");
    }
    var type = (TorchName.StorageType) id.get(1);
    var reference = new StorageReference(type.dtype(), (String) id.get(2), (Long) id.get(4));
    if (reference.bytes() < 0) {
      throw failure.malformed("it has a storage of %d element(s)", reference.elements());
    }
    return reference;
  }

  private Object call(TorchName function, List<?> arguments) throws IOException {
    return switch (function) {
      case ORDERED_DICT -> orderedDict(arguments);
      case SIZE -> argument(arguments, 0, List.class, "the dimensions of a torch.Size");
      case REBUILD_TENSOR -> tensor(arguments, null);
      case REBUILD_TENSOR_V2 -> {
        requireNoMetadata(arguments, 6);
        yield tensor(arguments, null);
      }
      case REBUILD_TENSOR_V3 -> {
        requireNoMetadata(arguments, 7);
        yield tensor(arguments, argument(arguments, 6, TorchDtype.class, "the dtype of a tensor"));
      }
      case REBUILD_PARAMETER ->
          argument(arguments, 0, TensorView.class, "the tensor of a parameter");
    };
  }

  /** Without arguments, or with a list of pairs. */
  private Map<Object, Object> orderedDict(List<?> arguments) throws IOException {
    Map<Object, Object> dict = new LinkedHashMap<>();
    if (!arguments.isEmpty()) {
      for (Object pair : argument(arguments, 0, List.class, "the items of an OrderedDict")) {
        if (!(pair instanceof List<?> item) || item.size() != 2) {
          throw unexpected("a key and a value");
        }
        dict.put(key(item.get(0)), item.get(1));
      }
    }
    return dict;
  }

  /** Metadata are flags such as "conjugated" that change what the numbers mean. */
  private void requireNoMetadata(List<?> arguments, int index) throws IOException {
    boolean hasNone =
        arguments.size() <= index
            || arguments.get(index) == NONE
            || (arguments.get(index) instanceof Map<?, ?> metadata && metadata.isEmpty());
    if (!hasNone) {
      throw failure.unsupported("it has a tensor with metadata, such as a conjugated one");
    }
  }

  /**
   * (storage, offset, size, stride, …).
   *
   * @param own the tensor's dtype where it is not that of the storage; may be null
   */
  private TensorView tensor(List<?> arguments, TorchDtype own) throws IOException {
    StorageReference storage =
        argument(arguments, 0, StorageReference.class, "the storage of a tensor");
    long offset = argument(arguments, 1, Long.class, "the offset of a tensor");
    long[] shape = dimensions(arguments, 2, "the size of a tensor");
    long[] strides = dimensions(arguments, 3, "the strides of a tensor");
    TorchDtype dtype = own == null ? storage.dtype() : own;
    if (shape.length != strides.length || shape.length > TensorMemory.MAX_RANK) {
      throw failure.malformed(
          "it has a tensor of %d dimension(s) with %d stride(s), and at most %d are possible",
          shape.length, strides.length, TensorMemory.MAX_RANK);
    }
    if (exceedsMemory(dtype, shape)) {
      throw failure.unsupported(
          "it has a tensor of more than the %d bytes possible", TensorMemory.MAX_BYTES);
    }
    long end;
    try {
      end = Math.addExact(offset, TensorView.span(shape, strides));
    } catch (ArithmeticException e) {
      end = Long.MAX_VALUE;
    }
    if (offset < 0 || end > storage.bytes() / dtype.width()) {
      throw failure.malformed(
          "it has a tensor with the elements %d to %d of a storage that has %d",
          offset, end - 1, storage.bytes() / dtype.width());
    }
    return new TensorView(storage, dtype, offset, shape, strides);
  }

  /** A dimension of zero does not excuse the others: strides are computed from them all. */
  private static boolean exceedsMemory(TorchDtype dtype, long[] shape) {
    long bytes = dtype.width();
    for (long dimension : shape) {
      if (Math.max(1, dimension) > TensorMemory.MAX_BYTES / bytes) {
        return true;
      }
      bytes *= Math.max(1, dimension);
    }
    return false;
  }

  private long[] dimensions(List<?> arguments, int index, String what) throws IOException {
    List<?> list = argument(arguments, index, List.class, what);
    long[] dimensions = new long[list.size()];
    for (int i = 0; i < dimensions.length; i++) {
      if (!(list.get(i) instanceof Long dimension) || dimension < 0) {
        throw unexpected(what);
      }
      dimensions[i] = dimension;
    }
    return dimensions;
  }

  private <T> T argument(List<?> arguments, int index, Class<T> type, String what)
      throws IOException {
    if (index >= arguments.size() || !type.isInstance(arguments.get(index))) {
      throw unexpected(what);
    }
    return type.cast(arguments.get(index));
  }

  private void push(Object value) {
    stack.add(value);
  }

  private Object top() throws IOException {
    requireAboveMark();
    return stack.get(stack.size() - 1);
  }

  private Object pop() throws IOException {
    requireAboveMark();
    return stack.remove(stack.size() - 1);
  }

  private <T> T pop(Class<T> type, String what) throws IOException {
    Object value = pop();
    if (!type.isInstance(value)) {
      throw unexpected(what);
    }
    return type.cast(value);
  }

  private List<?> popList(String what) throws IOException {
    return pop(List.class, what);
  }

  private List<Object> popToMark() throws IOException {
    if (marks.isEmpty()) {
      throw failure.malformed("its pickle has no mark where it needs one");
    }
    List<Object> above = stack.subList(marks.pop(), stack.size());
    List<Object> popped = new ArrayList<>(above);
    above.clear();
    return popped;
  }

  private void requireAboveMark() throws IOException {
    if (stack.size() <= (marks.isEmpty() ? 0 : marks.peek())) {
      throw failure.malformed("its pickle takes more from the stack than there is");
    }
  }

  private IOException unexpected(String expected) {
    return failure.malformed("its pickle has something else where it needs %s", expected);
  }
}

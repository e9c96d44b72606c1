package org.ddpm4j.unet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.ddpm4j.io.TensorReader;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.LucidrainsUnet.Attention;
import org.ddpm4j.unet.model.LucidrainsUnet.AttentionKind;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network of lucidrains' {@code denoising-diffusion-pytorch} among the tensors of a file. There
 * is no configuration beside them: the architecture is what their names and shapes say.
 *
 * <p>What these cannot say is taken to be as by default. Whether the frequencies of times were
 * learned or drawn: learned. How many heads attention without memories has: four. In how many
 * groups blocks of release 1 are normalised: eight.
 */
public final class LucidrainsWeights {

  private static final String FIRST = "init_conv.weight";
  private static final String CLASSES = "classes_emb.weight";
  private static final String NULL_CLASS = "null_classes_emb";
  private static final String GROUP_NORM = "downs.0.0.block1.norm.weight";
  private static final String ATTENTION_NORM = "mid_attn.norm.g";
  private static final String MIDDLE_MEMORY = "mid_attn.mem_kv";
  private static final String FREQUENCIES = "time_mlp.0.weights";

  private static final Pattern UNSHUFFLED = Pattern.compile("downs\\.\\d+\\.3\\.1\\.weight");

  /** Of attention without memories, which says it nowhere. */
  private static final int HEADS = 4;

  private final TensorReader reader;
  private final String prefix;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private LucidrainsWeights(TensorReader reader, String prefix) throws IOException {
    this.reader = reader;
    this.prefix = prefix;
    for (String name : reader.names()) {
      if (name.startsWith(prefix)) {
        shapes.put(name.substring(prefix.length()), reader.shape(name));
      }
    }
  }

  /**
   * Whether there is such a network.
   *
   * @param reader of the file
   * @param prefix what stands before the names of its parameters
   * @return true if some of its parameters have these names
   */
  public static boolean isAt(TensorReader reader, String prefix) {
    Objects.requireNonNull(reader, "reader");
    return reader.names().contains(prefix + FIRST)
        && reader.names().contains(prefix + "downs.0.0.block1.proj.weight");
  }

  /**
   * Reads a network.
   *
   * @param reader of the file
   * @param prefix what stands before the names of its parameters; there may be no other tensors
   *     whose names begin so
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @param execution how it computes
   * @return the network
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the tensors are not those of one of his networks
   */
  public static Unet read(
      TensorReader reader, String prefix, DataType dataType, Execution execution)
      throws IOException {
    Objects.requireNonNull(reader, "reader");
    Objects.requireNonNull(execution, "execution");
    execution.isFused(dataType);
    LucidrainsWeights weights = new LucidrainsWeights(reader, prefix);
    LucidrainsUnet config = weights.config();
    List<Parameter> declarations = Unet.declarations(config, dataType);
    // Before memory is taken: the names may stand for any sizes, a file holds what it holds.
    Parameters.checkPyTorchShapes(declarations, weights.shapesHere());
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (Parameter declaration : declarations) {
      tensors.put(declaration.name(), weights.tensor(declaration));
    }
    Parameters parameters = Parameters.zeros(declarations, dataType);
    parameters.assignPyTorch(tensors);
    return Unet.of(config, parameters, execution);
  }

  /**
   * The architecture of a network, for which no memory is taken.
   *
   * @param reader of the file
   * @param prefix what stands before the names of its parameters
   * @return the architecture
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the tensors are not those of one of his networks, or of one
   *     of an early release
   */
  public static LucidrainsUnet config(TensorReader reader, String prefix) throws IOException {
    Objects.requireNonNull(reader, "reader");
    return new LucidrainsWeights(reader, prefix).config();
  }

  private LucidrainsUnet config() {
    boolean isConditional = shapes.containsKey(CLASSES);
    boolean isInGroups = shapes.containsKey(GROUP_NORM);
    // The classifier-free one has these names to this day, but had other operations before.
    boolean isEarly = isConditional ? isInGroups : !shapes.containsKey(ATTENTION_NORM);
    require(
        !isEarly,
        "Its network is of an early release of denoising-diffusion-pytorch, before %s, whose convolutions standardise their weights or whose attention differs; networks of later releases open.",
        isConditional ? "2.0 (with classes)" : "1.8");
    long[] first = shape(FIRST, 4);
    long out = shape("final_conv.weight", 4)[0];
    LucidrainsUnet.Estimate estimate =
        first[1] == 2 * out ? LucidrainsUnet.Estimate.CONCATENATED : LucidrainsUnet.Estimate.NONE;
    require(
        estimate == LucidrainsUnet.Estimate.CONCATENATED || first[1] == out || 2 * first[1] == out,
        "The network takes %d channel(s) and answers with %d; it must be as many, half as many with self-conditioning, or twice as many with a learned variance.",
        first[1],
        out);
    long timeWidth = shape("time_mlp.1.weight", 2)[0];
    require(timeWidth % 4 == 0, "The time is %d wide, which is no multiple of 4.", timeWidth);
    int dim = size(timeWidth / 4);
    require(
        !isInGroups
            || (first[0] % LucidrainsUnet.DEFAULT_GROUPS == 0
                && dim % LucidrainsUnet.DEFAULT_GROUPS == 0),
        "Its blocks are normalised in groups. How many stands nowhere in the file, and %d, his default, do not divide %d channels.",
        LucidrainsUnet.DEFAULT_GROUPS,
        dim);
    List<Integer> dimMults = dimMults(dim);
    List<Attention> attentions = new ArrayList<>();
    for (int level = 0; level < dimMults.size(); level++) {
      attentions.add(attention("downs." + level + ".2", isConditional));
    }
    return new LucidrainsUnet(
        dim,
        size(first[0]),
        size(estimate == LucidrainsUnet.Estimate.NONE ? first[1] : out),
        size(out),
        dimMults,
        estimate,
        time(dim),
        attentions,
        attention("mid_attn", isConditional),
        hasMemories() ? size(shape(MIDDLE_MEMORY, 4)[2]) : 0,
        isConditional ? size(shape(CLASSES, 2)[0] + 1) : 0,
        isInGroups ? LucidrainsUnet.DEFAULT_GROUPS : LucidrainsUnet.ROOT_MEAN_SQUARE,
        LucidrainsUnet.DEFAULT_DROPOUT);
  }

  private boolean hasMemories() {
    return shapes.containsKey(MIDDLE_MEMORY);
  }

  private List<Integer> dimMults(int dim) {
    List<Integer> mults = new ArrayList<>();
    int level = 1;
    while (level < LucidrainsUnet.MAX_LEVELS && shapes.containsKey(ofLevel(level))) {
      mults.add(mult(ofLevel(level), dim));
      level++;
    }
    mults.add(mult("mid_block1.block1.proj.weight", dim));
    return mults;
  }

  private static String ofLevel(int level) {
    return "downs." + level + ".0.block1.proj.weight";
  }

  private int mult(String name, int dim) {
    long width = shape(name, 4)[0];
    require(
        dim > 0 && width % dim == 0 && width > 0,
        "The tensor %s has %d channel(s), which is no multiple of the network's width, %d.",
        name,
        width,
        dim);
    return size(width / dim);
  }

  private LucidrainsUnet.Time time(int dim) {
    return shapes.containsKey(FREQUENCIES)
        ? new LucidrainsUnet.Time(
            LucidrainsUnet.Frequencies.LEARNED, size(2 * shape(FREQUENCIES, 1)[0]))
        : new LucidrainsUnet.Time(LucidrainsUnet.Frequencies.SINUSOIDAL, dim);
  }

  private Attention attention(String module, boolean isConditional) {
    String name = isConditional ? module + ".fn.fn" : module;
    AttentionKind kind =
        shapes.containsKey(name + ".to_out.weight") ? AttentionKind.FULL : AttentionKind.LINEAR;
    if (!hasMemories()) {
      long features = shape(name + ".to_qkv.weight", 4)[0];
      require(
          features % (3 * HEADS) == 0,
          "The tensor %s.to_qkv.weight has %d channel(s), which are not queries, keys and values of %d head(s).",
          name,
          features,
          HEADS);
      return new Attention(kind, HEADS, size(features / (3 * HEADS)));
    }
    long[] memory = shape(name + ".mem_kv", 4);
    return new Attention(
        kind, size(memory[1]), size(kind == AttentionKind.FULL ? memory[3] : memory[2]));
  }

  private long[] shape(String name, int rank) {
    long[] shape = shapes.get(name);
    require(
        shape != null,
        "The tensor %s is missing, which all networks of denoising-diffusion-pytorch have.",
        prefix + name);
    require(
        shape.length == rank,
        "The tensor %s has the shape %s, where %d sizes are expected.",
        prefix + name,
        Arrays.toString(shape),
        rank);
    return shape;
  }

  /** Architectures check the rest. */
  private static int size(long size) {
    return (int) Math.min(size, Integer.MAX_VALUE);
  }

  /** The shapes that the tensors have when they are read. */
  private Map<String, long[]> shapesHere() {
    Map<String, long[]> here = new LinkedHashMap<>();
    shapes.forEach(
        (name, shape) -> {
          if (!name.equals(NULL_CLASS)) {
            here.put(name, shapeHere(name, shape));
          }
        });
    if (shapes.containsKey(CLASSES)) {
      long width = shape(NULL_CLASS, 1)[0];
      require(
          width == shape(CLASSES, 2)[1],
          "The tensor %s has %d number(s), where classes have %d.",
          prefix + NULL_CLASS,
          width,
          shape(CLASSES, 2)[1]);
    }
    return here;
  }

  private static long[] shapeHere(String name, long[] shape) {
    if (name.equals(CLASSES) && shape.length == 2) {
      return new long[] {shape[0] + 1, shape[1]};
    }
    boolean isUnshuffled =
        UNSHUFFLED.matcher(name).matches()
            && shape.length == 4
            && shape[1] % 4 == 0
            && shape[2] == 1
            && shape[3] == 1;
    return isUnshuffled ? new long[] {shape[0], shape[1] / 4, 2, 2} : shape;
  }

  private INDArray tensor(Parameter declaration) throws IOException {
    INDArray tensor = reader.tensor(prefix + declaration.name());
    if (declaration.name().equals(CLASSES)) {
      INDArray none = reader.tensor(prefix + NULL_CLASS).castTo(tensor.dataType());
      return Nd4j.concat(0, tensor, none.reshape(1, none.length()));
    }
    return tensor.reshape('c', declaration.pyTorchShape());
  }

  private static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(Text.format(sentence, values));
    }
  }
}

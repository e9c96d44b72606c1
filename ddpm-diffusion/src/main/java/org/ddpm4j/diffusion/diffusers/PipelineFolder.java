package org.ddpm4j.diffusion.diffusers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.NewFolder;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.Unet2D;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A pipeline on disk as diffusers lays it out, that of {@code DDPMPipeline}, {@code DDIMPipeline},
 * {@code ScoreSdeVePipeline}, {@code KarrasVePipeline}, {@code LDMPipeline} and {@code
 * DiTPipeline}:
 *
 * <pre>
 * model_index.json                            which classes the parts are of
 * unet/config.json                            the architecture
 * unet/diffusion_pytorch_model.safetensors    the weights
 * vqvae/config.json, vqvae/diffusion_…        the autoencoder, of a pipeline of latents
 * scheduler/scheduler_config.json             noise schedule, prediction type, sampler
 * class_names.json                            ours: a list of names, where there are any
 * </pre>
 *
 * <p>Weights may have any {@linkplain org.ddpm4j.io.weights.WeightsLayout layout} of diffusers.
 * Reading never executes anything of a folder: code of its own ({@code pipeline.py}) is left alone,
 * and of pickled weights only tensors are made.
 */
public final class PipelineFolder {

  /** The file that makes a folder a pipeline. */
  public static final String INDEX = "model_index.json";

  /** The folder of the network in it. */
  public static final String UNET = "unet";

  /** The channels of images that pipelines with a fixed number of them draw. */
  private static final int RGB = 3;

  private static final String CLASS_NAMES = "class_names.json";

  private static final String UNET_EMA = "unet_ema";
  private static final String SCHEDULER = "scheduler";
  private static final String SCHEDULER_CONFIG = "scheduler_config.json";

  /**
   * What describes a pipeline besides its network, wherever its files lie; not all must be there.
   */
  static final List<String> DESCRIPTIONS =
      List.of(INDEX, SCHEDULER + "/" + SCHEDULER_CONFIG, SCHEDULER_CONFIG, CLASS_NAMES);

  /** The folder of a network that is no U-Net. */
  static final String TRANSFORMER = "transformer";

  private static final String VQVAE = "vqvae";
  private static final String VAE = "vae";

  /** The folders that an autoencoder may have. */
  static final List<String> AUTOENCODERS = List.of(VQVAE, VAE);

  private static final List<String> AUTOENCODER_CLASSES = List.of("VQModel", "AutoencoderKL");

  private static final String LIBRARY = "diffusers";

  /** The second is written for {@code KarrasVeScheduler} by releases that have it in a corner. */
  private static final List<String> LIBRARIES = List.of(LIBRARY, "deprecated");

  private static final List<String> TRANSFORMERS =
      List.of(DiffusionTransformer.CLASS_NAME, DiffusionTransformer.FORMER_CLASS_NAME);

  private static final String LATENT_PIPELINE = "LDMPipeline";
  private static final String SCORE_PIPELINE = "ScoreSdeVePipeline";
  private static final String KARRAS_PIPELINE = "KarrasVePipeline";
  private static final String TRANSFORMER_PIPELINE = "DiTPipeline";
  private static final String LABELS = "id2label";
  private static final String DDIM_PIPELINE = "DDIMPipeline";
  private static final String CONSISTENCY_PIPELINE = "ConsistencyModelPipeline";
  private static final String DDPM_PIPELINE = "DDPMPipeline";

  private PipelineFolder() {}

  /**
   * Whether a folder is meant to be a pipeline.
   *
   * @param folder any path
   * @return true if it holds {@value #INDEX}, or at least a scheduler or a part of a pipeline
   */
  public static boolean isPipeline(Path folder) {
    Objects.requireNonNull(folder, "folder");
    return Files.exists(folder.resolve(INDEX))
        || Files.exists(schedulerPath(folder))
        || (Files.isDirectory(folder.resolve(UNET))
            && Files.notExists(folder.resolve(UnetFolder.CONFIG)));
  }

  /**
   * Reads a pipeline.
   *
   * @param folder that holds {@value #INDEX}
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @param execution how the network computes
   * @return the pipeline
   * @throws IOException if a file is missing or damaged, or if it asks for what is not supported
   */
  public static DiffusersPipeline read(Path folder, DataType dataType, Execution execution)
      throws IOException {
    return read(folder, Optional.empty(), dataType, execution);
  }

  /**
   * Reads a pipeline of whose weights there may be several variants.
   *
   * @param folder that holds {@value #INDEX}
   * @param variant {@code fp16} for instance; empty for the weights without a variant, or the only
   *     ones that there are
   * @param dataType in which to compute, FLOAT or DOUBLE
   * @param execution how the network computes
   * @return the pipeline
   * @throws IOException if a file is missing or damaged, or if it asks for what is not supported
   */
  public static DiffusersPipeline read(
      Path folder, Optional<String> variant, DataType dataType, Execution execution)
      throws IOException {
    SchedulerFile file = schedulerFile(Objects.requireNonNull(folder, "folder"));
    SchedulerClass named = schedulerClass(folder, file);
    DiffusersScheduler scheduler = SchedulerJson.read(file.json(), file.source(), named);
    List<String> classNames = readClassNames(folder);
    Optional<Path> between = autoencoder(folder);
    Unet unet = UnetFolder.read(unet(folder), variant, dataType, execution);
    Optional<Autoencoder> autoencoder = Optional.empty();
    boolean complete = false;
    try {
      if (between.isPresent()) {
        autoencoder =
            Optional.of(AutoencoderFolder.read(between.get(), variant, dataType, execution));
      }
      DiffusersPipeline pipeline =
          new DiffusersPipeline(unet, autoencoder, scheduler, classNames, file);
      complete = true;
      return pipeline;
    } catch (IllegalArgumentException e) {
      throw new IOException(Text.format("%s: %s", folder, e.getMessage()), e);
    } finally {
      if (!complete) {
        unet.close();
        autoencoder.ifPresent(Autoencoder::close);
      }
    }
  }

  /**
   * Where the autoencoder of a pipeline of latents is.
   *
   * @param folder of a pipeline
   * @return its folder, or empty where the network denoises images
   */
  public static Optional<Path> autoencoder(Path folder) {
    Objects.requireNonNull(folder, "folder");
    return AUTOENCODERS.stream()
        .map(folder::resolve)
        .filter(part -> Files.exists(part.resolve(UnetFolder.CONFIG)))
        .findFirst();
  }

  /**
   * Reads how a pipeline draws, without its network.
   *
   * @param folder that holds {@value #INDEX}
   * @return the scheduler
   * @throws IOException if a file is missing or damaged, or if it asks for what is not supported
   */
  public static DiffusersScheduler readScheduler(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    SchedulerFile file = schedulerFile(folder);
    SchedulerClass named = schedulerClass(folder, file);
    return SchedulerJson.read(file.json(), file.source(), named);
  }

  /**
   * What is to be said of a pipeline whose scheduler's file is of a class that nobody here knows,
   * while its index names another. As in diffusers, the index decides.
   *
   * @param folder of a pipeline, or any other
   * @return a sentence; empty where there is nothing to say, or where reading will say it
   */
  public static Optional<String> remark(Path folder) {
    Objects.requireNonNull(folder, "folder");
    try {
      Path file = schedulerPath(folder);
      Path index = folder.resolve(INDEX);
      if (Files.notExists(file) || Files.notExists(index)) {
        return Optional.empty();
      }
      JsonNode name =
          PipelineJson.parse(PipelineJson.readText(file), file.toString())
              .path(DiffusersFields.CLASS_NAME);
      SchedulerClass named = readIndex(index);
      return name.isMissingNode() || SchedulerClass.named(name.asText()).isPresent()
          ? Optional.empty()
          : Optional.of(
              Text.format(
                  "%s is of the scheduler %s, which is not known here; as in diffusers it is taken for a %s, which %s names.",
                  file, StrictJson.quoted(name), named.className(), index));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Where a pipeline's network is: the pipelines of 2022 have all files in the folder itself.
   *
   * @param folder of a pipeline
   * @return its folder {@value #UNET}, or the folder itself where there is none
   */
  public static Path unet(Path folder) {
    Objects.requireNonNull(folder, "folder");
    Path transformer = folder.resolve(TRANSFORMER);
    return Files.exists(transformer.resolve(UnetFolder.CONFIG))
            && Files.notExists(folder.resolve(UNET))
        ? transformer
        : part(folder, UNET, UnetFolder.CONFIG);
  }

  /** The folder of a part, or that of the pipeline where only that has the part's file. */
  private static Path part(Path folder, String name, String file) {
    Path own = folder.resolve(name);
    return Files.notExists(own) && Files.exists(folder.resolve(file)) ? folder : own;
  }

  private static Path schedulerPath(Path folder) {
    return part(folder, SCHEDULER, SCHEDULER_CONFIG).resolve(SCHEDULER_CONFIG);
  }

  /** Of the index, or of the scheduler itself where a folder was copied without its index. */
  private static SchedulerClass schedulerClass(Path folder, SchedulerFile file) throws IOException {
    Path index = folder.resolve(INDEX);
    if (Files.exists(index)) {
      return readIndex(index);
    }
    JsonNode name = PipelineJson.parse(file.json(), file.source()).path(DiffusersFields.CLASS_NAME);
    return SchedulerClass.named(name.asText())
        .orElseThrow(
            () ->
                unsupported(
                    Path.of(file.source()),
                    DiffusersFields.CLASS_NAME,
                    name,
                    SchedulerClass.names()));
  }

  private static SchedulerFile schedulerFile(Path folder) throws IOException {
    Path file = schedulerPath(folder);
    if (Files.notExists(file)) {
      requireWhole(folder.resolve(INDEX));
    }
    return new SchedulerFile(PipelineJson.readText(file), file.toString());
  }

  /** diffusers' training script leaves checkpoints with networks and nothing else. */
  private static void requireWhole(Path index) throws IOException {
    Path folder = index.resolveSibling(UNET);
    Path average = index.resolveSibling(UNET_EMA);
    if (Files.notExists(index) && Files.exists(folder.resolve(UnetFolder.CONFIG))) {
      throw new IOException(
          Text.format(
              "%s is missing, so that this is no pipeline, but a checkpoint with networks alone;"
                  + " name the one that you want, for example %s.",
              index, Files.exists(average) ? average : folder));
    }
  }

  /** Which scheduler a pipeline draws by. */
  private static SchedulerClass readIndex(Path file) throws IOException {
    JsonNode json = PipelineJson.parse(PipelineJson.readText(file), file.toString());
    JsonNode pipeline = json.path(DiffusersFields.CLASS_NAME);
    if (!(json instanceof ObjectNode) || !pipeline.isTextual()) {
      throw new IOException(
          Text.format(
              "%s does not name a pipeline of diffusers by _class_name; %s, %s and %s are supported.",
              file, DDPM_PIPELINE, DDIM_PIPELINE, LATENT_PIPELINE));
    }
    for (Map.Entry<String, JsonNode> part : json.properties()) {
      boolean isAutoencoder = AUTOENCODERS.contains(part.getKey());
      boolean isKnown =
          part.getKey().startsWith("_")
              || part.getKey().equals(UNET)
              || part.getKey().equals(TRANSFORMER)
              || part.getKey().equals(SCHEDULER)
              || isAutoencoder;
      if (isAutoencoder && !isAbsent(part.getValue())) {
        checkAutoencoder(file, part.getKey(), part.getValue());
      }
      if (!isKnown && part.getValue().isArray() && !isAbsent(part.getValue())) {
        throw new IOException(
            Text.format(
                "%s is a %s with the part %s; only pipelines of a unet and a scheduler alone are supported, as %s and %s, or of these and an autoencoder, as %s.",
                file,
                shown(pipeline),
                part.getKey(),
                DDPM_PIPELINE,
                DDIM_PIPELINE,
                LATENT_PIPELINE));
      }
    }
    JsonNode transformer = json.path(TRANSFORMER);
    if (transformer.isArray() && !isAbsent(transformer)) {
      String name = className(file, TRANSFORMER, transformer);
      if (!TRANSFORMERS.contains(name)) {
        throw unsupported(
            file, TRANSFORMER, transformer, Text.format("\"%s\"", DiffusionTransformer.CLASS_NAME));
      }
    } else if (!className(file, UNET, json.path(UNET)).equals(Unet2D.CLASS_NAME)) {
      throw unsupported(file, UNET, json.path(UNET), Text.format("\"%s\"", Unet2D.CLASS_NAME));
    }
    String scheduler = className(file, SCHEDULER, json.path(SCHEDULER));
    SchedulerClass named =
        SchedulerClass.named(scheduler)
            .orElseThrow(
                () -> unsupported(file, SCHEDULER, json.path(SCHEDULER), SchedulerClass.names()));
    // That pipeline makes a DDIMScheduler of any scheduler that it is given.
    return pipeline.textValue().equals(DDIM_PIPELINE) ? SchedulerClass.DDIM : named;
  }

  private static void checkAutoencoder(Path index, String part, JsonNode entry) throws IOException {
    if (!AUTOENCODER_CLASSES.contains(className(index, part, entry))) {
      throw unsupported(
          index,
          part,
          entry,
          Text.format("\"%s\" and \"%s\"", AUTOENCODER_CLASSES.get(0), AUTOENCODER_CLASSES.get(1)));
    }
    Path folder = index.resolveSibling(part);
    if (Files.notExists(folder.resolve(UnetFolder.CONFIG))) {
      throw new IOException(
          Text.format(
              "%s names an autoencoder, but %s is missing; copy or download the whole folder.",
              index, folder.resolve(UnetFolder.CONFIG)));
    }
  }

  private static String className(Path file, String part, JsonNode entry) throws IOException {
    if (!entry.isArray() || entry.size() != 2 || !LIBRARIES.contains(entry.get(0).asText())) {
      throw unsupported(file, part, entry, Text.format("[\"%s\", a class of it]", LIBRARY));
    }
    return entry.get(1).asText();
  }

  private static IOException unsupported(Path file, String part, JsonNode entry, String supported) {
    return new IOException(
        Text.format(
            "%s: %s is %s; supported is %s.",
            file, part, entry.isMissingNode() ? "missing" : StrictJson.quoted(entry), supported));
  }

  private static boolean isAbsent(JsonNode entry) {
    for (JsonNode name : entry) {
      if (!name.isNull()) {
        return false;
      }
    }
    return true;
  }

  private static String shown(JsonNode pipeline) {
    return StrictJson.quoted(pipeline).replace("\"", "");
  }

  /**
   * Reads what a pipeline's classes are called.
   *
   * @param folder of a pipeline
   * @return the names in their order; none where no file says them
   * @throws IOException if the file is damaged
   */
  public static List<String> readClassNames(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    Path file = folder.resolve(CLASS_NAMES);
    List<String> names = new ArrayList<>();
    if (Files.notExists(file)) {
      return labels(file.resolveSibling(INDEX));
    }
    JsonNode json = PipelineJson.parse(PipelineJson.readText(file), file.toString());
    boolean isList = json.isArray();
    for (JsonNode name : json) {
      isList &= name.isTextual();
      names.add(name.asText());
    }
    if (!isList) {
      throw new IOException(
          Text.format("%s must be a list of the names of classes; correct it or remove it.", file));
    }
    return names;
  }

  /** The names that the index of a transformer's pipeline has, up to their first comma. */
  private static List<String> labels(Path index) throws IOException {
    List<String> names = new ArrayList<>();
    if (Files.notExists(index)) {
      return names;
    }
    JsonNode labels =
        PipelineJson.parse(PipelineJson.readText(index), index.toString()).path(LABELS);
    for (int i = 0; i < labels.size(); i++) {
      JsonNode name = labels.path(Integer.toString(i));
      if (!labels.isObject() || !name.isTextual()) {
        throw new IOException(
            Text.format(
                "%s: %s has %s, but none for class %d that is a text; it must have the classes from 0 on.",
                index, LABELS, Text.count(labels.size(), "entry", "entries"), i));
      }
      names.add(name.textValue().split(",", 2)[0].strip());
    }
    return names;
  }

  /**
   * Writes a pipeline. {@value #INDEX} comes last, so that a folder is a pipeline only when it is
   * whole.
   *
   * @param folder that does not exist yet or is empty
   * @param pipeline what to write; by custom, the network's weights are the moving average
   * @throws IOException if the folder holds files or cannot be written; it is then as before
   * @throws IllegalArgumentException as {@link #requireDrawable}
   */
  public static void write(Path folder, DiffusersPipeline pipeline) throws IOException {
    Objects.requireNonNull(pipeline, "pipeline");
    requireDrawable(pipeline);
    if (!NewFolder.isUnused(folder)) {
      throw new IOException(
          Text.format(
              "The folder %s is not empty, and a pipeline never overwrites another; choose a new folder.",
              folder));
    }
    NewFolder.fill(folder, INDEX, unfinished -> writeAll(unfinished, pipeline));
  }

  private static void writeAll(Path folder, DiffusersPipeline pipeline) throws IOException {
    DiffusersScheduler scheduler = pipeline.scheduler();
    boolean isTransformer = pipeline.unet().config() instanceof DiffusionTransformer;
    String network = isTransformer ? TRANSFORMER : UNET;
    String between = isTransformer ? VAE : VQVAE;
    UnetFolder.write(folder.resolve(network), pipeline.unet());
    if (pipeline.autoencoder().isPresent()) {
      AutoencoderFolder.write(folder.resolve(between), pipeline.autoencoder().orElseThrow());
    }
    Folders.create(folder.resolve(SCHEDULER));
    PipelineJson.write(
        folder.resolve(SCHEDULER).resolve(SCHEDULER_CONFIG), SchedulerJson.write(scheduler));
    if (!pipeline.classNames().isEmpty()) {
      PipelineJson.write(folder.resolve(CLASS_NAMES), pipeline.classNames());
    }
    Map<String, Object> index = new LinkedHashMap<>();
    index.put(DiffusersFields.CLASS_NAME, className(pipeline));
    index.put("_diffusers_version", DiffusersFields.VERSION);
    index.put(SCHEDULER, List.of(LIBRARY, scheduler.className()));
    String className = DiffusersPipeline.requireNetwork(pipeline.unet().config()).className();
    index.put(network, List.of(LIBRARY, className));
    pipeline
        .autoencoder()
        .ifPresent(
            autoencoder -> index.put(between, List.of(LIBRARY, autoencoder.config().className())));
    PipelineJson.write(folder.resolve(INDEX), index);
  }

  /** Which of diffusers' pipelines draws so. */
  private static String className(DiffusersPipeline pipeline) {
    if (pipeline.unet().config() instanceof DiffusionTransformer) {
      return TRANSFORMER_PIPELINE;
    }
    if (pipeline.autoencoder().isPresent()) {
      return LATENT_PIPELINE;
    }
    SamplerType type = pipeline.scheduler().sampler().type();
    return switch (type) {
      case SCORE_SDE -> SCORE_PIPELINE;
      case KARRAS_VE -> KARRAS_PIPELINE;
      case CONSISTENCY -> CONSISTENCY_PIPELINE;
      default -> SchedulerClass.of(type) == SchedulerClass.DDIM ? DDIM_PIPELINE : DDPM_PIPELINE;
    };
  }

  /**
   * Checks that the pipeline which diffusers makes of the files can draw. All its classes draw
   * images of the network's {@code sample_size}; few know a height and a width, two colours alone.
   *
   * @param pipeline what is to be written
   * @return the same
   * @throws IllegalArgumentException if the network has no {@code sample_size}, or one that is not
   *     square where it must be, or if its images must have three channels and have not
   */
  public static DiffusersPipeline requireDrawable(DiffusersPipeline pipeline) {
    Objects.requireNonNull(pipeline, "pipeline");
    String name = className(pipeline);
    Unet2D.ImageSize size =
        DiffusersPipeline.requireNetwork(pipeline.unet().config())
            .sampleSize()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        Text.format(
                            "The network has no sample_size, which diffusers' %s draws by; say it in the network's config.json, or by withSampleSize.",
                            name)));
    boolean knowsBoth = name.equals(DDPM_PIPELINE) || name.equals(DDIM_PIPELINE);
    if (!knowsBoth && size.height() != size.width()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network's sample_size is %dx%d, and diffusers' %s draws squares alone; give the network a square sample_size.",
              size.height(), size.width(), name));
    }
    int channels = pipeline.unet().config().inChannels();
    boolean knowsColoursAlone = name.equals(SCORE_PIPELINE) || name.equals(KARRAS_PIPELINE);
    if (knowsColoursAlone && channels != RGB) {
      throw new IllegalArgumentException(
          Text.format(
              "The network knows images of %d channel(s), and diffusers' %s draws those of %d alone; take another sampler.",
              channels, name, RGB));
    }
    return pipeline;
  }
}

package org.ddpm4j.cli.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import picocli.CommandLine.Option;

/** Which network is trained. */
@OptionGroup("The network")
final class NetworkOptions {

  enum Kind {
    /** Of "The Annotated Diffusion Model". */
    ANNOTATED(TrainingDefaults.DIM),
    /** The small one of the MNIST tutorial. */
    TUTORIAL(TrainingDefaults.TUTORIAL_DIM),
    /** The one of the minimal blog, with base 64 there. */
    MINIMAL(TrainingDefaults.MINIMAL_DIM),
    /** diffusers' UNet2DModel, with attention at its coarsest level. */
    UNET2D(TrainingDefaults.UNET2D_DIM),
    /** That of google/ddpm-cifar10-32, as it is. */
    DDPM_CIFAR10("128");

    private final int dim;

    Kind(String dim) {
      this.dim = Integer.parseInt(dim);
    }
  }

  private static final Map<String, String> OPTIONS_OF_FIELDS =
      Map.of(
          "dropout", "--dropout",
          "resnet_block_groups", "--groups",
          "norm_num_groups", "--groups",
          "dim_mults", "--dim-mults",
          "block_out_channels", "--dim times --dim-mults",
          "attention_heads", "--attention-heads",
          "attention_head_dim", "--attention-head-dim",
          "dim", "--dim");

  @Option(
      names = "--network",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.NETWORK,
      description = "Which U-Net: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Kind kind;

  @HasEffect(with = "--network=annotated")
  @Option(
      names = "--block",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.BLOCK,
      description =
          "Residual blocks of annotated: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private AnnotatedUnet.Block block;

  @HasEffect(without = "--network=ddpm-cifar10", because = "which is as it is")
  @Option(
      names = "--dim",
      paramLabel = "N",
      description =
          "Channels of the first level (default: "
              + TrainingDefaults.DIM
              + "; "
              + TrainingDefaults.TUTORIAL_DIM
              + " for tutorial, "
              + TrainingDefaults.MINIMAL_DIM
              + " for minimal, "
              + TrainingDefaults.UNET2D_DIM
              + " for unet2d).")
  private Integer dim;

  @HasEffect(with = "--network=annotated|unet2d")
  @Option(
      names = "--dim-mults",
      paramLabel = "N",
      split = ",",
      defaultValue = TrainingDefaults.DIM_MULTS,
      description =
          "Channels of each level of annotated and unet2d as multiples of that (default:"
              + " ${DEFAULT-VALUE}).")
  private List<Integer> dimMults;

  @HasEffect(with = "--network=annotated|unet2d", without = "--block=convnext")
  @Option(
      names = "--groups",
      paramLabel = "N",
      defaultValue = TrainingDefaults.GROUPS,
      description =
          "Groups of the normalisation in annotated's ResNet blocks and in unet2d (default:"
              + " ${DEFAULT-VALUE}).")
  private int groups;

  @HasEffect(with = "--network=annotated")
  @Option(
      names = "--attention",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.ATTENTION,
      description =
          "Where annotated has attention, ${COMPLETION-CANDIDATES}: linear at all levels and full in"
              + " the middle, the latter alone, or nowhere (default: ${DEFAULT-VALUE}).")
  private AnnotatedUnet.Attention attention;

  @HasEffect(with = "--network=annotated", without = "--attention=none")
  @Option(
      names = "--attention-heads",
      paramLabel = "N",
      defaultValue = TrainingDefaults.ATTENTION_HEADS,
      description = "Heads of every attention of annotated (default: ${DEFAULT-VALUE}).")
  private int attentionHeads;

  @HasEffect(with = "--network=annotated", without = "--attention=none")
  @Option(
      names = "--attention-head-dim",
      paramLabel = "N",
      defaultValue = TrainingDefaults.ATTENTION_HEAD_DIM,
      description = "Width of each head (default: ${DEFAULT-VALUE}).")
  private int attentionHeadDim;

  @HasEffect(with = "--network=annotated")
  @Option(
      names = "--patch-size",
      paramLabel = "N",
      defaultValue = TrainingDefaults.PATCH_SIZE,
      description =
          "Side of the squares of pixels that annotated sees as one position; 2 makes it about"
              + " three times faster (default: ${DEFAULT-VALUE}).")
  private int patchSize;

  @HasEffect(
      with = "--network=annotated|unet2d|ddpm-cifar10",
      without = "--block=convnext",
      because = "since there is none in its blocks")
  @Option(
      names = "--dropout",
      paramLabel = "P",
      defaultValue = TrainingDefaults.DROPOUT,
      description =
          "Share of the features that training drops in each residual block of annotated's ResNet"
              + " blocks, unet2d and ddpm-cifar10, for which Ho et al. take 0.1 (default:"
              + " ${DEFAULT-VALUE}).")
  private double dropout;

  @HasEffect(
      with = "--network=annotated",
      without = {"--loss-terms=hybrid", "--loss-terms=vlb"},
      because = "since such a network learns no variance")
  @Option(
      names = "--self-conditioning",
      description =
          "Let annotated see its own estimate of the image beside the noisy one (Chen et al. 2022).")
  private boolean selfConditioning;

  /** The peak learning rate where the user gives none. */
  double usualLearningRate() {
    return TrainingDefaults.learningRate(kind, Objects.requireNonNullElse(dim, kind.dim));
  }

  /**
   * The network that the user chose.
   *
   * @param data its images
   * @param timesteps T
   * @param objective what it is trained for
   */
  UnetConfig config(TrainingData data, int timesteps, ObjectiveOptions objective) {
    try {
      return build(data, timesteps, objective);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(withOptions(e.getMessage()), e);
    }
  }

  /** What a network's record says of its components, said of the options that they come from. */
  private static String withOptions(String message) {
    String said = message;
    for (Map.Entry<String, String> name : OPTIONS_OF_FIELDS.entrySet()) {
      said = said.replaceAll("(?<![\\w-])" + name.getKey() + "(?![\\w-])", name.getValue());
    }
    return said;
  }

  private UnetConfig build(TrainingData data, int timesteps, ObjectiveOptions objective) {
    int width = Objects.requireNonNullElse(dim, kind.dim);
    ImageShape shape = data.images().shape();
    int channels = shape.channels();
    // The estimate goes in before the image.
    int inChannels = selfConditioning ? 2 * channels : channels;
    int outChannels = objective.config().outChannels(channels);
    int classes = objective.isClassConditional() ? classEmbeddings(data) : 0;
    return switch (kind) {
      case ANNOTATED -> {
        AnnotatedUnet unet =
            block == AnnotatedUnet.Block.RESNET
                ? AnnotatedUnet.resnet(width, inChannels, dimMults, groups)
                : AnnotatedUnet.convnext(width, inChannels, dimMults);
        yield unet.withAttention(attentionHeads, attentionHeadDim)
            .withAttention(attention)
            .withOutChannels(outChannels)
            .withClassEmbeddings(classes)
            .withPatchSize(patchSize)
            .withDropout(dropout);
      }
      case TUTORIAL ->
          TutorialUnet.of(channels, timesteps).withDim(width).withClassEmbeddings(classes);
      case MINIMAL -> {
        if (classes > 0) {
          throw new BadInputException(
              "The network minimal cannot be told classes; choose --network annotated or tutorial,"
                  + " or leave out --class-conditional.");
        }
        yield MinimalUnet.of(channels).withDim(width).withOutChannels(outChannels);
      }
      case UNET2D ->
          Unet2D.of(channels, levels(width), groups)
              .withImages(images(shape, outChannels))
              .withClassEmbeddings(classes)
              .withDropout(dropout);
      case DDPM_CIFAR10 ->
          Unet2D.cifar10()
              .withImages(images(shape, outChannels))
              .withClassEmbeddings(classes)
              .withDropout(dropout);
    };
  }

  private static Unet2D.Images images(ImageShape shape, int outChannels) {
    return new Unet2D.Images(
        new Unet2D.ImageSize(shape.height(), shape.width()),
        shape.channels(),
        outChannels,
        Unet2D.InputScale.AS_IT_IS);
  }

  private List<Unet2D.Level> levels(int width) {
    List<Unet2D.Level> levels = new ArrayList<>();
    for (int mult : dimMults) {
      boolean coarsest = levels.size() == dimMults.size() - 1;
      Unet2D.Block block = coarsest ? Unet2D.Block.ATTENTION : Unet2D.Block.PLAIN;
      levels.add(new Unet2D.Level(width * mult, block, block));
    }
    return levels;
  }

  /** One for each class, and one more that stands for none. */
  static int classEmbeddings(TrainingData data) {
    int classes = data.images().classNames().size();
    if (classes < 2) {
      throw new BadInputException(
          "The images of %s are of %d class, which needs no telling; leave out --class-conditional.",
          data.description().name(), classes);
    }
    return classes + 1;
  }
}

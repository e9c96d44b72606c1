package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.editing.Resampling;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.studio.drawing.ImageKey;
import org.ddpm4j.studio.drawing.ImageToImageRecipe;
import org.ddpm4j.studio.drawing.InpaintingRecipe;
import org.ddpm4j.studio.drawing.InterpolationRecipe;
import org.ddpm4j.studio.drawing.InversionRecipe;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.Recipe;
import org.ddpm4j.studio.drawing.SamplingRecipe;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes plans of what clients ask for. Reads files and models: not for a connection's thread. */
final class DrawingRequests {

  /** Images of one request. */
  static final int MOST_IMAGES = 64;

  /** Of an edit: its images are of one batch. */
  static final int MOST_EDITED = 16;

  static final int MOST_STEPS = 1000;
  static final int MOST_PREVIEWS = 64;

  private static final int DEFAULT_COUNT = 16;
  private static final int DEFAULT_EDITED = 4;
  private static final int DEFAULT_EDITING_STEPS = 25;
  private static final Resampling DEFAULT_RESAMPLING = new Resampling(5, 3);
  private static final double DEFAULT_STRENGTH = 0.5;
  private static final int DEFAULT_ITERATIONS = 1;
  private static final int MOST_ITERATIONS = 10;

  private static final Set<String> SAMPLE_FIELDS =
      Set.of(
          "model", "seed", "seeds", "count", "class", "sampler", "steps", "guidance", "previews");

  private static final Set<String> EDIT_FIELDS =
      Set.of(
          "model",
          "kind",
          "image",
          "mask",
          "to",
          "seed",
          "count",
          "class",
          "sampler",
          "steps",
          "strength",
          "resamplings",
          "iterations",
          "previews");

  /** What is done to an image. */
  private enum Kind {
    INPAINT("inpaint"),
    IMAGE_TO_IMAGE("image-to-image"),
    INTERPOLATE("interpolate"),
    INVERT("invert");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  private final Models models;

  DrawingRequests(Models models) {
    this.models = models;
  }

  /** Plans images of noise. */
  DrawingPlan sample(JsonNode body) throws IOException {
    JsonFields fields = new JsonFields(body).requireKnown(SAMPLE_FIELDS);
    List<Long> seeds = fields.wholeNumbers("seeds", MOST_IMAGES, Long.MIN_VALUE, Long.MAX_VALUE);
    if (!seeds.isEmpty() && (fields.has("seed") || fields.has("count"))) {
      throw new Refusal(400, "The field seeds does not go with seed and count; give either.");
    }
    long seed = fields.wholeNumber("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE);
    int count = (int) fields.wholeNumber("count", DEFAULT_COUNT, 1, MOST_IMAGES);
    return planned(
        fields,
        (source, lease) -> {
          DiffusionModel model = lease.model();
          Guidance guidance =
              fields.number("guidance", 0, Guidance.MAX_SCALE).isPresent()
                  ? Guidance.of(fields.number("guidance", 0, Guidance.MAX_SCALE).getAsDouble())
                  : Guidance.NONE;
          if (!guidance.equals(Guidance.NONE) && model.nullClass().isEmpty()) {
            throw new Refusal(
                422,
                model.isClassConditional()
                    ? "The model knows no row of its class embedding for no class, which guidance needs; leave the field guidance out."
                    : "The model was not told classes, so that there is none to guide it to; leave the field guidance out.");
          }
          Optional<SamplerType> sampler = fields.choice("sampler", SamplerType.values());
          int usual = sampler.map(model::defaultSteps).orElseGet(model::defaultSteps);
          SamplingRecipe recipe =
              new SamplingRecipe(sampler, steps(fields, model, usual), guidance);
          OptionalInt chosen = chosenClass(fields, model);
          IntUnaryOperator labels =
              chosen.isPresent() ? i -> chosen.getAsInt() : model.pipeline().classOf();
          List<ImageKey> images = new ArrayList<>();
          for (int i = 0; i < (seeds.isEmpty() ? count : seeds.size()); i++) {
            images.add(
                seeds.isEmpty()
                    ? new ImageKey(seed, i, labels.applyAsInt(i))
                    : new ImageKey(seeds.get(i), 0, labels.applyAsInt(i)));
          }
          List<String> classOptions =
              chosen.isPresent() ? CommandLine.classOptions(model, chosen.getAsInt()) : List.of();
          Optional<List<String>> command =
              seeds.isEmpty()
                  ? Optional.of(CommandLine.of(source, recipe, seed, count, classOptions))
                  : Optional.empty();
          return new DrawingPlan(source, lease, recipe, images, previews(fields), command);
        });
  }

  /** Plans an edit of an image. */
  DrawingPlan edit(JsonNode body) throws IOException {
    JsonFields fields = new JsonFields(body).requireKnown(EDIT_FIELDS);
    Kind kind =
        fields
            .choice("kind", Kind.values())
            .orElseThrow(
                () ->
                    new Refusal(
                        400,
                        "The field kind is missing; it is one of inpaint, image-to-image, interpolate, invert."));
    long seed = fields.wholeNumber("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE);
    int least = kind == Kind.INTERPOLATE ? 2 : 1;
    if (kind == Kind.INVERT && fields.has("count")) {
      throw new Refusal(
          400, "The field count does not go with invert, which answers the noise and the image.");
    }
    int count =
        kind == Kind.INVERT
            ? InversionRecipe.IMAGES
            : (int) fields.wholeNumber("count", DEFAULT_EDITED, least, MOST_EDITED);
    return planned(
        fields,
        (source, lease) -> {
          DiffusionModel model = lease.model();
          int steps =
              steps(fields, model, Math.min(DEFAULT_EDITING_STEPS, model.schedule().timesteps()));
          Recipe recipe = editing(kind, fields, model, steps);
          int label = labelOf(fields, model);
          List<ImageKey> images = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            images.add(new ImageKey(seed, i, label));
          }
          return new DrawingPlan(source, lease, recipe, images, previews(fields), Optional.empty());
        });
  }

  private static Recipe editing(Kind kind, JsonFields fields, DiffusionModel model, int steps)
      throws IOException {
    INDArray image = UploadedImages.image(fields, "image", model);
    return switch (kind) {
      case INPAINT ->
          new InpaintingRecipe(
              steps, resampling(fields), image, UploadedImages.mask(fields, model.shape()));
      case IMAGE_TO_IMAGE ->
          checked(
              () ->
                  new ImageToImageRecipe(
                      fields.choice("sampler", SamplerType.values()),
                      steps,
                      fields.number("strength", 0, 1).orElse(DEFAULT_STRENGTH),
                      image));
      case INTERPOLATE ->
          new InterpolationRecipe(steps, image, UploadedImages.image(fields, "to", model));
      case INVERT ->
          new InversionRecipe(
              steps,
              (int) fields.wholeNumber("iterations", DEFAULT_ITERATIONS, 1, MOST_ITERATIONS),
              image);
    };
  }

  private interface Planner {
    DrawingPlan plan(ModelSource source, ModelShelf.Lease lease) throws IOException;
  }

  private DrawingPlan planned(JsonFields fields, Planner planner) throws IOException {
    ModelSource source = models.find(fields.text("model", 300));
    ModelShelf.Lease lease = models.lease(source);
    boolean planned = false;
    try {
      Images.requirePictures(lease.model().shape().channels());
      DrawingPlan plan = planner.plan(source, lease);
      plan.recipe().requireDrawable(lease.model());
      planned = true;
      return plan;
    } catch (IllegalArgumentException e) {
      throw new Refusal(422, e.getMessage());
    } finally {
      if (!planned) {
        lease.close();
      }
    }
  }

  private static <T> T checked(Supplier<T> make) {
    try {
      return make.get();
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, e.getMessage());
    }
  }

  private static int steps(JsonFields fields, DiffusionModel model, int otherwise) {
    int most = Math.min(MOST_STEPS, model.schedule().timesteps());
    return (int) fields.wholeNumber("steps", otherwise, 1, most);
  }

  private static int previews(JsonFields fields) {
    return (int) fields.wholeNumber("previews", 0, 0, MOST_PREVIEWS);
  }

  private static Resampling resampling(JsonFields fields) {
    return new Resampling(
        DEFAULT_RESAMPLING.jumpLength(),
        (int) fields.wholeNumber("resamplings", DEFAULT_RESAMPLING.resamplings(), 1, 20));
  }

  private static OptionalInt chosenClass(JsonFields fields, DiffusionModel model) {
    Optional<String> named = fields.word("class", 200);
    if (named.isEmpty()) {
      return OptionalInt.empty();
    }
    if (!model.isClassConditional()) {
      throw new Refusal(422, "The model was not told classes; leave the field class out.");
    }
    return OptionalInt.of(checked(() -> classes(model).find(named.get())));
  }

  private static ClassNames classes(DiffusionModel model) {
    int rows = model.unet().config().classEmbeddings();
    int named = model.classNames().size();
    OptionalInt none = model.nullClass();
    if (none.isEmpty() && named > 0 && named < rows) {
      none = OptionalInt.of(rows - 1);
    }
    return ClassNames.of(model.classNames(), rows, none);
  }

  /** The class that a request names, or else any that will do. */
  static int labelOf(JsonFields fields, DiffusionModel model) {
    return chosenClass(fields, model).orElseGet(() -> anyClass(model));
  }

  /** Of an image whose class nobody said. */
  private static int anyClass(DiffusionModel model) {
    return model.isClassConditional() ? classes(model).nullClass().orElse(0) : 0;
  }
}

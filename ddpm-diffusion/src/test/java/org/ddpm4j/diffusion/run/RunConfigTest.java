package org.ddpm4j.diffusion.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunConfigTest {

  private static final TrainingDescription TRAINING =
      new TrainingDescription(
          -3,
          new TrainingConfig(
              Long.MAX_VALUE,
              TrainingConfig.defaults(1).optimizer(),
              TrainingConfig.defaults(1).learningRate(),
              Double.POSITIVE_INFINITY,
              0.1 + 0.2,
              ObjectiveConfig.simple().withLoss(LossFunction.HUBER),
              Long.MIN_VALUE,
              7),
          new TrainingDescription.BatchConfig(16, 5, HorizontalFlip.RANDOM),
          50,
          60);

  private static final ModelDescription MODEL =
      ModelDescription.of(
          AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4),
          TRAINING.config().objective(),
          new ScheduleConfig(ScheduleType.LINEAR, 300, 1e-4, null),
          new ImageShape(1, 8, 12),
          Normalization.SYMMETRIC,
          List.of());

  private static final DataDescription DATA =
      new DataDescription("bars \"ä\"", null, "sha256:00", 100, 0, DataDescription.Selection.ALL);

  static final RunConfig CONFIG = new RunConfig("0.1.0", MODEL, DATA, TRAINING);

  @Test
  void roundTripIsExact() throws IOException {
    String json = CONFIG.toJson();
    RunConfig read = RunConfig.fromJson(json, "config.json");
    assertThat(read).isEqualTo(CONFIG);
    assertThat(read.toJson()).isEqualTo(json);
  }

  @Test
  void howImagesWereChosenAndScaledIsStored() throws IOException {
    DataDescription photographs =
        new DataDescription(
            "tiny-imagenet",
            null,
            "00",
            10,
            2,
            DataDescription.Selection.of(Optional.of("goldfish"), OptionalInt.of(12), 3));
    ModelDescription model =
        ModelDescription.of(
            AnnotatedUnet.resnet(8, 3, List.of(1, 2), 4),
            TRAINING.config().objective(),
            MODEL.schedule(),
            new ImageShape(3, 8, 12),
            Normalization.IMAGENET,
            List.of("goldfish", "tench"));
    RunConfig config = new RunConfig(null, model, photographs, TRAINING);
    RunConfig read = RunConfig.fromJson(config.toJson(), "config.json");
    assertThat(read).isEqualTo(config);
    assertThat(read.model().normalization().mean()).containsExactly(0.485, 0.456, 0.406);
    assertThat(read.data().selection().className()).isEqualTo("goldfish");
    assertThat(read.data().selection().skippedFiles()).isEqualTo(3);
  }

  @Test
  void runsFromBeforeThereWasAChoiceAreOfAllImagesInMinusOneToOne() throws IOException {
    ObjectNode json = tree();
    ((ObjectNode) json.get("data")).remove(List.of("normalization", "selection"));
    RunConfig read = RunConfig.fromJson(json.toString(), "config.json");
    assertThat(read).isEqualTo(CONFIG);
    assertThat(read.model().normalization()).isEqualTo(Normalization.SYMMETRIC);
    assertThat(read.data().selection()).isEqualTo(DataDescription.Selection.ALL);
  }

  @ParameterizedTest
  @EnumSource
  void everyScheduleIsStoredByItsName(ScheduleType type) throws IOException {
    // On a chain that ends in pure noise, ε would tell nothing of the image.
    RunConfig config =
        with(
            ScheduleConfig.of(type, 100),
            ObjectiveConfig.simple().withParameterization(Parameterization.V));
    String name = type.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    assertThat(config.toJson())
        .contains("\"type\" : \"" + name + "\"")
        .doesNotContain("beta_start");
    assertThat(RunConfig.fromJson(config.toJson(), "config.json")).isEqualTo(config);
  }

  @Test
  void namesAreTheFieldsInSnakeCase() throws IOException {
    ObjectNode json = tree();
    assertThat(json.at("/ddpm4j_version").asText()).isEqualTo("0.1.0");
    assertThat(json.at("/training/max_gradient_norm").asText()).isEqualTo("Infinity");
    assertThat(json.at("/training/optimizer/weight_decay").asDouble()).isEqualTo(0.01);
    assertThat(json.at("/model/_model").asText()).isEqualTo("annotated");
    assertThat(json.at("/batches/flip").asText()).isEqualTo("random");
    assertThat(json.at("/data/training_images").asInt()).isEqualTo(100);
  }

  /** Runs of before there were augmentations do not say it, and those without one still do not. */
  @Test
  void augmentationIsKeptWhereThereIsOne() throws IOException {
    assertThat(tree().at("/batches").has("augmentation")).isFalse();
    assertThat(new TrainingDescription.BatchConfig(16, 5, HorizontalFlip.NONE, Augmentation.NONE))
        .isEqualTo(new TrainingDescription.BatchConfig(16, 5, HorizontalFlip.NONE));
    Augmentation augmentation = new Augmentation(0.1, 0.25);
    RunConfig config =
        CONFIG.withTraining(
            new TrainingDescription(
                1,
                TRAINING.config(),
                new TrainingDescription.BatchConfig(16, 5, HorizontalFlip.NONE, augmentation),
                50,
                60));
    RunConfig read = RunConfig.fromJson(config.toJson(), "config.json");
    assertThat(read).isEqualTo(config);
    assertThat(read.training().orElseThrow().batches().augmentationOrNone())
        .isEqualTo(augmentation);
    assertRefused(
        config.toJson().replace("0.25", "1.5"), "The color jitter is 1.5; it must be in 0..1");
  }

  @Test
  void aRunThatNamesNoFormatIsOfTheFirst() throws IOException {
    ObjectNode json = tree();
    assertThat(json.get("format").intValue()).isEqualTo(RunConfig.FORMAT).isEqualTo(2);
    json.remove("format");
    RunConfig old = RunConfig.fromJson(json.toString(), "config.json");
    assertThat(old.format()).isEqualTo(1);
    assertThat(old).isNotEqualTo(CONFIG);
    assertThat(RunConfig.fromJson(old.toJson(), "config.json")).isEqualTo(old);
  }

  /** Runs that began before there were objectives. */
  @Test
  void aLossBesideTheOptimizerIsAnObjective() throws IOException {
    ObjectNode json = tree();
    ObjectNode training = (ObjectNode) json.get("training");
    training.remove("objective");
    training.put("loss", "HUBER");
    RunConfig config = RunConfig.fromJson(json.toString(), "config.json");
    assertThat(config).isEqualTo(CONFIG);
  }

  @ParameterizedTest
  @MethodSource
  void objectivesSurviveJson(ObjectiveConfig objective) throws IOException {
    RunConfig config = with(objective);
    assertThat(RunConfig.fromJson(config.toJson(), "config.json")).isEqualTo(config);
  }

  static List<ObjectiveConfig> objectivesSurviveJson() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    return List.of(
        simple,
        simple.withParameterization(Parameterization.V).withWeighting(new LossWeighting.MinSnr(3)),
        simple.withParameterization(Parameterization.X0).withWeighting(new LossWeighting.P2(2, 1)),
        simple.withParameterization(Parameterization.MEAN).withLoss(LossFunction.L1),
        simple.withTerms(LossTerms.VLB).withTimesteps(TimestepSampling.IMPORTANCE));
  }

  private static RunConfig with(ObjectiveConfig objective) {
    return with(MODEL.schedule(), objective);
  }

  private static RunConfig with(ScheduleConfig schedule, ObjectiveConfig objective) {
    return new RunConfig(
        "0.1.0",
        ModelDescription.of(
            MODEL.network(),
            objective,
            schedule,
            MODEL.shape(),
            MODEL.normalization(),
            MODEL.classNames()),
        DATA,
        new TrainingDescription(
            TRAINING.initialWeightsSeed(),
            TRAINING.config().withObjective(objective),
            TRAINING.batches(),
            TRAINING.checkpointEvery(),
            TRAINING.sampleEvery()));
  }

  @Test
  void whatARunBeganWithHowItDrawsAndThatItWasExtendedAreKept() throws IOException {
    TrainingDescription began =
        new TrainingDescription(
                1,
                TrainingConfig.defaults(100),
                TRAINING.batches(),
                TRAINING.checkpointEvery(),
                TRAINING.sampleEvery())
            .withInitialWeights(new InitialWeights("the model of flowers", "0123abcd"))
            .withSampleSteps(20);
    TrainingDescription extended = began.extendedTo(100).extendedTo(300).extendedTo(500);
    assertThat(extended.config()).isEqualTo(TrainingConfig.defaults(500));
    assertThat(extended.earlierSteps()).containsExactly(100L, 300L);
    ModelDescription model =
        ModelDescription.of(
            MODEL.network(),
            began.config().objective(),
            MODEL.schedule(),
            MODEL.shape(),
            MODEL.normalization(),
            MODEL.classNames());
    RunConfig config = new RunConfig("1", model, DATA, extended);
    RunConfig read = RunConfig.fromJson(config.toJson(), "config.json");
    assertThat(read).isEqualTo(config);
    assertThat(read.training().orElseThrow().sampleSteps()).hasValue(20);
    assertThat(new RunConfig("1", model, DATA, began).withTraining(extended)).isEqualTo(config);
    assertThatThrownBy(() -> config.withTraining(extended.withSampleSteps(301)))
        .hasMessage(
            "301 denoising steps are not possible; it takes 1 to 300, the length of the chain.");
    assertThatThrownBy(() -> began.withSampleSteps(0)).hasMessageContaining("0 denoising steps");
  }

  /** A model that came from elsewhere has no training, and nobody invents one. */
  @Test
  void aModelThatWasNotTrainedHereIsStoredWithoutTraining() throws IOException {
    ModelDescription model =
        new ModelDescription(
            AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withClassEmbeddings(3),
            Parameterization.V,
            MODEL.schedule(),
            MODEL.shape(),
            MODEL.normalization(),
            List.of("cat", "dog"),
            OptionalInt.of(2));
    RunConfig config = RunConfig.untrained("1", model, DataDescription.unseen("cats", null));
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(config.toJson());
    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly(
            "format",
            "ddpm4j_version",
            "schedule",
            "parameterization",
            "null_class",
            "data",
            "model");
    assertThat(RunConfig.fromJson(json.toString(), "config.json")).isEqualTo(config);
    json.remove("null_class");
    assertThat(RunConfig.fromJson(json.toString(), "config.json").model().nullClass()).isEmpty();

    json.put("null_class", 3);
    assertRefused(json.toString(), "The null class cannot be 3");
    json.remove("null_class");
    json.putObject("training");
    assertRefused(json.toString(), "the field training, which is unknown here");
    json.remove("training");
    json.putNull("parameterization");
    assertRefused(json.toString(), "its field parameterization is missing");
  }

  @Test
  void samplersNeedX0() {
    ModelDescription blind =
        new ModelDescription(
            MODEL.network(),
            Parameterization.EPSILON,
            ScheduleConfig.of(ScheduleType.JSD, 10),
            MODEL.shape(),
            MODEL.normalization(),
            List.of(),
            OptionalInt.empty());
    assertThatThrownBy(() -> RunConfig.untrained(null, blind, DATA))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a network which predicts epsilon could not sample");
  }

  @Test
  void theModelIsWhatTheTrainingIsFor() {
    ObjectiveConfig v = ObjectiveConfig.simple().withParameterization(Parameterization.V);
    TrainingDescription other =
        new TrainingDescription(0, TRAINING.config().withObjective(v), TRAINING.batches(), 1, 1);
    assertThatThrownBy(() -> new RunConfig(null, MODEL, DATA, other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The model predicts epsilon");
  }

  @Test
  void objectivesMustFitTheNetwork() {
    ObjectiveConfig simple = ObjectiveConfig.simple();
    assertThatThrownBy(() -> with(simple.withTerms(LossTerms.HYBRID)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The network answers images of 1 channel with 1, but the loss terms hybrid take 2: the prediction and the variance.");
    assertThatThrownBy(() -> with(simple.withLabelDropout(0.1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the network has 0 class embeddings");
    assertThatThrownBy(
            () -> simple.withLoss(LossFunction.L1).withWeighting(new LossWeighting.MinSnr(5)))
        .hasMessageContaining(" is made for squared errors");
    assertThatThrownBy(() -> simple.withLabelDropout(1)).hasMessageContaining("must be in [0,1)");
  }

  /** A half-given pair of betas takes the other from the paper. */
  @Test
  void schedulesAreBuiltAsSaid() {
    assertThat(MODEL.schedule().create())
        .isEqualTo(NoiseSchedule.of(new LinearSchedule(1e-4, 0.02), 300));
    assertThat(ScheduleConfig.of(ScheduleType.LINEAR_SCALED, 600).create())
        .isEqualTo(NoiseSchedule.of(LinearSchedule.paper().scaledTo(600), 600));
    assertThatThrownBy(() -> new ScheduleConfig(ScheduleType.COSINE, 100, 1e-4, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ScheduleConfig.of(ScheduleType.COSINE, 1_000_001))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The number of timesteps is 1000001; it must be from 1 to 1000000.");
    assertThatThrownBy(() -> ScheduleConfig.of(ScheduleType.LINEAR_SCALED, 10))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/extra                      | 1         | the field extra, which is unknown here",
        "/format                     | 3         | The run has the format 3, but this version knows 1 to 2",
        "/format                     | null      | its field format is missing",
        "/training/extra             | 1         | the field training.extra, which is unknown here",
        "/model/extra                | 1         | the field extra",
        "/training/steps             | \"many\"  | its field training.steps",
        "/training/steps             | \"100\"   | its field training.steps",
        "/training/steps             | 1.5       | its field training.steps",
        "/training/steps             | null      | its field training.steps",
        "/training/steps             | [1]       | its field training.steps",
        "/training/steps             | 0         | The number of training steps is 0; it must be at least 1.",
        "/training/steps             | 99999999999999999999 | its field training.steps",
        "/training/optimizer         | null      | its field training.optimizer is missing",
        "/training/optimizer         | 3         | its field training.optimizer",
        "/training/optimizer/beta1   | 1         | The beta1 of AdamW is 1.0; it must be in [0,1).",
        "/training/ema_decay         | \"NaN\"   | The EMA decay is NaN",
        "/training/objective/loss              | \"l7\"    | its field training.objective.loss",
        "/training/objective/loss              | 1         | its field training.objective.loss",
        "/training/objective/loss              | \"INNER_PRODUCT\" | its field training.objective.loss",
        "/batches/flip               | 0         | its field batches.flip",
        "/batches/flip               | null      | its field batches.flip is missing",
        "/batches/batch_size         | 0         | The batch size is 0; it must be at least 1.",
        "/schedule/type              | \"cubic\" | its field schedule.type",
        "/schedule/timesteps         | -1        | The number of timesteps is -1",
        "/schedule                   | null      | its field schedule is missing",
        "/schedule                   | []        | its field schedule",
        "/data/shape/height          | 0         | is empty",
        "/data/shape/height          | 9         | must be multiples of 2",
        "/data/shape/channels        | 3         | The network takes images of 1 channel",
        "/data/normalization/std     | [0]       | standard deviation 0.0 is not possible",
        "/data/normalization/mean    | [1,2,3]   | 3 means and 1 standard deviations",
        "/data/selection/max_images  | 0         | both numbers must be at least 1",
        "/data/training_images       | 0         | cannot have 0 training and 0 validation images",
        "/model                      | 5         | it has no model",
        "/model/dim                  | \"x\"     | is not the JSON of a U-Net",
        "/checkpoint_every           | 0         | both must be at least 1",
      })
  void aWrongFieldIsNamed(String pointer, String value, String expected) throws IOException {
    ObjectNode json = tree();
    int slash = pointer.lastIndexOf('/');
    ((ObjectNode) json.at(pointer.substring(0, slash)))
        .set(pointer.substring(slash + 1), new ObjectMapper().readTree(value));
    assertRefused(json.toString(), expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/training/seed",
        "/training/ema_decay",
        "/training/optimizer/weight_decay",
        "/training/learning_rate/warmup_steps",
        "/initial_weights_seed",
        "/batches/shuffle_seed",
        "/checkpoint_every",
        "/schedule/timesteps",
        "/schedule/type",
        "/data/shape",
        "/data/shape/width",
        "/data/fingerprint",
        "/data/training_images",
        "/training",
        "/data"
      })
  void aMissingFieldIsNamedAndNotGuessed(String pointer) throws IOException {
    ObjectNode json = tree();
    int slash = pointer.lastIndexOf('/');
    assertThat(
            ((ObjectNode) json.at(pointer.substring(0, slash)))
                .remove(pointer.substring(slash + 1)))
        .isNotNull();
    assertRefused(
        json.toString(), "its field " + pointer.substring(1).replace('/', '.') + " is missing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "3",
        "{} {}",
        "{\"model\": {}, \"model\": {}}",
        "\u0000",
        "{\"a\": Infinity}"
      })
  void whatIsNoRunIsRefused(String text) {
    assertRefused(text, "");
  }

  @Test
  void everyTruncationIsRefused() {
    String json = CONFIG.toJson();
    for (int length = 0; length < json.length(); length += 11) {
      assertRefused(json.substring(0, length), "");
    }
  }

  @Test
  void deepNestingIsRefused() {
    assertRefused("{\"model\": ".repeat(5000), "");
  }

  private static void assertRefused(String text, String part) {
    assertThatThrownBy(() -> RunConfig.fromJson(text, "run/config.json"))
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("run/config.json")
        .hasMessageContaining(part)
        .hasMessageEndingWith(".")
        .hasMessageNotContaining("\n");
  }

  private static ObjectNode tree() throws IOException {
    return (ObjectNode) new ObjectMapper().readTree(CONFIG.toJson());
  }
}

package org.ddpm4j.cli;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.ddpm4j.data.CorruptFiles;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.examples.lessons.Lesson;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.LossFunction;
import org.ddpm4j.unet.model.AnnotatedUnet;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The values of an enum as the command line spells them: {@code linear-scaled} for {@code
 * LINEAR_SCALED}. Converts an option's text, and lists what is possible for help and completion.
 */
abstract class Names<E extends Enum<E>> implements ITypeConverter<E>, Iterable<String> {

  private final Set<E> values;

  private Names(Set<E> values) {
    this.values = values;
  }

  private Names(Class<E> type) {
    this(EnumSet.allOf(type));
  }

  /** The spelling of a value. */
  static String of(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The spelling of a value of this option. */
  String spelling(E value) {
    return of(value);
  }

  @Override
  public E convert(String text) {
    String wanted = text.toLowerCase(Locale.ROOT).replace('_', '-');
    return values.stream()
        .filter(value -> spelling(value).equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "expected %s but was '%s'".formatted(String.join(", ", this), text)));
  }

  @Override
  public Iterator<String> iterator() {
    List<String> names =
        values.stream().map(this::spelling).collect(Collectors.toCollection(ArrayList::new));
    return names.iterator();
  }

  static final class Conversions extends Names<ConvertCommand.Target> {
    Conversions() {
      super(ConvertCommand.Target.class);
    }
  }

  static final class Schedule extends Names<ScheduleType> {
    Schedule() {
      super(ScheduleType.class);
    }
  }

  static final class Loss extends Names<LossFunction> {
    Loss() {
      super(EnumSet.complementOf(EnumSet.of(LossFunction.INNER_PRODUCT)));
    }
  }

  static final class Parameterizations extends Names<Parameterization> {
    Parameterizations() {
      super(Parameterization.class);
    }
  }

  static final class Weightings extends Names<ObjectiveOptions.Weighting> {
    Weightings() {
      super(ObjectiveOptions.Weighting.class);
    }
  }

  static final class Terms extends Names<LossTerms> {
    Terms() {
      super(LossTerms.class);
    }
  }

  static final class Timesteps extends Names<TimestepSampling> {
    Timesteps() {
      super(TimestepSampling.class);
    }
  }

  static final class Lessons extends Names<Lesson> {
    Lessons() {
      super(Lesson.class);
    }
  }

  static final class Networks extends Names<NetworkOptions.Kind> {
    Networks() {
      super(NetworkOptions.Kind.class);
    }
  }

  static final class Decay extends Names<LearningRateSchedule.Decay> {
    Decay() {
      super(LearningRateSchedule.Decay.class);
    }
  }

  static final class Block extends Names<AnnotatedUnet.Block> {
    Block() {
      super(AnnotatedUnet.Block.class);
    }
  }

  static final class Flip extends Names<HorizontalFlip> {
    Flip() {
      super(HorizontalFlip.class);
    }
  }

  static final class Variance extends Names<ReverseVariance> {
    Variance() {
      super(ReverseVariance.class);
    }
  }

  static final class Samplers extends Names<SamplerType> {
    Samplers() {
      super(SamplerType.class);
    }

    @Override
    String spelling(SamplerType value) {
      return value.label();
    }
  }

  static final class Spacing extends Names<TimestepSpacing> {
    Spacing() {
      super(TimestepSpacing.class);
    }
  }

  static final class Data extends Names<KnownDataSet> {
    Data() {
      super(KnownDataSet.class);
    }
  }

  static final class Corrupt extends Names<CorruptFiles> {
    Corrupt() {
      super(CorruptFiles.class);
    }
  }

  static final class PixelScales extends Names<Pixels> {
    PixelScales() {
      super(Pixels.class);
    }
  }

  static final class ScheduleFormats extends Names<SchedulesCommand.Format> {
    ScheduleFormats() {
      super(SchedulesCommand.Format.class);
    }
  }

  static final class SampleFormats extends Names<SampleCommand.Format> {
    SampleFormats() {
      super(SampleCommand.Format.class);
    }
  }

  static final class Weights extends Names<TrainedWeights> {
    Weights() {
      super(TrainedWeights.class);
    }
  }

  static final class Clips extends Names<Clip> {
    Clips() {
      super(Clip.class);
    }
  }

  static final class Animated extends Names<SampleCommand.Animated> {
    Animated() {
      super(SampleCommand.Animated.class);
    }
  }

  static final class Precisions extends Names<Precision> {
    Precisions() {
      super(Precision.class);
    }
  }

  static final class NumberFormats extends Names<PredictCommand.NumberFormat> {
    NumberFormats() {
      super(PredictCommand.NumberFormat.class);
    }

    /** Also as it was spelled when there was no bfloat16. */
    @Override
    public PredictCommand.NumberFormat convert(String text) {
      return super.convert(
          text.equalsIgnoreCase("float") ? of(PredictCommand.NumberFormat.FLOAT32) : text);
    }
  }

  static final class Layers extends Names<LayersChoice> {
    Layers() {
      super(LayersChoice.class);
    }

    @Override
    String spelling(LayersChoice value) {
      return value == LayersChoice.AUTOMATIC ? "auto" : of(value);
    }
  }

  static final class BenchTasks extends Names<Benchmark.Task> {
    BenchTasks() {
      super(Benchmark.Task.class);
    }
  }

  static final class BenchModels extends Names<BenchModel> {
    BenchModels() {
      super(BenchModel.class);
    }
  }
}

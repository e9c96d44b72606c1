package org.ddpm4j.cli.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * When an option, or all options of a mixin, have an effect. Where they have none, {@link
 * OptionRules} refuses them. Not for options that tell of this machine, such as where data lie and
 * whether they may be downloaded, which one may always say.
 *
 * <p>Conditions are written as on the command line: {@code --doctor} holds where that option is
 * given, {@code --format=grid|gif} where its value, given or by default, is one of these.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface HasEffect {

  /**
   * Conditions of which one has to hold.
   *
   * @return none, if there is nothing to hold
   */
  String[] with() default {};

  /**
   * Conditions of which none may hold.
   *
   * @return none, if there is nothing that may not
   */
  String[] without() default {};

  /**
   * Facts of which none may be true, which are known only when files have been read.
   *
   * @return none, if there is nothing that may not
   */
  Fact[] unless() default {};

  /**
   * The only other options that have an effect beside this one.
   *
   * @return their names; none, if that is no matter of this option
   */
  String[] leaves() default {};

  /**
   * Why the option has no effect otherwise.
   *
   * @return what follows a comma in the sentence, may be empty
   */
  String because() default "";

  /**
   * What decides whether the option has an effect, where that depends on more than the command line
   * says, and refuses it by a sentence of its own.
   *
   * @return the class; void where there is no such
   */
  Class<?> decidedBy() default void.class;

  /** What files say of whether an option has an effect. */
  enum Fact {
    /** The model is a diffusers pipeline. */
    PIPELINE("a pipeline's folder, whose files say it"),
    /** The model is a folder, of a pipeline or of a network alone. */
    FOLDER("a model's folder, which has only one set of weights"),
    /** The model is a checkpoint of lucidrains' trainer. */
    CHECKPOINT("a checkpoint's file, which says it");

    private final String description;

    Fact(String description) {
      this.description = description;
    }

    String description() {
      return description;
    }
  }
}

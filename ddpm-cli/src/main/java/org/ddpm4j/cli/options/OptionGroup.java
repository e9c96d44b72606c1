package org.ddpm4j.cli.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Under which title the full help shows options: those of a class, or one of them. */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.FIELD})
public @interface OptionGroup {

  /**
   * What they are about.
   *
   * @return a few words, without a colon
   */
  String value();
}

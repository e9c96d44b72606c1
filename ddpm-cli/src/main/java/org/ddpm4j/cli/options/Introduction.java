package org.ddpm4j.cli.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What the help says of a command to those who do not know it yet. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Introduction {

  /**
   * A use of the command.
   *
   * @return a line that begins with the program's name
   */
  String example();

  /**
   * The options that matter first. {@code --help} shows these and says how to see the others.
   *
   * @return their names in order; none, to show all options
   */
  String[] first() default {};
}

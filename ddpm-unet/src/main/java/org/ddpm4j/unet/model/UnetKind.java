package org.ddpm4j.unet.model;

import java.util.Collections;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ddpm4j.io.Text;

/**
 * A kind of network that a config.json can name. Kinds of your own are found by the JDK's {@link
 * ServiceLoader}: name the implementing class, which has a public constructor without arguments, in
 * {@code META-INF/services/org.ddpm4j.unet.model.UnetKind}.
 */
public interface UnetKind {

  /**
   * The name of the kind.
   *
   * @return the value of {@code _model} in config.json
   */
  String model();

  /**
   * The class of its configurations: a record, whose components become the other fields, in snake
   * case, unless Jackson's annotations say otherwise.
   *
   * @return the class
   */
  Class<? extends UnetConfig> type();

  /**
   * All kinds but {@link Unet2D}, which diffusers' {@code _class_name} names.
   *
   * @return their classes by their names
   * @throws IllegalStateException if two have one name
   */
  static SortedMap<String, Class<? extends UnetConfig>> all() {
    SortedMap<String, Class<? extends UnetConfig>> kinds =
        new TreeMap<>(
            Map.of(
                "annotated", AnnotatedUnet.class,
                "lucidrains", LucidrainsUnet.class,
                "minimal", MinimalUnet.class,
                "tutorial", TutorialUnet.class));
    for (UnetKind kind : ServiceLoader.load(UnetKind.class, UnetKind.class.getClassLoader())) {
      Class<? extends UnetConfig> other = kinds.putIfAbsent(kind.model(), kind.type());
      if (other != null && other != kind.type()) {
        throw new IllegalStateException(
            Text.format(
                "The kind \"%s\" of networks is %s and %s; give one of them another name.",
                kind.model(), other.getName(), kind.type().getName()));
      }
    }
    return Collections.unmodifiableSortedMap(kinds);
  }
}

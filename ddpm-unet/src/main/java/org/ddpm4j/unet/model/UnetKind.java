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
 * {@code META-INF/services/org.ddpm4j.unet.model.UnetKind}, of a JAR or folder that the class
 * loader of this library sees, or the context class loader of the thread that reads or writes a
 * network.
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
    ClassLoader own = UnetKind.class.getClassLoader();
    addThoseOf(own, kinds);
    ClassLoader application = Thread.currentThread().getContextClassLoader();
    if (application != own && sees(application)) {
      addThoseOf(application, kinds);
    }
    return Collections.unmodifiableSortedMap(kinds);
  }

  /** Whether this interface is that of a class loader, which may have a copy of its own. */
  private static boolean sees(ClassLoader loader) {
    try {
      return loader != null && loader.loadClass(UnetKind.class.getName()) == UnetKind.class;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static void addThoseOf(
      ClassLoader loader, Map<String, Class<? extends UnetConfig>> kinds) {
    for (UnetKind kind : ServiceLoader.load(UnetKind.class, loader)) {
      Class<? extends UnetConfig> other = kinds.putIfAbsent(kind.model(), kind.type());
      if (other != null && other != kind.type()) {
        throw new IllegalStateException(
            Text.format(
                "The kind \"%s\" of networks is %s and %s; give one of them another name.",
                kind.model(), other.getName(), kind.type().getName()));
      }
    }
  }
}

package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Objects by their keys, made when they are first needed, of which those stay that were used last.
 * Any number of threads may use one; none is closed while somebody does.
 */
final class RecentlyUsed<K, V> {

  private final int most;
  private final Consumer<V> closer;

  /** In the order of their use. */
  private final Map<K, Entry<V>> entries = new LinkedHashMap<>(16, 0.75f, true);

  private static final class Entry<V> {

    private V value;
    private int users;

    /** Others may use what there is for other keys meanwhile. */
    synchronized V value(Supplier<V> maker) {
      if (value == null) {
        value = maker.get();
      }
      return value;
    }
  }

  /**
   * Nothing yet.
   *
   * @param most that stay, at least 1; while more are in use, there are more
   * @param closer gives back what one holds
   */
  RecentlyUsed(int most, Consumer<V> closer) {
    this.most = most;
    this.closer = closer;
  }

  /** Works with the object of a key. */
  <T> T use(K key, Supplier<V> maker, Function<V, T> work) {
    Entry<V> entry = begin(key);
    try {
      return work.apply(entry.value(maker));
    } finally {
      end(entry);
    }
  }

  /** The object of a key, which stays until all are closed. */
  V keep(K key, Supplier<V> maker) {
    return begin(key).value(maker);
  }

  private synchronized Entry<V> begin(K key) {
    Entry<V> entry = entries.computeIfAbsent(key, unused -> new Entry<>());
    entry.users++;
    return entry;
  }

  private void end(Entry<V> entry) {
    List<V> old = new ArrayList<>();
    synchronized (this) {
      entry.users--;
      Iterator<Entry<V>> eldestFirst = entries.values().iterator();
      while (entries.size() > most && eldestFirst.hasNext()) {
        Entry<V> eldest = eldestFirst.next();
        if (eldest.users == 0) {
          eldestFirst.remove();
          if (eldest.value != null) {
            old.add(eldest.value);
          }
        }
      }
    }
    old.forEach(closer);
  }

  /** Closes all; nobody may use one. */
  synchronized void close() {
    for (Entry<V> entry : entries.values()) {
      if (entry.value != null) {
        closer.accept(entry.value);
      }
    }
    entries.clear();
  }
}

package org.ddpm4j.studio.drawing;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.ddpm4j.diffusion.model.DiffusionModel;

/**
 * Trained models, read when they are first asked for and kept while they are used. A few that
 * nobody uses stay in memory; a run that has a newer checkpoint is read anew.
 */
public final class ModelShelf implements AutoCloseable {

  /** Models that stay in memory although nobody uses them. */
  private static final int KEPT = 3;

  private final Map<ModelSource, Shelved> loaded = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  /** An empty shelf. */
  public ModelShelf() {}

  private static final class Shelved {
    final String version;
    int leases;
    boolean retired;

    /** Null when it has been closed: who keeps an ended lease, a job say, keeps no weights. */
    private volatile DiffusionModel model;

    Shelved(DiffusionModel model, String version) {
      this.model = model;
      this.version = version;
    }

    void close() {
      DiffusionModel closing = model;
      if (closing != null) {
        closing.close();
        model = null;
      }
    }
  }

  /** The use of a model, which stays open as long as this does. */
  public final class Lease implements AutoCloseable {

    private final Shelved shelved;
    private boolean ended;

    private Lease(Shelved shelved) {
      this.shelved = shelved;
    }

    /**
     * The model.
     *
     * @return open until this lease is closed
     * @throws IllegalStateException if this lease is closed, and the model with it
     */
    public DiffusionModel model() {
      DiffusionModel model = shelved.model;
      if (model == null) {
        throw new IllegalStateException("The model was given back; lease it anew.");
      }
      return model;
    }

    boolean isOfSameModel(Lease other) {
      return shelved == other.shelved;
    }

    /** Another lease of the same model; this one may have been closed just before. */
    Lease again() {
      return lend(shelved);
    }

    /** Gives the model back; a second time does nothing. */
    @Override
    public void close() {
      synchronized (ModelShelf.this) {
        if (ended) {
          return;
        }
        ended = true;
        shelved.leases--;
        if (shelved.retired) {
          closeIfUnused(shelved);
        }
        closeUnused();
      }
    }
  }

  /**
   * Lends a model, and reads it if it is not there. Others that ask meanwhile wait.
   *
   * @param source where it comes from
   * @return to be closed after use
   * @throws IOException if its files are missing or damaged
   * @throws IllegalStateException if the shelf is closed
   */
  public synchronized Lease lease(ModelSource source) throws IOException {
    requireOpen();
    String version = source.version();
    Shelved shelved = loaded.get(source);
    if (shelved == null || !Objects.equals(shelved.version, version)) {
      Shelved fresh = new Shelved(source.load(), version);
      if (shelved != null) {
        shelved.retired = true;
        closeIfUnused(shelved);
      }
      loaded.put(source, fresh);
      shelved = fresh;
    }
    Lease lease = lend(shelved);
    closeUnused();
    return lease;
  }

  private synchronized Lease lend(Shelved shelved) {
    if (shelved.leases == 0 && (shelved.retired || closed)) {
      // Its model may be closed. Whoever asked has ended, too.
      throw new CancellationException("The model was given back.");
    }
    shelved.leases++;
    return new Lease(shelved);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The shelf of models is closed.");
    }
  }

  /** The least recently used first. */
  private void closeUnused() {
    var models = loaded.entrySet().iterator();
    while (models.hasNext() && (closed || loaded.size() > KEPT)) {
      Shelved next = models.next().getValue();
      if (next.leases == 0) {
        models.remove();
        next.retired = true;
        next.close();
      }
    }
  }

  private static void closeIfUnused(Shelved shelved) {
    if (shelved.leases == 0) {
      shelved.close();
    }
  }

  /** Closes what nobody uses now, and the rest when it is given back. */
  @Override
  public synchronized void close() {
    closed = true;
    closeUnused();
  }
}

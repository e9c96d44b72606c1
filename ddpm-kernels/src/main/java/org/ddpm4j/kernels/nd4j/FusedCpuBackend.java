package org.ddpm4j.kernels.nd4j;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.nd4j.common.io.AbstractResource;
import org.nd4j.common.io.Resource;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4jBackend;

/**
 * ND4J's CPU backend with an executioner that knows fused operations. ND4J finds it as a service
 * and prefers it to its own CPU backend, but not to a GPU.
 *
 * <p>Without ND4J's CPU backend on the class path it is unavailable; it does not depend on it.
 */
public final class FusedCpuBackend extends Nd4jBackend {

  private static final String CPU_BACKEND = "org.nd4j.linalg.cpu.nativecpu.CpuBackend";

  private final Nd4jBackend cpu = cpuBackend();

  /** For the service loader. */
  public FusedCpuBackend() {}

  private static Nd4jBackend cpuBackend() {
    try {
      return (Nd4jBackend) Class.forName(CPU_BACKEND).getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      return null;
    }
  }

  @Override
  public boolean isAvailable() {
    return cpu != null && cpu.isAvailable();
  }

  @Override
  public boolean canRun() {
    return cpu.canRun();
  }

  @Override
  public boolean allowsOrder() {
    return cpu.allowsOrder();
  }

  @Override
  public int getPriority() {
    return cpu == null ? BACKEND_PRIORITY_CPU : cpu.getPriority() + 1;
  }

  @Override
  public Resource getConfigurationResource() {
    try (InputStream stock = cpu.getConfigurationResource().getInputStream()) {
      String properties = new String(stock.readAllBytes(), StandardCharsets.ISO_8859_1);
      String ours = properties + "\nopexec=" + FusedOpExecutioner.class.getName() + "\n";
      return new Properties(ours.getBytes(StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A configuration in memory. */
  private static final class Properties extends AbstractResource {

    private final byte[] content;

    Properties(byte[] content) {
      this.content = content;
    }

    @Override
    public String getDescription() {
      return "ND4J's CPU configuration with the executioner of fused operations";
    }

    @Override
    public InputStream getInputStream() {
      return new ByteArrayInputStream(content);
    }
  }

  @Override
  public Class<?> getNDArrayClass() {
    return cpu.getNDArrayClass();
  }

  @Override
  public Environment getEnvironment() {
    return cpu.getEnvironment();
  }

  @Override
  public String buildInfo() {
    return cpu.buildInfo();
  }

  @Override
  public void logBackendInit() {
    cpu.logBackendInit();
  }
}

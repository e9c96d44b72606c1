package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.kernels.plan.DeviceRates;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The rates of an emulated card whose clock always says the same. */
class CudaRatesTest {

  private static final int ROWS = 64;
  private static final long BYTES = 1 << 16;
  private static final double MILLISECONDS = 2;

  /** Runs of what one measurement takes. */
  private static final int RUNS = 4;

  @BeforeEach
  void needsAnEmulation() {
    assumeTrue(EmulatedDriver.obstacle() == null, EmulatedDriver.obstacle());
  }

  /** Has memory for so many bytes at once. */
  private static CudaDriver clocked(EmulatedDriver driver, long memory) {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("milliseconds")) {
                ((Runnable) arguments[0]).run();
                return MILLISECONDS;
              }
              if (method.getName().equals("allocate") && (long) arguments[0] > memory) {
                throw new DeviceMemoryException("No memory.");
              }
              try {
                return method.invoke(driver, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void countWhatWasDoneInTheTime(Precision precision) {
    try (EmulatedDriver driver = new EmulatedDriver()) {
      DeviceRates rates =
          new CudaRates(clocked(driver, Long.MAX_VALUE), ROWS, BYTES).measure(precision);
      double flops = 2 * Math.pow(ROWS, 3);
      assertThat(rates.matmulGigaflops()).isCloseTo(flops * RUNS / 2e-3 / 1e9, within(1e-9));
      assertThat(rates.copyGigabytes()).isCloseTo(2.0 * BYTES * RUNS / 2e-3 / 1e9, within(1e-9));
      assertThat(rates.matmulBy()).contains("ddpm4j");
      assertThat(driver.launches()).isGreaterThan(RUNS);
      assertThat(driver.allocations()).isZero();
    }
  }

  /** The product's memory is there, the copy's is not. */
  @Test
  void leaveNoMemoryBehindWhereItRunsOut() {
    try (EmulatedDriver driver = new EmulatedDriver()) {
      CudaRates rates = new CudaRates(clocked(driver, 2 * BYTES - 1), 8, BYTES);
      assertThatThrownBy(() -> rates.measure(Precision.FLOAT32))
          .isInstanceOf(DeviceMemoryException.class);
      assertThat(driver.launches()).isPositive();
      assertThat(driver.allocations()).isZero();
    }
  }
}

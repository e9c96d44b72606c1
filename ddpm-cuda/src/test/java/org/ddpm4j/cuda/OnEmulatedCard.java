package org.ddpm4j.cuda;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;

/** A test that has an emulated card and arrays on it. */
abstract class OnEmulatedCard {

  final Random random;
  EmulatedDriver driver;
  EmulatedTensors tensors;

  OnEmulatedCard(int seed) {
    random = new Random(seed);
  }

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(EmulatedDriver.obstacle() == null, EmulatedDriver.obstacle());
    driver = new EmulatedDriver();
    tensors = new EmulatedTensors(driver, random);
  }

  @AfterEach
  void close() {
    if (driver != null) {
      driver.close();
    }
  }
}

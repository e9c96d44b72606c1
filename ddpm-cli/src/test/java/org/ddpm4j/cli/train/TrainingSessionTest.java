package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class TrainingSessionTest {

  @Test
  void whyAStepCouldNotBeSavedIsSaidInWordsOfTheUser() {
    assertThat(
            TrainingSession.words(
                new OutOfMemoryError(
                    "Cannot allocate new LongPointer(1): totalBytes = 189M, physicalBytes = 551M")))
        .isEqualTo("there is no memory left for it");
    assertThat(TrainingSession.words(new IOException("The disk is full.")))
        .isEqualTo("The disk is full.");
  }
}

package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class FolderTrainingTest {

  @Test
  void whyAStepCouldNotBeSavedIsSaidInWordsOfTheUser() {
    assertThat(
            FolderTraining.words(
                new OutOfMemoryError(
                    "Cannot allocate new LongPointer(1): totalBytes = 189M, physicalBytes = 551M")))
        .isEqualTo("there is no memory left for it");
    assertThat(FolderTraining.words(new IOException("The disk is full.")))
        .isEqualTo("The disk is full.");
  }
}

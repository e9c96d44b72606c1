package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;

class PixelStoreTest {

  @Test
  void imagesLieInSeveralArrays() {
    PixelStore store = new PixelStore(2, 3, 7);
    byte[] pixels = new byte[14];
    for (int i = 0; i < 14; i++) {
      pixels[i] = (byte) i;
    }
    for (int image = 6; image >= 0; image--) {
      store.put(image, pixels, 2 * image);
    }
    for (int image = 0; image < 7; image++) {
      assertThat(store.chunk(image)[store.offset(image) + 1]).isEqualTo((byte) (2 * image + 1));
    }
    assertThat(store.chunk(0)).isSameAs(store.chunk(2)).isNotSameAs(store.chunk(3)).hasSize(6);
    assertThat(store.chunk(6)).hasSize(2);
  }

  @Test
  void moreThanTheHeapIsRefused() {
    ImageShape shape = new ImageShape(3, 64, 64);
    assertThatNoException().isThrownBy(() -> PixelStore.requireMemory(shape, 1000, "a test"));
    assertThatIOException()
        .isThrownBy(() -> PixelStore.requireMemory(shape, Integer.MAX_VALUE, "a test"))
        .withMessageStartingWith("a test: 2,147,483,647 images of 64x64x3 need 25,165,823 MB");
  }
}

package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ddpm4j.kernels.plan.Kernel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The emulation, and what all kernels share, by kernels whose results are known. */
class EmulatedDriverTest {

  private static final String FILE = "emulation.cu";

  private final Random random = new Random(5);
  private EmulatedDriver driver;
  private CudaFunction one;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(EmulatedDriver.obstacle() == null, EmulatedDriver.obstacle());
    driver = new EmulatedDriver();
    one = function("beyond_global_memory");
  }

  @AfterEach
  void close() {
    if (driver != null) {
      driver.close();
    }
  }

  private void launch(String element, String kernel, Launch launch, Object... arguments) {
    driver.launch(
        driver.function(FILE, kernel, List.of("ELEMENT_" + element)),
        launch,
        new CudaArguments(arguments));
    driver.synchronize();
  }

  private void launch(String kernel, Launch launch, Object... arguments) {
    launch("FLOAT", kernel, launch, arguments);
  }

  private float[] random(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  private long upload(float... values) {
    ByteBuffer bytes = buffer(4 * values.length);
    bytes.asFloatBuffer().put(values);
    long address = driver.allocate(bytes.remaining());
    driver.upload(bytes, address);
    return address;
  }

  /** The nearest, ties to even, in arithmetic of integers. */
  private static short bfloat16(float x) {
    int bits = Float.floatToRawIntBits(x);
    int below = bits >>> 16;
    int rest = bits & 0xFFFF;
    boolean up = rest > 0x8000 || rest == 0x8000 && below % 2 == 1;
    return (short) (up ? below + 1 : below);
  }

  private static float rounded(float x) {
    return Float.intBitsToFloat(bfloat16(x) << 16);
  }

  private long uploadRounded(float... values) {
    ByteBuffer bytes = buffer(2 * values.length);
    for (float value : values) {
      bytes.putShort(bfloat16(value));
    }
    long address = driver.allocate(2L * values.length);
    driver.upload(bytes.flip(), address);
    return address;
  }

  private float[] download(long address, int length) {
    ByteBuffer bytes = buffer(4 * length);
    driver.download(address, bytes);
    float[] values = new float[length];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 64, 96, 128, 1024})
  void blocksReduce(int threads) {
    float[] x = random(1000);
    double sum = 0;
    float largest = Float.NEGATIVE_INFINITY;
    for (float value : x) {
      sum += value;
      largest = Math.max(largest, value);
    }
    long out = driver.allocate(4 * 5 * 3);
    launch("reductions", Launch.of(3, threads), upload(x), out, x.length);
    float[] results = download(out, 5 * 3);
    for (int block = 0; block < 3; block++) {
      assertThat(results[5 * block]).isCloseTo((float) sum, within(1e-4f));
      assertThat(results[5 * block + 1]).isEqualTo(largest);
      assertThat(results[5 * block + 2]).isCloseTo((float) sum, within(1e-4f));
      assertThat(results[5 * block + 3]).isCloseTo(largest, within(1e-5f));
      assertThat(results[5 * block + 4]).isEqualTo(threads * (threads - 1) / 2f);
    }
  }

  @Test
  void matrixUnitsMultiplyBfloat16() {
    float[] a = random(16 * 16);
    float[] b = random(16 * 8);
    float[] transposed = new float[8 * 16];
    for (int i = 0; i < b.length; i++) {
      transposed[i % 8 * 16 + i / 8] = b[i];
    }
    long d = driver.allocate(4 * 2 * 16 * 8);
    launch(
        "product_bf16",
        Launch.of(1, 32),
        uploadRounded(a),
        uploadRounded(b),
        uploadRounded(transposed),
        d);
    float[] results = download(d, 2 * 16 * 8);
    for (int row = 0; row < 16; row++) {
      for (int column = 0; column < 8; column++) {
        double sum = 1;
        for (int k = 0; k < 16; k++) {
          sum += (double) rounded(a[row * 16 + k]) * rounded(b[k * 8 + column]);
        }
        assertThat((double) results[row * 8 + column]).isCloseTo(sum, within(4e-6));
        assertThat((double) results[128 + row * 8 + column]).isCloseTo(sum, within(4e-6));
      }
    }
  }

  /** Factors keep 10 bits behind the leading one. */
  @Test
  void matrixUnitsMultiplyTfloat32() {
    float[] a = random(16 * 8);
    float[] b = random(8 * 8);
    long d = driver.allocate(4 * 16 * 8);
    launch("product_tf32", Launch.of(1, 32), upload(a), upload(b), d);
    float[] results = download(d, 16 * 8);
    double worst = 0;
    for (int row = 0; row < 16; row++) {
      for (int column = 0; column < 8; column++) {
        double sum = 0;
        double bound = 0;
        for (int k = 0; k < 8; k++) {
          double product = (double) a[row * 8 + k] * b[k * 8 + column];
          sum += product;
          bound += Math.abs(product) * 0x1.01p-10;
        }
        double error = Math.abs(results[row * 8 + column] - sum);
        assertThat(error).isLessThanOrEqualTo(bound);
        worst = Math.max(worst, error);
      }
    }
    assertThat(worst).as("rounded at all").isGreaterThan(1e-5);
  }

  @Test
  void lanesShuffleAndVote() {
    int threads = 96;
    int all = 2 * threads;
    long out = driver.allocate(4 * 12 * all);
    launch("shuffles", Launch.of(2, threads), out);
    ByteBuffer bytes = buffer(4 * 12 * all);
    driver.download(out, bytes);
    for (int thread = 0; thread < all; thread++) {
      int[] found = new int[12];
      bytes.asIntBuffer().get(12 * thread, found);
      int lane = thread % 32;
      int eighth = lane % 8;
      int thirds = 0;
      for (int i = 0; i < 32; i += 3) {
        thirds |= 1 << i;
      }
      assertThat(found)
          .as("thread %d", thread)
          .containsExactly(
              5,
              lane < 3 ? lane : lane - 3,
              lane > 28 ? lane : lane + 3,
              lane ^ 7,
              lane - eighth + 3,
              eighth < 3 ? lane : lane - 3,
              eighth > 4 ? lane : lane + 3,
              lane ^ 1,
              thirds,
              1,
              (threads + 4) / 5,
              lane < 16 ? lane ^ 1 : lane ^ 2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT", "BFLOAT16"})
  void activationsAndTheirSlopes(String element) {
    int n = 3000;
    float[] x = random(n);
    for (int i = 0; i < n; i++) {
      x[i] *= i % 3 == 0 ? 100 : 6;
    }
    long y = driver.allocate(4L * 10 * n);
    launch(element, "activations", Launch.forElements(n, 128), upload(x), y, n);
    float[] results = download(y, 10 * n);
    for (int i = 0; i < n; i++) {
      double[] expected = activations(x[i]);
      for (int f = 0; f < 10; f++) {
        assertThat((double) results[f * n + i])
            .as("function %d at %s", f, x[i])
            .isCloseTo(expected[f], within(1e-6 * Math.max(1, Math.abs(expected[f]))));
      }
    }
  }

  private static double[] activations(double x) {
    double s = 1 / (1 + Math.exp(-x));
    double normal = normalDistribution(x);
    double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    double t = Math.tanh(x > 30 ? x : Math.log1p(Math.exp(x)));
    return new double[] {
      x,
      1,
      x * s,
      s + x * s * (1 - s),
      x * normal,
      normal + x * density,
      Math.max(x, 0),
      x > 0 ? 1 : 0,
      x * t,
      t + x * s * (1 - t * t)
    };
  }

  /** By Simpson's rule from 0. */
  private static double normalDistribution(double x) {
    double end = Math.min(Math.abs(x), 9);
    int intervals = 400;
    double step = end / intervals;
    double sum = 0;
    for (int i = 0; i <= intervals; i++) {
      double weight = i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.exp(-i * step * i * step / 2);
    }
    double half = sum * step / 3 / Math.sqrt(2 * Math.PI);
    return x > 0 ? 0.5 + half : 0.5 - half;
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT", "BFLOAT16"})
  void packsRoundToTheNearest(String element) {
    int pack = element.equals("FLOAT") ? 4 : 8;
    int threads = 64;
    int n = 3 * threads * pack;
    float[] x = random(n);
    // A tie, which goes to the even neighbour, and what is not a number or not finite.
    x[0] = Float.intBitsToFloat(0x3F808000);
    x[1] = Float.intBitsToFloat(0x3F818000);
    x[2] = Float.NEGATIVE_INFINITY;
    x[3] = Float.NaN;
    long rounded = driver.allocate(4L * n);
    long y = driver.allocate(4L * n);
    launch(
        element,
        "turned_packs",
        Launch.of(3, threads).withShared(4 * threads * pack),
        upload(x),
        rounded,
        y,
        n);
    float[] results = download(y, n);
    for (int i = 0; i < n; i++) {
      int block = i / (threads * pack);
      int thread = threads - 1 - i / pack % threads;
      float from = x[(block * threads + thread) * pack + i % pack];
      boolean same = element.equals("FLOAT") || Float.isNaN(from);
      // Boxed, for what is not a number equals itself then.
      assertThat(results[i]).isEqualTo(Float.valueOf(same ? from : rounded(from)));
    }
  }

  @Test
  void divergentBarriersAreErrors() {
    long x = driver.allocate(4096);
    assertThatThrownBy(() -> launch("half_at_the_barrier", Launch.of(1, 64), x))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("half_at_the_barrier: block (0,0,0)")
        .hasMessageContaining("32 of 64 that still run are at __syncthreads");
    assertThatThrownBy(() -> launch("half_of_a_warp", Launch.of(1, 32), x))
        .hasMessageContaining("of warp 0 lanes 0000ffff are at an operation of lanes ffffffff");
    launch("reductions", Launch.of(1, 32), x, driver.allocate(20), 8);
  }

  @Test
  void missingBarriersGiveNans() {
    long x = driver.allocate(4 * 128);
    launch("no_barrier", Launch.of(2, 64), x);
    float[] results = download(x, 128);
    // The last threads of a block come last in even blocks, and first in odd ones.
    assertThat(Arrays.copyOfRange(results, 0, 32)).containsOnly(Float.NaN);
    assertThat(Arrays.copyOfRange(results, 96, 128)).containsOnly(Float.NaN);
    long y = upload(new float[32]);
    launch("no_wait", Launch.of(1, 32), y);
    assertThat(download(y, 32)).containsOnly(Float.NaN);
  }

  @Test
  void badAddressesAreErrors() {
    long x = driver.allocate(256);
    assertThatThrownBy(() -> launch("misaligned", Launch.of(1, 1), x))
        .hasMessageContaining("store_pack at an address that is no multiple of 16");
    assertThatThrownBy(() -> launch("beyond_shared_memory", Launch.of(1, 64).withShared(256), x))
        .hasMessageContaining("wrote beyond its 256 bytes of dynamic shared memory");
    assertThatThrownBy(() -> launch("beyond_global_memory", Launch.of(1, 1), x, 64))
        .hasMessageContaining("beyond_global_memory: read or wrote at 0x%x".formatted(x + 256));
    long y = driver.allocate(250);
    assertThatThrownBy(() -> launch("beyond_global_memory", Launch.of(1, 1), y, 63))
        .hasMessageContaining("beyond_global_memory wrote beside the 250 bytes");
  }

  private CudaFunction function(String kernel) {
    return driver.function(FILE, kernel, List.of("ELEMENT_FLOAT"));
  }

  /** {@code x[n] = 1}, enqueued. */
  private void enqueueOne(CudaDriver to, long x, int n) {
    CudaFunction one = to.function(FILE, "beyond_global_memory", List.of("ELEMENT_FLOAT"));
    to.launch(one, Launch.of(1, 1), new CudaArguments(x, n));
  }

  /** As on a card, where a copy reads the host's memory some time later. */
  @Test
  void runsWhenSomebodyWaits() {
    long x = driver.allocate(16);
    ByteBuffer pinned = driver.allocateHost(16).order(ByteOrder.nativeOrder());
    pinned.putFloat(0, 5);
    driver.uploadLater(pinned.duplicate().limit(4), x);
    enqueueOne(driver, x, 3);
    pinned.putFloat(0, 6);
    assertThat(download(x, 4)).containsExactly(6, 0, 0, 1);
    driver.downloadLater(x, pinned.duplicate().clear());
    assertThat(pinned.getFloat(12)).isZero();
    driver.mark().await();
    assertThat(pinned.getFloat(12)).isEqualTo(1);
    driver.uploadLater(pinned.duplicate().clear(), x);
    driver.freeHost(pinned);
    ByteBuffer other = buffer(16);
    assertThatThrownBy(() -> driver.uploadLater(other, x)).hasMessageContaining("pinned memory");
  }

  @Test
  void cardsWaitForEachOtherByMarksAlone() {
    try (EmulatedDriver second = new EmulatedDriver()) {
      long from = driver.allocate(8);
      long to = second.allocate(8);
      enqueueOne(driver, from, 0);
      second.copyFrom(driver, from, to, 8);
      ByteBuffer found = buffer(8);
      second.download(to, found);
      assertThat(found.getFloat(0)).as("without a mark").isZero();
      driver.mark().before(second);
      enqueueOne(driver, from, 1);
      second.copyFrom(driver, from, to, 8);
      second.download(to, found);
      assertThat(found.getFloat(0)).isEqualTo(1);
      assertThat(found.getFloat(4)).as("behind the mark").isZero();
    }
  }

  @Test
  void graphsAreWhatWasRecorded() {
    long x = driver.allocate(16);
    int[] place = {0};
    CudaDriver.CudaGraph graph = driver.graph(List.of(() -> enqueueAt(x, place[0])));
    place[0] = 1;
    assertThat(download(x, 4)).as("recorded only").containsOnly(0);
    graph.run();
    assertThat(download(x, 4)).containsExactly(1, 0, 0, 0);
    graph.close();
    assertThatThrownBy(graph::run).hasMessageContaining("forgotten");
    List<Kernel> refused =
        List.of(
            () -> driver.allocate(16),
            () -> driver.free(x),
            () -> driver.upload(buffer(16), x),
            () -> driver.download(x, buffer(16)),
            () -> driver.allocateHost(16),
            driver::synchronize,
            driver::mark,
            () -> driver.graph(List.of()),
            () -> function("no_wait"));
    for (Kernel kernel : refused) {
      assertThatThrownBy(() -> driver.graph(List.of(kernel)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("while a graph is recorded");
    }
    assertThat(download(x, 4)).containsExactly(1, 0, 0, 0);
  }

  private void enqueueAt(long x, int n) {
    driver.launch(one, Launch.of(1, 1), new CudaArguments(x, n));
  }

  @Test
  void argumentsMustFitTheKernel() {
    long x = driver.allocate(256);
    assertThatThrownBy(() -> launch("beyond_global_memory", Launch.of(1, 1), x))
        .hasMessage("beyond_global_memory takes 2 arguments (pi) and is given 1.");
    assertThatThrownBy(() -> launch("beyond_global_memory", Launch.of(1, 1), x, x))
        .hasMessageContaining("Argument 1 of beyond_global_memory (pi) is an address");
    assertThatThrownBy(() -> launch("beyond_global_memory", Launch.of(1, 1), 12345L, 1))
        .hasMessageContaining("Argument 0 of beyond_global_memory")
        .hasMessageContaining("0x3039 is not within allocated memory");
    assertThatThrownBy(() -> launch("no_such_kernel", Launch.of(1, 1), x))
        .hasMessageContaining("emulation.cu has no kernel no_such_kernel");
  }
}

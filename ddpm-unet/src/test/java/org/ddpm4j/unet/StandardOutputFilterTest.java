package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks are built without the lines that SameDiff prints meanwhile. */
class StandardOutputFilterTest {

  private final PrintStream before = System.out;
  private final ByteArrayOutputStream captured = new ByteArrayOutputStream();

  /** In a charset that is nobody's default. */
  private final PrintStream console = new PrintStream(captured, true, StandardCharsets.UTF_16BE);

  @BeforeEach
  void capture() {
    System.setOut(console);
  }

  @AfterEach
  void restore() {
    System.setOut(before);
  }

  private List<String> lines() {
    return captured.toString(StandardCharsets.UTF_16BE).lines().toList();
  }

  @Test
  void dropsOnlyLinesWithThePrefix() {
    StandardOutputFilter.dropLines(
        "noise ",
        () -> {
          System.out.println("noise 1");
          System.out.println("an ε of noise ");
          System.out.print("noise ");
          System.out.println(2);
          System.out.printf("%s %d%n", "noise", 3);
          System.out.println((String) null);
          System.out.println();
          System.out.println(new char[] {'b', 'α'});
          System.out.println(1.5);
          System.out.append('x').append("yz").println(true);
          System.out.write('\0');
          System.out.write('w');
          System.out.println('c');
        });
    assertThat(lines())
        .containsExactly(
            "an ε of noise ", "noise 2", "noise 3", "null", "", "bα", "1.5", "xyztrue", "wc");
  }

  @Test
  void letsOtherThreadsPrint() {
    StandardOutputFilter.dropLines(
        "noise",
        () -> {
          Thread other = new Thread(() -> System.out.println("noise of another thread"));
          other.start();
          join(other);
        });
    assertThat(lines()).containsExactly("noise of another thread");
  }

  @Test
  void givesTheStandardOutputBack() {
    PrintStream[] kept = new PrintStream[1];
    StandardOutputFilter.dropLines("noise", () -> kept[0] = System.out);
    assertThat(System.out).isSameAs(console);

    kept[0].println("noise afterwards");
    assertThat(lines()).containsExactly("noise afterwards");
  }

  @Test
  void givesTheStandardOutputBackAfterAnException() {
    Runnable failing =
        () -> {
          throw new IllegalStateException("on purpose");
        };
    assertThatThrownBy(() -> StandardOutputFilter.dropLines("noise", failing))
        .hasMessage("on purpose");
    assertThat(System.out).isSameAs(console);
  }

  @Test
  void leavesAStandardOutputThatSomebodyElseHasSet() {
    PrintStream another = new PrintStream(new ByteArrayOutputStream(), true);
    StandardOutputFilter.dropLines("noise", () -> System.setOut(another));
    assertThat(System.out).isSameAs(another);
  }

  @Test
  void keepsTheStandardOutputCleanWhileANetworkIsBuiltAndUsed() {
    Unet unet =
        Unet.create(
            AnnotatedUnet.resnet(4, 1, List.of(1, 2), 1).withAttention(1, 4), DataType.FLOAT, 1);
    INDArray x = Nd4j.zeros(DataType.FLOAT, 1, 1, 2, 2);
    INDArray t = Nd4j.zeros(DataType.FLOAT, 1);
    unet.predict(x, t);
    unet.lossAndGradient(LossFunction.L2, x, t, x, unet.parameters().zerosLike());
    assertThat(captured.toString(StandardCharsets.UTF_16BE)).doesNotContain("differentiated");
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

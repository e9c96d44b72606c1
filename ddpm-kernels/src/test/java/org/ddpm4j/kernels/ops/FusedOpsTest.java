package org.ddpm4j.kernels.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.CustomOpDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/** What SameDiff needs of every operation. */
class FusedOpsTest {

  @Test
  void listsEveryOperationOfThePackage() throws Exception {
    Path folder = Path.of(FusedOps.class.getResource("FusedOps.class").toURI()).getParent();
    Set<String> found = new HashSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".class") && !name.equals("package-info.class")) {
          Class<?> type =
              Class.forName(
                  "org.ddpm4j.kernels.ops." + name.substring(0, name.length() - ".class".length()));
          if (FusedOp.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers())) {
            found.add(type.getName());
          }
        }
      }
    }
    assertThat(FusedOps.prototypes())
        .extracting(op -> op.getClass().getName())
        .containsExactlyInAnyOrderElementsOf(found);
  }

  @Test
  void namesAndHashesAreNobodyElses() {
    List<FusedOp> all = FusedOps.prototypes();
    assertThat(all).extracting(FusedOp::opName).doesNotHaveDuplicates();
    assertThat(all).extracting(FusedOp::opHash).doesNotHaveDuplicates();
    Set<Long> natives = new HashSet<>();
    for (CustomOpDescriptor descriptor : Nd4j.getExecutioner().getCustomOperations().values()) {
      natives.add(descriptor.getHash());
    }
    assertThat(natives).hasSizeGreaterThan(100);
    assertThat(all).extracting(FusedOp::opHash).doesNotContainAnyElementsOf(natives);
    assertThat(Nd4j.getExecutioner().getCustomOperations().keySet())
        .doesNotContainAnyElementsOf(all.stream().map(FusedOp::opName).toList());
  }

  /** SameDiff makes operations by their constructors without parameters. */
  @Test
  void haveAPublicConstructorWithoutParameters() throws Exception {
    for (FusedOp op : FusedOps.prototypes()) {
      FusedOp made = op.getClass().getConstructor().newInstance();
      assertThat(made.opName()).isEqualTo(op.opName());
      assertThat(made.getNumOutputs()).isEqualTo(op.getNumOutputs());
      assertThat(made.propertiesForFunction()).isEmpty();
    }
  }

  @Test
  void computeInFloatOnly() {
    assertThat(new Add().calculateOutputDataTypes(List.of(DataType.FLOAT, DataType.FLOAT)))
        .containsExactly(DataType.FLOAT);
    assertThatThrownBy(
            () -> new Add().calculateOutputDataTypes(List.of(DataType.FLOAT, DataType.DOUBLE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ddpm_add computes in FLOAT only; its inputs are [FLOAT, DOUBLE].");
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.doctree.ReturnTree;
import com.sun.source.doctree.ThrowsTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTreeScanner;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * Everything public has Javadoc with {@code @param}, {@code @return} and {@code @throws}: Javadoc's
 * own check, but for compact constructors, whose parameters the record describes.
 */
class DocumentedTest {

  private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of(".."))) {
      return files
          .filter(file -> file.toString().matches("\\.\\./ddpm-[a-z]+/src/main/java/.*\\.java"))
          .toList();
    }
  }

  @Test
  void everythingPublicIsDocumented() throws IOException {
    List<Path> sources = sources();
    assertThat(sources).hasSizeGreaterThan(500);
    try (StandardJavaFileManager files = COMPILER.getStandardFileManager(null, null, null)) {
      assertThat(missing(files.getJavaFileObjectsFromPaths(sources))).isEmpty();
    }
  }

  @Test
  void seesWhatIsMissing() throws IOException {
    String source =
        """
        public class A {
          public int field;
          int hidden;
          /** Comment. */
          public int method(int x) throws java.io.IOException { return 0; }
          @Override public String toString() { return ""; }
          /** Comment. @param a a */
          public record R(int a, int b) {
            /** Comment. */
            public R {}
          }
          static class Hidden { public void method() {} }
          /** Comment. */
          public interface I { void method(); }
        }
        """;
    JavaFileObject file =
        new SimpleJavaFileObject(Path.of("A.java").toUri(), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source.replace("Comment. @param", "Comment.\n   * @param");
          }
        };

    assertThat(missing(List.of(file)))
        .containsExactlyInAnyOrder(
            "A.java: A: comment",
            "A.java: A: constructor",
            "A.java: A.field: comment",
            "A.java: A.method: @param x",
            "A.java: A.method: @return",
            "A.java: A.method: @throws IOException",
            "A.java: A.R: @param b",
            "A.java: A.I.method: comment");
  }

  private static List<String> missing(Iterable<? extends JavaFileObject> sources)
      throws IOException {
    JavacTask task =
        (JavacTask) COMPILER.getTask(null, null, null, List.of("-proc:none"), null, sources);
    DocTrees trees = DocTrees.instance(task);
    List<String> missing = new ArrayList<>();
    for (CompilationUnitTree unit : task.parse()) {
      new Visitor(trees, missing, Path.of(unit.getSourceFile().getName()).getFileName() + ": ")
          .scan(unit, null);
    }
    return missing;
  }

  /** Sees public and protected elements of public types. */
  private static final class Visitor extends TreePathScanner<Void, Void> {

    private final DocTrees trees;
    private final List<String> missing;
    private final String name;

    Visitor(DocTrees trees, List<String> missing, String name) {
      this.trees = trees;
      this.missing = missing;
      this.name = name;
    }

    @Override
    public Void visitClass(ClassTree type, Void nothing) {
      if (!isVisible(type.getModifiers())) {
        return null;
      }
      String here = name + type.getSimpleName();
      Set<String> tags = new HashSet<>();
      type.getTypeParameters().forEach(parameter -> tags.add("@param " + parameter.getName()));
      boolean hasConstructor = type.getKind() != Tree.Kind.CLASS;
      for (Tree member : type.getMembers()) {
        if (member instanceof VariableTree field
            && type.getKind() == Tree.Kind.RECORD
            && !field.getModifiers().getFlags().contains(Modifier.STATIC)) {
          tags.add("@param " + field.getName());
        }
        hasConstructor |= member instanceof MethodTree method && method.getReturnType() == null;
      }
      check(here, tags);
      if (!hasConstructor) {
        missing.add(here + ": constructor");
      }
      Visitor inside = new Visitor(trees, missing, here + ".");
      type.getMembers()
          .forEach(member -> inside.scan(new TreePath(getCurrentPath(), member), null));
      return null;
    }

    @Override
    public Void visitMethod(MethodTree method, Void nothing) {
      boolean overrides =
          method.getModifiers().getAnnotations().stream()
              .anyMatch(annotation -> annotation.getAnnotationType().toString().equals("Override"));
      if (overrides || !isVisible(method.getModifiers())) {
        return null;
      }
      Set<String> tags = new HashSet<>();
      method.getTypeParameters().forEach(parameter -> tags.add("@param " + parameter.getName()));
      method.getParameters().stream()
          .filter(parameter -> start(parameter) > start(method))
          .forEach(parameter -> tags.add("@param " + parameter.getName()));
      method.getThrows().forEach(type -> tags.add("@throws " + simple(type.toString())));
      if (method.getReturnType() != null && !method.getReturnType().toString().equals("void")) {
        tags.add("@return");
      }
      check(name + method.getName(), tags);
      return null;
    }

    /** Of a compact constructor's parameters: where the record declares them, before it. */
    private long start(Tree tree) {
      return trees
          .getSourcePositions()
          .getStartPosition(getCurrentPath().getCompilationUnit(), tree);
    }

    @Override
    public Void visitVariable(VariableTree field, Void nothing) {
      if (isVisible(field.getModifiers())) {
        check(name + field.getName(), Set.of());
      }
      return null;
    }

    private boolean isVisible(ModifiersTree modifiers) {
      Set<Modifier> flags = modifiers.getFlags();
      boolean inInterface =
          getCurrentPath().getParentPath().getLeaf() instanceof ClassTree type
              && type.getKind() == Tree.Kind.INTERFACE;
      return flags.contains(Modifier.PUBLIC)
          || flags.contains(Modifier.PROTECTED)
          || (inInterface && !flags.contains(Modifier.PRIVATE));
    }

    private void check(String element, Set<String> expected) {
      DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
      if (comment == null) {
        missing.add(element + ": comment");
        return;
      }
      Set<String> absent = new HashSet<>(expected);
      new DocTreeScanner<Void, Void>() {
        @Override
        public Void visitParam(ParamTree tag, Void nothing) {
          absent.remove("@param " + tag.getName().getName());
          return null;
        }

        @Override
        public Void visitReturn(ReturnTree tag, Void nothing) {
          absent.remove("@return");
          return null;
        }

        @Override
        public Void visitThrows(ThrowsTree tag, Void nothing) {
          absent.remove("@throws " + simple(tag.getExceptionName().toString()));
          return null;
        }
      }.scan((DocTree) comment, null);
      absent.forEach(tag -> missing.add(element + ": " + tag));
    }

    private static String simple(String type) {
      return type.substring(type.lastIndexOf('.') + 1);
    }
  }
}

package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * The bill of materials has no parent, so that what imports it gets no version but those of our
 * modules, and says by itself what the parent of all others says.
 */
class BomTest {

  private static final Path PROJECT = Path.of("..");

  private static Element project(Path file) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(file.toFile())
        .getDocumentElement();
  }

  private static Element parent() throws Exception {
    return project(PROJECT.resolve("pom.xml"));
  }

  private static Element bom() throws Exception {
    return project(PROJECT.resolve("ddpm-bom/pom.xml"));
  }

  private static List<Element> children(Element element, String name) {
    List<Element> children = new ArrayList<>();
    for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element child && child.getTagName().equals(name)) {
        children.add(child);
      }
    }
    return children;
  }

  /** The elements at the end of a path of names. */
  private static List<Element> at(Element element, String path) {
    List<Element> found = List.of(element);
    for (String name : path.split("/")) {
      found = found.stream().flatMap(each -> children(each, name).stream()).toList();
    }
    return found;
  }

  private static String text(Element element, String path) {
    List<Element> found = at(element, path);
    assertThat(found).as(path).hasSize(1);
    return found.get(0).getTextContent().strip();
  }

  private static Map<String, String> pluginVersions(Element project) {
    Map<String, String> versions = new TreeMap<>();
    for (Element plugin : at(project, "build/pluginManagement/plugins/plugin")) {
      versions.put(text(plugin, "artifactId"), text(plugin, "version"));
    }
    return versions;
  }

  @Test
  void hasTheVersionAndTheLicenceOfTheParent() throws Exception {
    for (String what : List.of("groupId", "version", "licenses/license/name")) {
      assertThat(text(bom(), what)).as(what).isEqualTo(text(parent(), what));
    }
  }

  @Test
  void namesAllModulesWithItsOwnVersion() throws Exception {
    List<String> others =
        at(parent(), "modules/module").stream()
            .map(Node::getTextContent)
            .filter(module -> !module.equals("ddpm-bom"))
            .toList();
    List<Element> named = at(bom(), "dependencyManagement/dependencies/dependency");
    assertThat(named.stream().map(each -> text(each, "artifactId")))
        .containsExactlyInAnyOrderElementsOf(others);
    assertThat(named)
        .allSatisfy(
            each -> {
              assertThat(text(each, "groupId")).isEqualTo("org.ddpm4j");
              assertThat(text(each, "version")).isEqualTo("${project.version}");
            });
  }

  @Test
  void isBuiltByThePluginsOfTheOthers() throws Exception {
    assertThat(pluginVersions(bom())).isNotEmpty();
    assertThat(pluginVersions(parent())).containsAllEntriesOf(pluginVersions(bom()));
  }
}

package org.ddpm4j.site;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.CustomNode;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.Paragraph;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/**
 * A page of Markdown as GitHub reads it: with tables, and with anchors of headings.
 *
 * @param document its tree
 * @param title its first heading
 * @param anchors of its headings
 * @param sections what stands under each heading
 */
record Page(Node document, String title, Set<String> anchors, List<Section> sections) {

  /**
   * What a search looks at.
   *
   * @param heading its heading
   * @param text its words
   */
  record Section(String heading, String text) {}

  private static final List<TablesExtension> EXTENSIONS =
      List.of((TablesExtension) TablesExtension.create());

  static Page parse(String markdown) {
    Node document = Parser.builder().extensions(EXTENSIONS).build().parse(markdown);
    Set<String> anchors = new HashSet<>();
    StringBuilder title = new StringBuilder();
    document.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Heading heading) {
            String text = text(heading);
            if (title.isEmpty()) {
              title.append(text);
            }
            anchors.add(anchor(text));
          }
        });
    return new Page(document, title.toString(), anchors, sections(document));
  }

  private static List<Section> sections(Node document) {
    List<Section> sections = new ArrayList<>();
    String heading = "";
    StringBuilder words = new StringBuilder();
    for (Node node = document.getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading) {
        add(sections, heading, words);
        heading = text(node);
      } else {
        words.append(text(node)).append(' ');
      }
    }
    add(sections, heading, words);
    return List.copyOf(sections);
  }

  private static void add(List<Section> sections, String heading, StringBuilder words) {
    if (!heading.isEmpty()) {
      sections.add(new Section(heading, words.toString().replaceAll("\\s+", " ").strip()));
    }
    words.setLength(0);
  }

  /** The page's HTML, with links as the function says. */
  String toHtml(UnaryOperator<String> links) {
    document.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Link link) {
            link.setDestination(links.apply(link.getDestination()));
            visitChildren(link);
          }

          @Override
          public void visit(Image image) {
            image.setDestination(links.apply(image.getDestination()));
          }
        });
    return HtmlRenderer.builder()
        .extensions(EXTENSIONS)
        .attributeProviderFactory(
            context ->
                (node, tag, attributes) -> {
                  if (node instanceof Heading heading) {
                    attributes.put("id", anchor(text(heading)));
                  }
                })
        .build()
        .render(document);
  }

  /** Letters and digits in lower case, spaces as hyphens, and nothing else. */
  static String anchor(String heading) {
    StringBuilder anchor = new StringBuilder();
    heading
        .toLowerCase(Locale.ROOT)
        .codePoints()
        .forEach(
            c -> {
              if (Character.isLetterOrDigit(c) || c == '-' || c == '_') {
                anchor.appendCodePoint(c);
              } else if (c == ' ') {
                anchor.append('-');
              }
            });
    return anchor.toString();
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String text(Node node) {
    StringBuilder text = new StringBuilder();
    node.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Text part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(Code part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(SoftLineBreak part) {
            text.append(' ');
          }

          @Override
          public void visit(FencedCodeBlock part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(CustomNode part) {
            visitChildren(part);
            text.append(' ');
          }

          @Override
          public void visit(Paragraph part) {
            visitChildren(part);
            text.append(' ');
          }
        });
    return text.toString();
  }
}

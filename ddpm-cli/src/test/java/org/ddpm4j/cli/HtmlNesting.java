package org.ddpm4j.cli;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks that the elements of a page are nested and closed. */
final class HtmlNesting {

  private static final Pattern TAG = Pattern.compile("<(/?)([a-z][a-z0-9]*)(?: [^<>]*)?>");
  private static final Set<String> VOID = Set.of("meta", "img", "br");

  private HtmlNesting() {}

  static List<String> problems(String html) {
    List<String> problems = new ArrayList<>();
    Deque<String> open = new ArrayDeque<>();
    String body = html.substring(html.indexOf('\n'));
    Matcher tag = TAG.matcher(body);
    while (tag.find()) {
      String name = tag.group(2);
      if (tag.group(1).isEmpty()) {
        if (!VOID.contains(name)) {
          open.push(name);
        }
      } else if (open.isEmpty() || !open.pop().equals(name)) {
        problems.add("</" + name + "> closes another element");
      }
    }
    if (TAG.matcher(body).replaceAll("").contains("<")) {
      problems.add("there is a < that begins no element");
    }
    open.forEach(name -> problems.add("<" + name + "> is not closed"));
    return problems;
  }
}

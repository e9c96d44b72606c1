package org.ddpm4j.unet.model;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of attention's parameters before diffusers 0.15, which diffusers still reads. */
final class FormerNames {

  private static final Pattern ATTENTION =
      Pattern.compile("(.*\\.attentions\\.\\d+\\.)(query|key|value|proj_attn)(\\.weight|\\.bias)");

  private static final Map<String, String> NAMES =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  private FormerNames() {}

  /**
   * The name of today.
   *
   * @param tensorName a name in a file
   * @return the same where it is no former one
   */
  static String today(String tensorName) {
    Matcher former = ATTENTION.matcher(tensorName);
    return former.matches()
        ? former.group(1) + NAMES.get(former.group(2)) + former.group(3)
        : tensorName;
  }
}

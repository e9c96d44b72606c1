package org.ddpm4j.io.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.ddpm4j.io.ForeignText;
import org.ddpm4j.io.Text;

/** The hub's routes: the list of a model's files, and the files. */
final class HubClient {

  /** Of the longest lists, of a hundred thousand files. */
  private static final int MAX_LIST_BYTES = 1 << 25;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_REDIRECTS = 10;
  private static final int MAX_TRIES = 4;
  private static final long FIRST_PAUSE_MILLIS = 250;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HubSettings settings;
  private final Duration timeout;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /**
   * A model at one commit.
   *
   * @param commit 40 hexadecimal digits
   * @param files the names of all its files that can be files of a folder
   */
  record Model(String commit, List<String> files) {}

  /**
   * What the hub says of a file before it is downloaded.
   *
   * @param etag the name of its content
   * @param size in bytes
   * @param location where the hub leads on to it; what it leads to is valid for a while alone
   */
  record RemoteFile(String etag, long size, URI location) {}

  HubClient(HubSettings settings, Duration timeout) {
    this.settings = settings;
    this.timeout = timeout;
  }

  Model model(HubName name) throws IOException {
    URI uri =
        settings
            .endpoint()
            .resolve(
                path("/api/models/%s/revision/%s", name.repository(), encoded(name.revision())));
    HttpResponse<InputStream> response = answered(name, "", request(uri).GET(), true);
    byte[] body;
    try (InputStream in = response.body()) {
      body = in.readNBytes(MAX_LIST_BYTES);
    }
    JsonNode json;
    try {
      json = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new HubException(
          Text.format(
              "%s did not answer with JSON when asked for the files of %s; check HF_ENDPOINT, or the proxy in between.",
              settings.endpoint(), name));
    }
    String commit = json.path("sha").asText();
    if (!HubName.isCommit(commit)) {
      throw new HubException(
          Text.format(
              "%s does not say of which commit the files of %s are; check HF_ENDPOINT.",
              settings.endpoint(), name));
    }
    List<String> files = new ArrayList<>();
    for (JsonNode file : json.path("siblings")) {
      String path = file.path("rfilename").asText();
      if (isSafe(path)) {
        files.add(path);
      }
    }
    return new Model(commit, files);
  }

  /** Nothing that leads out of the folder, and nothing that Windows reads otherwise. */
  private static boolean isSafe(String path) {
    return path.matches("[^\\\\:*?\"<>|\\p{Cntrl}]+")
        && List.of(path.split("/", -1)).stream()
            .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
  }

  RemoteFile file(HubName name, String commit, String file) throws IOException {
    URI uri =
        settings
            .endpoint()
            .resolve(path("/%s/resolve/%s/%s", name.repository(), commit, encodedPath(file)));
    HttpResponse<InputStream> response =
        answered(
            name, file, request(uri).method("HEAD", HttpRequest.BodyPublishers.noBody()), false);
    response.body().close();
    Optional<String> etag =
        header(response, "X-Linked-Etag")
            .or(() -> header(response, "ETag"))
            .map(text -> text.replaceFirst("^W/", "").replace("\"", ""))
            .filter(text -> text.matches("\\w[\\w.-]{0,200}"));
    OptionalLong size = length(response, "X-Linked-Size");
    if (size.isEmpty()) {
      size = length(response, "Content-Length");
    }
    if (etag.isEmpty() || size.isEmpty()) {
      throw new HubException(
          Text.format(
              "%s does not say which content %s of %s has (ETag and length); check HF_ENDPOINT, or the proxy in between.",
              settings.endpoint(), ForeignText.quoted(file), name));
    }
    return new RemoteFile(etag.get(), size.getAsLong(), uri);
  }

  /**
   * Begins to download.
   *
   * @param first the first byte that is wanted
   * @return an answer of 200, with all bytes, or 206, with those from the first on, or 416
   */
  HttpResponse<InputStream> download(HubName name, String file, URI location, long first)
      throws IOException {
    HttpRequest.Builder request = request(location).GET();
    if (first > 0) {
      request.setHeader("Range", "bytes=" + first + "-");
    }
    return answered(name, file, request, true);
  }

  private HttpRequest.Builder request(URI uri) {
    return HttpRequest.newBuilder(uri)
        .timeout(timeout)
        .setHeader("User-Agent", "ddpm4j")
        .setHeader("Accept-Encoding", "identity");
  }

  /**
   * Sends a request until it is answered, and says what is wrong with other answers than 200, 206
   * and 416.
   *
   * @param following whether to follow redirects to other servers; the first says all that a HEAD
   *     asks for
   */
  private HttpResponse<InputStream> answered(
      HubName name, String file, HttpRequest.Builder builder, boolean following)
      throws IOException {
    URI uri = builder.build().uri();
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      HttpResponse<InputStream> response = sent(authorised(builder.copy().uri(uri), uri));
      int status = response.statusCode();
      boolean isRedirect = status / 100 == 3 && status != 304;
      if (isRedirect) {
        Optional<URI> next = header(response, "Location").map(uri::resolve);
        boolean isElsewhere = next.isPresent() && !isHub(next.get());
        if (next.isEmpty() || (isElsewhere && !following)) {
          return response;
        }
        response.body().close();
        uri = next.get();
      } else if (status == 200 || status == 206 || status == 416) {
        return response;
      } else {
        response.body().close();
        throw refused(name, file, response);
      }
    }
    throw new HubException(
        Text.format("%s leads in circles for %s; try again later.", settings.endpoint(), name));
  }

  /** The token is for the hub alone, not for the stores that it leads to. */
  private HttpRequest authorised(HttpRequest.Builder request, URI uri) {
    if (settings.token().isPresent() && isHub(uri)) {
      request.setHeader("Authorization", "Bearer " + settings.token().get());
    }
    return request.build();
  }

  private boolean isHub(URI uri) {
    return settings.endpoint().getAuthority().equals(uri.getAuthority())
        && settings.endpoint().getScheme().equals(uri.getScheme());
  }

  private HttpResponse<InputStream> sent(HttpRequest request) throws IOException {
    long pause = FIRST_PAUSE_MILLIS;
    for (int tries = 1; ; tries++) {
      try {
        HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
        boolean isTemporary = response.statusCode() >= 500 || response.statusCode() == 429;
        if (!isTemporary || tries == MAX_TRIES) {
          return response;
        }
        response.body().close();
        Thread.sleep(pause);
        pause *= 2;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("The download was interrupted.");
      }
    }
  }

  private HubException refused(HubName name, String file, HttpResponse<?> response) {
    int status = response.statusCode();
    String code = header(response, "X-Error-Code").orElse("");
    String server = settings.endpoint().toString();
    String sentence;
    if (code.equals("GatedRepo") || (status == 403 && code.isEmpty() && isHub(response.uri()))) {
      sentence =
          Text.format(
              settings.token().isPresent()
                  ? "The model %1$s is gated, and the user of this token has no access; ask for it at %2$s/%3$s, or use the token of somebody who has it (HF_TOKEN)."
                  : "The model %1$s is gated; accept its conditions at %2$s/%3$s and set HF_TOKEN to a token of yours.",
              name,
              server,
              name.repository());
    } else if (code.equals("RevisionNotFound")) {
      sentence =
          Text.format(
              "The model %s has no revision %s; name a branch, a tag or a commit that it has.",
              name.repository(), ForeignText.quoted(name.revision()));
    } else if (code.equals("EntryNotFound")) {
      sentence =
          Text.format(
              "The model %s has no file %s; try again, since it may just be changing.",
              name, ForeignText.quoted(file));
    } else if ((status == 401 || status == 404) && isHub(response.uri())) {
      return new NoSuchModelException(
          Text.format(
              "%s has no model %s that %s; check the name, or set HF_TOKEN if it is private.",
              server,
              name,
              settings.token().isPresent() ? "the user of this token may see" : "all may see"));
    } else {
      sentence =
          Text.format(
              "%s refused a request for %s with status %d%s; try again later.",
              server,
              name,
              status,
              header(response, "X-Error-Message")
                  .map(text -> " (" + ForeignText.quoted(text) + ")")
                  .orElse(""));
    }
    return new HubException(sentence);
  }

  private static Optional<String> header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).filter(text -> !text.isBlank());
  }

  private static OptionalLong length(HttpResponse<?> response, String name) {
    return header(response, name)
        .filter(text -> text.matches("\\d{1,18}"))
        .map(text -> OptionalLong.of(Long.parseLong(text)))
        .orElse(OptionalLong.empty());
  }

  private String path(String format, Object... parts) {
    String base = Optional.ofNullable(settings.endpoint().getRawPath()).orElse("");
    return base + Text.format(format, parts);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static String encodedPath(String path) {
    return encoded(path).replace("%2F", "/");
  }
}

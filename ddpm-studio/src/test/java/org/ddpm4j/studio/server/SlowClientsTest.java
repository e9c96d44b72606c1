package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.studio.drawing.ModelSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who dawdles is hung up on, and nobody else notices. */
class SlowClientsTest {

  private static final int MOST_BODY_BYTES = 2 << 20;

  private static StudioServer server;

  @BeforeAll
  static void open() throws Exception {
    server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.empty(),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            MOST_BODY_BYTES);
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket("localhost", server.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(30_000);
    return socket;
  }

  /** Sends a byte now and then, each well before any limit of silence, until nobody listens. */
  private static int bytesUntilHungUp(Socket socket, String text) throws Exception {
    OutputStream out = socket.getOutputStream();
    int sent = 0;
    try {
      for (; sent < text.length(); sent++) {
        out.write(text.charAt(sent));
        out.flush();
        Thread.sleep(100);
      }
    } catch (SocketException e) {
      return sent;
    }
    return sent;
  }

  private static String head() {
    return "GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n";
  }

  @Test
  void halfARequestLineByteByByteIsHungUpOn() throws Exception {
    String endless = "GET /v1/" + "a".repeat(1000);
    try (Socket socket = connect()) {
      assertThat(bytesUntilHungUp(socket, endless)).isLessThan(100);
    }
  }

  @Test
  void aRequestAfterAnAnswerMustComeInTimeToo() throws Exception {
    try (Socket socket = connect()) {
      socket.getOutputStream().write((head() + "\r\n").getBytes(StandardCharsets.US_ASCII));
      assertThat(line(socket.getInputStream())).contains("200");
      assertThat(bytesUntilHungUp(socket, head() + "X: " + "a".repeat(1000))).isLessThan(100);
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n' && c >= 0; c = in.read()) {
      line.append((char) c);
    }
    return line.toString();
  }

  @Test
  void connectionsThatSayNothingAreHungUpOn() throws Exception {
    try (Socket socket = connect()) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  /** More dawdlers than the service has threads, over heads and bodies. */
  @Test
  void othersAreServedWhileManyDawdle() throws Exception {
    List<Socket> dawdlers = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      Socket socket = connect();
      dawdlers.add(socket);
      socket
          .getOutputStream()
          .write(
              (i % 2 == 0
                      ? "GET /v1/mod"
                      : "POST /v1/samples HTTP/1.1\r\nHost: localhost\r\n"
                          + "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"cou")
                  .getBytes(StandardCharsets.US_ASCII));
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + "/v1/samples"))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofMinutes(1))
            .POST(HttpRequest.BodyPublishers.ofString("{\"count\": 1, \"steps\": 1}"))
            .build();

    assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode())
        .isEqualTo(200);
    for (Socket socket : dawdlers) {
      socket.close();
    }
  }

  /** Bodies have a limit together, and what one took is there again when its client has gone. */
  @Test
  void bodiesThatArriveTogetherAreLimited() throws Exception {
    String large = "{\"kind\": \"invert\", \"image\": \"" + "A".repeat(3 * MOST_BODY_BYTES / 4);
    try (Socket slow = connect()) {
      slow.getOutputStream()
          .write(edit(large + "AAAA\"}").getBytes(StandardCharsets.US_ASCII), 0, large.length());
      String refused = answerTo(edit(large + "\"}"));
      while (!refused.contains(" 503 ")) {
        // What the slow one sent has not arrived yet.
        assertThat(refused).contains(" 4");
        refused = answerTo(edit(large + "\"}"));
      }
      assertThat(answerTo(head() + "Connection: close\r\n\r\n")).contains(" 200 ");
    }
    while (answerTo(edit(large + "\"}")).contains(" 503 ")) {
      Thread.sleep(20);
    }
  }

  /** A heap of 64 MiB ran full of half a dozen images, whose clients had no answer. */
  @Test
  void bodiesTakeASmallPartOfTheHeap() {
    assertThat(StudioServer.mostBodyBytes(64 << 20)).isEqualTo(8 << 20);
    assertThat(StudioServer.mostBodyBytes(16 << 20)).isEqualTo(6 << 20);
    assertThat(StudioServer.mostBodyBytes(1L << 40)).isEqualTo(96 << 20);
  }

  private static String edit(String body) {
    return "POST /v1/edits HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + "Connection: close\r\nContent-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  /** The first line of the answer, which may come before the whole request was taken. */
  private static String answerTo(String request) throws IOException {
    try (Socket socket = connect()) {
      try {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      } catch (SocketException e) {
        // It was refused, and says so.
      }
      return line(socket.getInputStream());
    }
  }

  /** A client that never reads its answer does not keep the connection. */
  @Test
  void whoDoesNotReadAnAnswerIsHungUpOn() throws Exception {
    try (Socket socket = connect()) {
      // More answers than the buffers between the two hold.
      byte[] asks =
          ("GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
              .repeat(1000)
              .getBytes(StandardCharsets.US_ASCII);
      OutputStream out = socket.getOutputStream();
      try {
        for (int i = 0; i < 1000; i++) {
          out.write(asks);
        }
      } catch (SocketException e) {
        return;
      }
      throw new AssertionError("The service took a million requests whose answers nobody reads.");
    }
  }
}

package org.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.beans.factory.annotation.Autowired;

/** The service as a client sees it. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class DrawingServiceTest {

  @Autowired private Environment environment;

  private HttpResponse<byte[]> get(String path) throws Exception {
    URI address =
        URI.create("http://localhost:" + environment.getProperty("local.server.port") + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofByteArray());
  }

  @Test
  void itDraws() throws Exception {
    HttpResponse<byte[]> answer = get("/draw?count=4&seed=7");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("image/png");
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(answer.body()));
    int bright = 0;
    for (int i = 0; i < picture.getWidth() * picture.getHeight(); i++) {
      if ((picture.getRGB(i % picture.getWidth(), i / picture.getWidth()) & 0xFF) > 150) {
        bright++;
      }
    }
    assertThat(picture.getWidth()).isGreaterThanOrEqualTo(56);
    assertThat(bright).isGreaterThan(100);
    assertThat(get("/draw?count=1000").statusCode()).isEqualTo(400);
  }
}

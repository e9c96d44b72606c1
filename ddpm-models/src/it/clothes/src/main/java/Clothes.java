import java.io.File;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.model.DiffusionModel;

/** Draws a piece of clothing. */
public class Clothes {
  public static void main(String[] args) throws IOException {
    try (DiffusionModel model = DiffusionModel.bundled()) {
      ImageIO.write(model.sample(1, 7).get(0), "png", new File("clothes.png"));
    }
  }
}

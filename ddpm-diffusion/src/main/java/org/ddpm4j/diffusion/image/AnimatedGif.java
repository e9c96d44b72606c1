package org.ddpm4j.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.ddpm4j.io.Text;

/** Animated GIF by the JDK's own writer. */
final class AnimatedGif {

  private static final int LAST_FRAME_MILLIS = 2000;
  private static final String FORMAT = "javax_imageio_gif_image_1.0";

  private AnimatedGif() {}

  static void write(List<BufferedImage> frames, int millisPerFrame, OutputStream out)
      throws IOException {
    if (frames.isEmpty() || millisPerFrame < 10) {
      throw new IllegalArgumentException(
          Text.format(
              "%d frames of %d ms make no animation; it takes a frame, and 10 ms for each.",
              frames.size(), millisPerFrame));
    }
    BufferedImage first = frames.get(0);
    for (BufferedImage frame : frames) {
      if (frame.getWidth() != first.getWidth() || frame.getHeight() != first.getHeight()) {
        throw new IllegalArgumentException(
            Text.format(
                "A frame of %dx%d does not fit an animation of %dx%d; frames must be of one size.",
                frame.getWidth(), frame.getHeight(), first.getWidth(), first.getHeight()));
      }
    }
    ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
    try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.prepareWriteSequence(null);
      for (int i = 0; i < frames.size(); i++) {
        int millis = i == frames.size() - 1 ? LAST_FRAME_MILLIS : millisPerFrame;
        writer.writeToSequence(
            new IIOImage(frames.get(i), null, metadata(writer, frames.get(i), millis, i == 0)),
            null);
      }
      writer.endWriteSequence();
    } finally {
      writer.dispose();
    }
  }

  private static IIOMetadata metadata(
      ImageWriter writer, BufferedImage frame, int millis, boolean isFirst) throws IOException {
    IIOMetadata metadata =
        writer.getDefaultImageMetadata(
            ImageTypeSpecifier.createFromRenderedImage(frame), writer.getDefaultWriteParam());
    IIOMetadataNode control = new IIOMetadataNode("GraphicControlExtension");
    control.setAttribute("disposalMethod", "none");
    control.setAttribute("userInputFlag", "FALSE");
    control.setAttribute("transparentColorFlag", "FALSE");
    control.setAttribute("transparentColorIndex", "0");
    // GIF counts in hundredths of a second.
    control.setAttribute("delayTime", Integer.toString(millis / 10));

    IIOMetadataNode root = new IIOMetadataNode(FORMAT);
    root.appendChild(control);
    if (isFirst) {
      root.appendChild(repeatForEver());
    }
    metadata.mergeTree(FORMAT, root);
    return metadata;
  }

  /** Said once, before the first frame. */
  private static IIOMetadataNode repeatForEver() {
    IIOMetadataNode repeat = new IIOMetadataNode("ApplicationExtension");
    repeat.setAttribute("applicationID", "NETSCAPE");
    repeat.setAttribute("authenticationCode", "2.0");
    repeat.setUserObject(new byte[] {1, 0, 0});
    IIOMetadataNode extensions = new IIOMetadataNode("ApplicationExtensions");
    extensions.appendChild(repeat);
    return extensions;
  }
}

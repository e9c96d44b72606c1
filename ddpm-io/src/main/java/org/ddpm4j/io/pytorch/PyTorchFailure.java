package org.ddpm4j.io.pytorch;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.io.Text;

/** The sentences for a file that is not read. */
record PyTorchFailure(Path file) {

  /** For a file that no PyTorch wrote so. */
  IOException malformed(String why, Object... values) {
    return failure("is not a valid file of PyTorch", "get or write the file again", why, values);
  }

  /** For a file that asks for more than tensors. */
  IOException unsupported(String why, Object... values) {
    return failure(
        "cannot be read",
        "save the tensors alone, as torch.save does with a state_dict(), or write them as safetensors",
        why,
        values);
  }

  private IOException failure(String verdict, String remedy, String why, Object... values) {
    return new IOException(
        Text.format("The file %s %s: %s; %s.", file, verdict, Text.format(why, values), remedy));
  }
}

package org.ddpm4j.spark.training;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.io.Text;

/** What the driver and a task that stays tell each other of a step, as bytes. */
final class StepMessages {

  private StepMessages() {}

  static byte[] order(StepState state) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(state.step());
    out.writeBoolean(state.learned().isPresent());
    if (state.learned().isPresent()) {
      write(out, state.timestepLosses());
      write(out, state.timestepCounts());
    }
    return bytes.toByteArray();
  }

  static StepState readOrder(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    long step = in.readLong();
    return StepState.of(
        step,
        in.readBoolean()
            ? Optional.of(new ImportanceTimesteps.State(readDoubles(in), readInts(in)))
            : Optional.empty());
  }

  /** The losses of a task's shards, in their order. */
  static byte[] losses(List<StepLosses> shards) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (StepLosses shard : shards) {
      write(out, shard.t());
      write(out, shard.weights());
      write(out, shard.losses());
    }
    return bytes.toByteArray();
  }

  static List<StepLosses> readLosses(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    List<StepLosses> shards = new ArrayList<>();
    while (in.available() > 0) {
      shards.add(new StepLosses(readInts(in), readDoubles(in), readDoubles(in)));
    }
    return shards;
  }

  private static void write(DataOutputStream out, double[] values) throws IOException {
    out.writeInt(values.length);
    for (double value : values) {
      out.writeDouble(value);
    }
  }

  private static void write(DataOutputStream out, int[] values) throws IOException {
    out.writeInt(values.length);
    for (int value : values) {
      out.writeInt(value);
    }
  }

  private static double[] readDoubles(DataInputStream in) throws IOException {
    double[] values = new double[readLength(in, Double.BYTES)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readDouble();
    }
    return values;
  }

  private static int[] readInts(DataInputStream in) throws IOException {
    int[] values = new int[readLength(in, Integer.BYTES)];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readInt();
    }
    return values;
  }

  private static int readLength(DataInputStream in, int each) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available() / each) {
      throw new IOException(
          Text.format(
              "A message of a step announces %d number(s), but has %d byte(s) of them.",
              length, in.available()));
    }
    return length;
  }
}

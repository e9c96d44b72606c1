package org.ddpm4j.cli.look;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.cpu.Processor;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.DeviceProvider;
import org.ddpm4j.kernels.plan.Devices;

/**
 * A line for each device of this machine, and one for each kind of which there is none.
 *
 * @param console where to
 */
record DeviceList(Console console) {

  private static final double GIB = 1 << 30;

  void print() throws IOException {
    print(DeviceName.CPU, processor());
    for (DeviceProvider provider : Devices.providers()) {
      int count = provider.descriptions().size();
      for (int i = 0; i < count; i++) {
        print(new DeviceName(provider.kind(), i), card(provider, i));
      }
      if (count == 0) {
        print(
            provider.kind(),
            provider.obstacle(0).map(DeviceList::sentence).orElse("none is taken by itself"));
      }
    }
    print(DeviceName.AUTO, Devices.fastest().orElse(DeviceName.CPU));
  }

  private static String processor() {
    List<String> facts = new ArrayList<>();
    facts.add(Processor.model());
    facts.add(Text.format("%d thread(s)", Runtime.getRuntime().availableProcessors()));
    if (FusedKernels.available()) {
      facts.addAll(Processor.extensions());
    }
    return String.join(", ", facts)
        + (FusedKernels.available()
            ? ""
            : "; the reference layers alone, because " + FusedKernels.obstacle());
  }

  private static String card(DeviceProvider provider, int index) {
    Optional<String> obstacle = provider.obstacle(index);
    String description = provider.descriptions().get(index);
    return obstacle.isPresent()
        ? description + "; " + sentence(obstacle.get())
        : description + provider.memory(index).map(DeviceList::memory).orElse("");
  }

  private static String sentence(String obstacle) {
    return "cannot be used: " + obstacle + ".";
  }

  private static String memory(DeviceProvider.Memory memory) {
    return Text.format(
        ", %.1f of %.1f GiB free", memory.freeBytes() / GIB, memory.totalBytes() / GIB);
  }

  private void print(Object name, Object what) throws IOException {
    console.printLine("%-12s %s", name, what);
  }
}

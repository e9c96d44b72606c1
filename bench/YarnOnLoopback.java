import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/**
 * YARN of one resource manager and two node managers on loopback, until standard input ends: {@code
 * YarnOnLoopback.java FOLDER}. What its clients are to be told is in FOLDER/conf; files are those of the disk.
 */
public final class YarnOnLoopback {

  private YarnOnLoopback() {}

  public static void main(String[] args) throws IOException {
    File clients = new File(args[0], "conf");
    clients.mkdirs();
    YarnConfiguration configuration = new YarnConfiguration();
    configuration.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 256);
    configuration.setInt(YarnConfiguration.RM_SCHEDULER_MAXIMUM_ALLOCATION_MB, 6144);
    configuration.setInt(YarnConfiguration.NM_PMEM_MB, 9216);
    // A JVM reserves much more address space than it takes, so that this check is of no use.
    configuration.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
    configuration.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, true);
    // A node whose disk is nine tenths full would be given up.
    configuration.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 99.9f);
    configuration.set("yarn.scheduler.capacity.root.queues", "default");
    configuration.set("yarn.scheduler.capacity.root.default.capacity", "100");
    configuration.set("yarn.scheduler.capacity.maximum-am-resource-percent", "0.9");
    // Its threads would keep the process after a failure.
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> {
          failure.printStackTrace();
          Runtime.getRuntime().halt(1);
        });
    MiniYARNCluster yarn = new MiniYARNCluster("ddpm4j", 2, 1, 1);
    yarn.init(configuration);
    yarn.start();
    write(yarn.getConfig(), new File(clients, "yarn-site.xml"));
    Configuration core = new Configuration(false);
    core.set("fs.defaultFS", "file:///");
    write(core, new File(clients, "core-site.xml"));
    System.out.println("yarn " + yarn.getConfig().get(YarnConfiguration.RM_ADDRESS));
    System.in.read();
    Runtime.getRuntime().halt(0);
  }

  private static void write(Configuration configuration, File file) throws IOException {
    try (OutputStream out = new FileOutputStream(file)) {
      configuration.writeXml(out);
    }
  }
}

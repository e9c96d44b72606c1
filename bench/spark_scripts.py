"""What spark-cluster, spark-filesystems and spark-yarn share: where Spark is, jars, small pictures, what files hold."""

import hashlib
import os
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path


def say(sentence):
    print(sentence, flush=True)


def require(condition, sentence):
    if not condition:
        sys.exit(f"bench/{Path(sys.argv[0]).name}: {sentence}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def spark_home():
    if os.environ.get("SPARK_HOME"):
        return Path(os.environ["SPARK_HOME"])
    try:
        import pyspark
    except ImportError:
        require(False, "no Spark; set SPARK_HOME, or install the Python package pyspark.")
    return Path(pyspark.__file__).parent


def jars(folder, *artifacts):
    """What Maven finds, without what these bring: Spark has that."""
    pom = folder / artifacts[0].split(":")[1] / "pom.xml"
    pom.parent.mkdir()
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
        .format(*artifact.split(":")) for artifact in artifacts)
    pom.write_text("<project><modelVersion>4.0.0</modelVersion><groupId>org.ddpm4j</groupId><artifactId>jars</artifactId>"
                   f"<version>1</version><packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>")
    found = pom.parent / "found"
    subprocess.run(["mvn", "-B", "-q", "dependency:build-classpath", f"-Dmdep.outputFile={found}"], cwd=pom.parent,
                   check=True)
    return found.read_text().strip()


def write_picture(file, size, pixels):
    """A square PNG in colour; pixels(n) are the bytes of a row."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels(3 * size) for _ in range(size))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def digest(folder, pattern="*"):
    """The SHA-256 of each file by its name, without what Hadoop keeps for itself."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob(pattern))
            if file.is_file() and not file.name.startswith((".", "_"))}

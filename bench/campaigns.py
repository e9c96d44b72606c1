"""What fuzz-campaign, kill-campaign and soak share: where ddpm4j is, and tables."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

# In a checkout this file lies in bench/, in what bench/on-gpu packs in ours/bench/.
HOME = Path(__file__).resolve().parent.parent
OPTIONS = ["java", "-Xmx1g", "-XX:+UseSerialGC", "-Djava.awt.headless=true"]
IS_PACKED = (HOME / "run").is_file()


def fail(sentence: str) -> None:
    print(f"{Path(sys.argv[0]).name}: {sentence}", file=sys.stderr)
    sys.exit(2)


def ddpm() -> list[str]:
    """The command that is the program; the variable DDPM names another one."""
    if "DDPM" in os.environ:
        return shlex.split(os.environ["DDPM"])
    return [str(HOME / "run"), "ddpm"] if IS_PACKED else [str(HOME / "ddpm")]


def java() -> list[str]:
    """Java with the program on the class path; the variable DDPM_JAVA names another."""
    if "DDPM_JAVA" in os.environ:
        return shlex.split(os.environ["DDPM_JAVA"])
    if IS_PACKED:
        return [str(HOME / "run"), "java"]
    # Builds it, if need be.
    subprocess.run([*ddpm(), "--version"], stdout=subprocess.DEVNULL, check=True)
    target = HOME / "ddpm-cli/target"
    return [*OPTIONS, "-cp", f"{target}/ddpm-cli.jar:{target}/lib/*"]


def test_java() -> list[str]:
    """The same with the tests of ddpm-cli."""
    if "DDPM_JAVA" in os.environ:
        return shlex.split(os.environ["DDPM_JAVA"])
    if IS_PACKED:
        return [str(HOME / "run"), "test-java"]
    classpath = HOME / "ddpm-cli/target/test-classpath.txt"
    maven = ["mvn", "-q", "-B", "-f", str(HOME / "pom.xml"), "-pl", "ddpm-cli", "-am", "-DskipTests",
             "-Dmaven.source.skip", "-Dmaven.javadoc.skip", "test-compile",
             "org.apache.maven.plugins:maven-dependency-plugin:build-classpath",
             f"-Dmdep.outputFile={classpath}", "-DincludeScope=test"]
    built = subprocess.run(maven, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if built.returncode:
        fail(f"Maven failed; it says: {built.stdout[-2000:]}")
    folders = [str(HOME / "ddpm-cli/target/test-classes"), str(HOME / "ddpm-cli/target/classes")]
    return [*OPTIONS, "-cp", ":".join([*folders, classpath.read_text().strip()])]


def table(head: list[str], rows: list[list[object]]) -> str:
    """Markdown, with numbers to the right."""
    texts = [head] + [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(head))]
    right = [bool(rows) and all(isinstance(row[i], int) for row in rows) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if to_right else "-") for width, to_right in zip(widths, right)) + "|"
    return "\n".join([line(texts[0]), rule, *map(line, texts[1:])])

#!/usr/bin/env python3
"""Writes a jar again for bench/on-gpu: stored, which xz makes smaller than a compressed one, and
without what a run on Linux on x86-64 has no use for."""

import re
import subprocess
import sys
import tempfile
import zipfile

# Whoever names the platform does so in the path.
HERE = re.compile(r"linux[-_/]x86[-_]64", re.IGNORECASE)
NATIVE = re.compile(r"\.(so(\.[0-9]+)*|dll|dylib|jnilib|a|lib)$")
USELESS = re.compile(
    r"META-INF/(native-image|proguard)/|META-INF/maven/.*pom\.xml$|META-INF/.*\.(SF|RSA|DSA)$"
    r"|/include/|/(pkgconfig|cmake)/|\.(h|hpp|java)$"
)
# What CUDA's presets have besides the runtime (and the driver), cuDNN, cuBLAS and NVRTC; OpenBLAS
# with all of LAPACK, of which ND4J uses the smaller one.
UNUSED = re.compile(
    r"cuda/linux-x86_64/libjni(?!(cudart|cudnn|cublas|nvrtc)\.so)|libjniopenblas_full\.so$"
)


def is_needed(name: str) -> bool:
    if name.endswith("/") or USELESS.search(name) or UNUSED.search(name):
        return False
    return not NATIVE.search(name) or bool(HERE.search(name))


def stripped(library: bytes) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(library)
        file.flush()
        subprocess.run(["strip", "--strip-unneeded", file.name], check=True)
        with open(file.name, "rb") as result:
            return result.read()


def repack(source: str, target: str) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            if not is_needed(entry.filename):
                continue
            content = old.read(entry)
            if NATIVE.search(entry.filename):
                content = stripped(content)
            new.writestr(zipfile.ZipInfo(entry.filename, entry.date_time), content)


if __name__ == "__main__":
    repack(sys.argv[1], sys.argv[2])

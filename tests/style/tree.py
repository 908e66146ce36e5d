"""Which files belong to the project: what git tracks or would track."""

import os
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def project_files():
    """Paths relative to ROOT, sorted. Works without git too (an exported tree), by walking."""
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
    else:
        names = _walk()
    return sorted(name for name in names if name and os.path.isfile(os.path.join(ROOT, name)))


def _walk():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__") and not name.startswith("build")]
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def is_cpp(name):
    return name.endswith((".cc", ".h", ".def", ".cpp", ".hpp"))


def read_text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()

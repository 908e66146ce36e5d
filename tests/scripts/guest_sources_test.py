#!/usr/bin/python3
"""scripts/guest-sources against an archive made here: what it brings, what it says when it cannot, what it keeps."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "guest-sources"
TABLE = SCRIPT.parents[1] / "workloads" / "third_party.txt"
VERSION = "1.9.4-1"  # what the table has for lz4


def checksum_line(kind, path):
    return f" {hashlib.new(kind, path.read_bytes()).hexdigest()} {path.stat().st_size} {path.name}"


class Archive:
    """A folder that apt takes for an archive: one source package with the files given."""

    def __init__(self, folder, files, version=VERSION, package="lz4"):
        self.folder = folder
        self.tarball = folder / f"{package}_{version}.tar.gz"
        tree = folder / f"{package}-{version}"
        for name, text in {**files, "debian/control": f"Source: {package}\n"}.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with tarfile.open(self.tarball, "w:gz") as tar:
            tar.add(tree, arcname=tree.name)
        shutil.rmtree(tree)
        fields = (f"Format: 3.0 (native)\nSource: {package}\nBinary: {package}\nArchitecture: any\n"
                  f"Version: {version}\nMaintainer: Nobody <nobody@example.org>\n")
        self.dsc = folder / f"{package}_{version}.dsc"
        self.dsc.write_text(fields + self.checksums(self.tarball), encoding="utf-8")
        index = fields.replace("Source:", "Package:") + "Directory: .\n"
        index += self.checksums(self.dsc, self.tarball)
        (folder / "Sources").write_text(index + "\n", encoding="utf-8")
        self.list = folder / "own.list"
        self.list.write_text(f"deb-src [trusted=yes] file:{folder} ./\n", encoding="utf-8")

    @staticmethod
    def checksums(*paths):
        return "".join(f"{field}:\n" + "".join(checksum_line(kind, path) + "\n" for path in paths)
                       for field, kind in (("Files", "md5"), ("Checksums-Sha256", "sha256")))


class GuestSources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "cache"
        (self.folder / "archive").mkdir()
        self.archive = Archive(self.folder / "archive", {"lib/lz4.c": "int lz4;\n", "programs/cli.c": "int cli;\n"})

    def run_script(self, *arguments, **environment):
        settings = {"SANDGLASS_SOURCES": str(self.cache), "SANDGLASS_APT_SOURCES": str(self.archive.list)}
        return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False,
                              env={**os.environ, **settings, **environment})

    def fetch(self):
        answer = self.run_script("lz4")
        self.assertEqual((answer.returncode, answer.stdout), (0, f"lz4\tok\t{VERSION}\t{self.cache}/lz4\n"), answer)

    def assert_missing(self, answer, reason):
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stdout, rf"^lz4\tmissing\t[^\n\t]*{reason}[^\n\t]*\n$")
        self.assertFalse((self.cache / "lz4").exists())

    def test_brings_what_the_table_keeps_and_nothing_else(self):
        self.fetch()
        self.assertEqual((self.cache / "lz4/lib/lz4.c").read_text(encoding="utf-8"), "int lz4;\n")
        self.assertEqual([path.name for path in (self.cache / "lz4").iterdir()], ["lib"])

    def test_downloads_nothing_twice(self):
        self.fetch()
        shutil.rmtree(self.folder / "archive")
        self.fetch()

    def test_an_archive_that_is_gone_is_a_reason(self):
        shutil.rmtree(self.folder / "archive")
        self.archive.list = self.folder / "own.list"
        self.archive.list.write_text(f"deb-src [trusted=yes] file:{self.folder}/archive ./\n", encoding="utf-8")
        self.assert_missing(self.run_script("lz4"), "archive")

    def test_a_machine_without_network_is_a_reason(self):
        self.archive.list.write_text("deb-src [trusted=yes] http://127.0.0.1:9/ ./\n", encoding="utf-8")
        self.assert_missing(self.run_script("lz4"), "Failed to fetch")

    def test_an_unknown_package_is_a_reason(self):
        sources = self.folder / "archive" / "Sources"
        text = sources.read_text(encoding="utf-8").replace("Package: lz4", "Package: other")
        sources.write_text(text, encoding="utf-8")
        self.assert_missing(self.run_script("lz4"), "lz4")

    def test_a_file_that_is_not_what_the_archive_lists_is_refused(self):
        content = bytearray(self.archive.tarball.read_bytes())
        content[len(content) // 2] ^= 1
        self.archive.tarball.write_bytes(content)
        self.assert_missing(self.run_script("lz4"), "Hash Sum mismatch|Failed to fetch")

    def test_a_source_without_what_the_table_keeps_is_refused(self):
        shutil.rmtree(self.folder / "archive")
        (self.folder / "archive").mkdir()
        self.archive = Archive(self.folder / "archive", {"src/lz4.c": "int lz4;\n"})
        self.assert_missing(self.run_script("lz4"), "its source has no lib")

    def test_an_interrupted_run_is_done_again(self):
        self.fetch()
        (self.cache / "lz4.json").unlink()
        (self.cache / "lz4/lib/lz4.c").write_text("half\n", encoding="utf-8")
        self.fetch()
        self.assertEqual((self.cache / "lz4/lib/lz4.c").read_text(encoding="utf-8"), "int lz4;\n")

    def test_what_the_table_keeps_since_is_brought_anew(self):
        self.fetch()
        stamp = self.cache / "lz4.json"
        written = json.loads(stamp.read_text(encoding="utf-8"))
        stamp.write_text(json.dumps({**written, "kept": "other"}), encoding="utf-8")
        self.assertEqual(self.run_script("--check", "lz4").stdout, "lz4\tmissing\tnot in the cache\n")
        self.fetch()

    def test_another_version_is_used_and_said(self):
        shutil.rmtree(self.folder / "archive")
        (self.folder / "archive").mkdir()
        self.archive = Archive(self.folder / "archive", {"lib/lz4.c": "int lz4;\n"}, version="2.0")
        answer = self.run_script("lz4")
        self.assertEqual((answer.returncode, answer.stdout), (0, f"lz4\tok\t2.0\t{self.cache}/lz4\n"))
        self.assertIn(VERSION, answer.stderr)

    def test_what_a_source_makes_is_kept(self):
        shutil.rmtree(self.folder / "archive")
        (self.folder / "archive").mkdir()
        files = {"LICENSE.md": "none\n", "parts/a.c": "int a;\n", "parts/b.c": "int b;\n", "sqlite3.h": "\n",
                 "main.mk": "sqlite3.c: parts/a.c parts/b.c\n\tcat $^ >$@\n"}
        self.archive = Archive(self.folder / "archive", files, package="sqlite3")
        self.assertEqual(self.run_script("sqlite").returncode, 0)
        self.assertEqual((self.cache / "sqlite/sqlite3.c").read_text(encoding="utf-8"), "int a;\nint b;\n")
        self.assertFalse((self.cache / "sqlite/parts").exists())

    def test_a_source_that_cannot_make_it_is_a_reason(self):
        shutil.rmtree(self.folder / "archive")
        (self.folder / "archive").mkdir()
        self.archive = Archive(self.folder / "archive", {"main.mk": "sqlite3.c:\n\tfalse\n"}, package="sqlite3")
        answer = self.run_script("sqlite")
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stdout, r"^sqlite\tmissing\tmake .*sqlite3\.c: .*Error 1")
        self.assertFalse((self.cache / "sqlite").exists())

    def test_one_that_is_missing_does_not_stop_the_others(self):
        answer = self.run_script("zlib", "lz4")
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stdout, r"^zlib\tmissing\t.*\nlz4\tok\t.*\n$")

    def test_check_downloads_nothing(self):
        self.assert_missing(self.run_script("--check", "lz4"), "not in the cache")
        self.assertFalse((self.cache / "apt").exists())
        self.fetch()
        self.assertEqual(self.run_script("--check", "lz4").returncode, 0)

    def test_a_machine_without_apt_is_a_reason(self):
        (self.folder / "bin").mkdir()
        for tool in ("python3", "env"):
            (self.folder / "bin" / tool).symlink_to(shutil.which(tool))
        self.assert_missing(self.run_script("lz4", PATH=str(self.folder / "bin")), "not installed")

    def test_an_unknown_name_is_wrong_usage(self):
        answer = self.run_script("lz5")
        self.assertEqual((answer.returncode, answer.stdout), (64, ""))
        self.assertIn("lz5", answer.stderr)


class Table(unittest.TestCase):
    def rows(self):
        lines = TABLE.read_text(encoding="utf-8").splitlines()
        return [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith("#")]

    def test_every_row_is_complete(self):
        self.assertGreater(len(self.rows()), 10)
        for row in self.rows():
            with self.subTest(row[0]):
                self.assertEqual(len(row), 7)
                self.assertTrue(all(row))
                self.assertIn(row[1], ("source", "installed"))
                self.assertTrue(re.fullmatch(r"[a-z0-9+.-]+", row[0]))

    def test_list_prints_it(self):
        answer = subprocess.run([SCRIPT, "--list"], capture_output=True, text=True, check=False)
        self.assertEqual((answer.returncode, answer.stdout), (0, TABLE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main()

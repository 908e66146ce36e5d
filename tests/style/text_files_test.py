#!/usr/bin/python3
"""What every file of the project keeps to: text, LF, no tabs, no trailing blanks; scripts can be started."""

import os
import unittest

import tree

# Committed pictures and documents of results; everything else is text.
BINARY_SUFFIXES = (".png",)
# Formats in which a tab is part of the content.
TABS_ALLOWED = (".tsv", ".diff", ".patch", "LICENSE")
# Hard line breaks and generated pages keep their blanks.
TRAILING_ALLOWED = (".md", ".html", ".svg", "LICENSE")
MAX_BYTES = 2 << 20


def violations(name, data):
    if name.endswith(BINARY_SUFFIXES):
        return []
    if len(data) > MAX_BYTES:
        return [f"{name}: larger than {MAX_BYTES} bytes"]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [f"{name}: not UTF-8, perhaps a built file"]
    if "\0" in text:
        return [f"{name}: binary, perhaps a built file"]
    found = []
    if text and not text.endswith("\n"):
        found.append(f"{name}: the last line has no end")
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith("\r"):
            found.append(f"{name}:{number}: CRLF")
        if "\t" in line and not name.endswith(TABS_ALLOWED):
            found.append(f"{name}:{number}: tab")
        if line != line.rstrip(" ") and not name.endswith(TRAILING_ALLOWED):
            found.append(f"{name}:{number}: trailing blanks")
    return found


class TextFiles(unittest.TestCase):
    def test_every_file_is_clean_text(self):
        names = tree.project_files()
        self.assertGreater(len(names), 30, "the files were not found")
        found = []
        for name in names:
            with open(os.path.join(tree.ROOT, name), "rb") as file:
                found += violations(name, file.read())
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_scripts_can_be_started(self):
        for name in tree.project_files():
            path = os.path.join(tree.ROOT, name)
            with open(path, "rb") as file:
                is_script = file.read(2) == b"#!"
            self.assertEqual(is_script, os.access(path, os.X_OK), f"{name}: first line and mode disagree")

    def test_reports_what_is_not_clean(self):
        for data in (b"a\r\n", b"\ta\n", b"a \n", b"a", b"\x7fELF\0\n", b"\xff\xfe\n", b"a\n" * MAX_BYTES):
            self.assertTrue(violations("x.cc", data), data[:8])
        self.assertEqual(violations("x.cc", b"a\n  b\n\n"), [])


if __name__ == "__main__":
    unittest.main()

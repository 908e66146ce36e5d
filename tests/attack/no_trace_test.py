#!/usr/bin/python3
"""A library that is built without SANDGLASS_RED_TEAM has no trace of what tests use to get into workers.

Each source of the library that names the option, directly or in a header of ours, is compiled without it, once
as it is and once with everything that depends on the option cut out of the tree. The objects must be the same,
byte for byte. The other way round, with the option the hook must be found, or this test would prove nothing.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTION = "SANDGLASS_RED_TEAM"
MARK = "red_team"
COMMANDS = {}


def library_files():
    return [p for part in ("sandbox", "zygote") for p in (ROOT / part).rglob("*") if p.suffix in (".cc", ".h", ".def")]


def cut(text):
    """The text without what the option brings."""
    kept, state = [], [True]  # whether the lines of each open #if are kept; None: another #if
    depths = []
    for line in text.splitlines(keepends=True):
        word = line.strip()
        if re.match(r"#\s*if", word):
            if re.match(rf"#\s*ifdef\s+{OPTION}$", word):
                depths.append("option")
                state.append(False)
                continue
            depths.append("other")
            state.append(state[-1])
        elif re.match(r"#\s*else", word) and depths[-1] == "option":
            state[-1] = state[-2]
            continue
        elif re.match(r"#\s*endif", word):
            state.pop()
            if depths.pop() == "option":
                continue
            if not state[-1]:
                continue
        if state[-1]:
            kept.append(line)
    return "".join(kept)


def command_of(source):
    """The compiler's command for a source of the library, as a list without output and option."""
    words = COMMANDS[str(source)]
    if words and words[0].endswith("ccache"):
        words = words[1:]
    words = [w for w in words if w != f"-D{OPTION}"]
    at = words.index("-o")
    return words[:at] + words[at + 2 :]


def compile_in(tree, source, output, *more):
    words = [w.replace(str(ROOT) + "/", str(tree) + "/") if w.startswith(str(ROOT) + "/sandbox") else w
             for w in command_of(source)]
    words = [f"-I{tree}" if w == f"-I{ROOT}" else w for w in words]
    # Names of files must not make a difference: lines do, through assertions.
    words += [f"-ffile-prefix-map={tree}=.", *more, "-o", str(output)]
    subprocess.run(words, check=True, cwd=tree, timeout=250)


class NoTrace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for entry in json.loads(pathlib.Path(sys.argv_commands).read_text()):
            COMMANDS[entry["file"]] = entry["command"].split()

    def users(self):
        """Sources that see the option, and those whose objects it changes."""
        names = [p for p in library_files() if OPTION in p.read_text()]
        return [p for p in names if p.suffix == ".cc"], [p for p in names if p.suffix != ".cc"]

    def test_the_option_is_off_unless_it_is_asked_for(self):
        text = (ROOT / "CMakeLists.txt").read_text()
        self.assertRegex(text, rf'option\({OPTION} "[^"]*" OFF\)')

    def test_nothing_but_the_option_brings_the_hook(self):
        for path in library_files():
            self.assertNotIn(MARK, cut(path.read_text()).lower(), path)

    def test_the_zygote_knows_nothing_of_it(self):
        for path in (ROOT / "zygote").iterdir():
            self.assertNotIn(MARK, path.read_text().lower(), path)

    def test_cutting_cuts(self):
        text = f"a\n#ifdef {OPTION}\nb\n#if X\nc\n#endif\n#else\nd\n#endif\n#ifdef Y\ne\n#else\nf\n#endif\n"
        self.assertEqual(cut(text), "a\nd\n#ifdef Y\ne\n#else\nf\n#endif\n")

    def test_objects_without_the_option_are_those_of_a_tree_without_it(self):
        sources, headers = self.users()
        self.assertTrue(sources)
        self.assertTrue(headers)
        with tempfile.TemporaryDirectory() as folder:
            trees = {name: pathlib.Path(folder, name) for name in ("whole", "cut")}
            for name, tree in trees.items():
                shutil.copytree(ROOT / "sandbox", tree / "sandbox")
                if name == "cut":
                    for path in (tree / "sandbox").rglob("*"):
                        if path.suffix in (".cc", ".h", ".def"):
                            path.write_text(cut(path.read_text()))
            for source in sources:
                objects = {}
                for name, tree in trees.items():
                    objects[name] = pathlib.Path(folder, name + ".o")
                    # Lines are numbered anew by the cut, so nothing that carries them.
                    compile_in(tree, source, objects[name], "-g0")
                self.assertEqual(objects["whole"].read_bytes(), objects["cut"].read_bytes(), source)
                self.assertNotIn(MARK.encode(), objects["whole"].read_bytes(), source)
                with_it = pathlib.Path(folder, "with.o")
                compile_in(trees["whole"], source, with_it, "-g0", f"-D{OPTION}")
                self.assertIn(MARK.encode(), with_it.read_bytes(), source)

    def test_programs_cannot_use_it_without_the_option(self):
        source = '#include "sandbox/compiler/module.h"\nsandglass::ModuleOptions f() { sandglass::ModuleOptions o; o.red_team_code = {}; return o; }\n'
        for option, expected in (([], False), ([f"-D{OPTION}"], True)):
            done = subprocess.run(["g++", "-std=c++20", "-fsyntax-only", f"-I{ROOT}", *option, "-x", "c++", "-"],
                                  input=source, text=True, capture_output=True, check=False)
            self.assertEqual(done.returncode == 0, expected, done.stderr)


if __name__ == "__main__":
    sys.argv_commands = sys.argv.pop(1)
    unittest.main()

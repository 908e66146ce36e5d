#!/usr/bin/env python3
"""The sandglass command against transcripts: usage: transcript_test.py SANDGLASS [--update]

A transcript is a sequence of
    $ sandglass ARGUMENTS     run in an empty folder beside copies of guests/
    text                      what it prints, standard output and standard error in this order
    [STATUS]                  its exit status
`run` is tried on every backend, which must all do the same. --update writes down what is printed now.
"""
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BACKENDS = ["interpreter", "generic"]


def execute(program, arguments, folder):
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(), done.returncode


def outcomes(program, arguments, folder):
    """What happens, by the name of the variant."""
    if arguments[:1] != ["run"] or "--backend" in arguments or "--help" in arguments:
        return {"": execute(program, arguments, folder)}
    return {name: execute(program, [*arguments, "--backend", name], folder) for name in BACKENDS}


def split_transcript(text):
    """[command line, expected text] for every command."""
    parts = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            parts.append([line, ""])
        else:
            parts[-1][1] += line
    return parts


def rendered(outcome):
    text, status = outcome
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}[{status}]\n"


def check(program, path, update):
    failures, new = 0, ""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "guests", folder, dirs_exist_ok=True)
        for command, expected in split_transcript(path.read_text()):
            words = shlex.split(command[2:])
            assert words[0] == "sandglass", f"{path}: {command}"
            actual = {name: rendered(outcome) for name, outcome in outcomes(program, words[1:], folder).items()}
            new += command + next(iter(actual.values()))
            for name, text in actual.items():
                if text != expected and not update:
                    failures += 1
                    print(f"{path.name}: {command.strip()} {name}\n--- expected\n{expected}--- got\n{text}")
    if update:
        path.write_text(new)
    return failures


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    paths = sorted((HERE / "transcripts").glob("*.txt"))
    assert paths, "no transcripts"
    failures = sum(check(program, path, "--update" in sys.argv) for path in paths)
    print(f"{len(paths)} transcripts, {failures} differences")
    return 1 if failures else 0


sys.exit(main())

"""A copy of what is built, for tests that change it."""

import os
import pathlib
import shutil

from engine import ROOT

LEFT_OUT = shutil.ignore_patterns("target", ".git", ".party-gallery", ".env*", "*.pem", "__pycache__")


class Tree:
    """The source in a directory of its own, for who may change it."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "tree"
        shutil.copytree(ROOT, self.path, ignore=LEFT_OUT)

    def change(self, file, text, by, keep_time=False):
        """Puts `by` in the place of a text that is there once. With its time kept the file looks as old as before."""
        path = self.path / file
        before = path.read_text()
        if before.count(text) != 1:
            raise AssertionError(f"{file} has {text!r} {before.count(text)} times")
        time = path.stat().st_mtime_ns
        path.write_text(before.replace(text, by))
        if keep_time:
            os.utime(path, ns=(time, time))

"""A change of the source, built: what is compiled for it, and whether it is in the image."""

import re
import tempfile
import time
import unittest
import uuid

from engine import build, docker
from staging import built
from tree import Tree

TAG = "party-gallery:test-rebuild"
FILE = "src/cli.rs"
BEFORE = "The backend that a party cannot break"
# No layer of an earlier run has it
AFTER = f"The backend of build {uuid.uuid4().hex}"
OURS = {"party-gallery", "party-gallery-actors"}


class Rebuild(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        built()
        cls.tree = Tree(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="party-gallery-")))
        cls.addClassCleanup(docker, "image", "rm", "--force", TAG, check=False)

    def build(self, **options):
        """Builds the copy; gives the names of the crates that were compiled, and what the image says of itself."""
        began = time.monotonic()
        log = build("runner", TAG, directory=self.tree.path, **options)
        took = time.monotonic() - began
        compiled = re.findall(r"^#\d+ [\d.]+ +Compiling (\S+) v", log, re.MULTILINE)
        print(f"\nbuilt in {took:.0f} s, compiled: {compiled}", flush=True)
        return compiled, docker("run", "--rm", "--network", "none", TAG, "--help").splitlines()[0]

    def test_a_change_compiles_no_dependency_and_no_build_is_a_stale_one(self):
        # What the checkout was built of is the same, whatever times its files have
        self.assertEqual(self.build(), ([], BEFORE))
        # The times are kept: who goes by them sees no change
        self.tree.change(FILE, BEFORE, AFTER, keep_time=True)
        compiled, said = self.build()
        self.assertEqual((set(compiled), said), (OURS, AFTER))
        self.assertEqual(len(compiled), len(OURS), "each once")
        self.tree.change(FILE, AFTER, BEFORE, keep_time=True)
        self.assertEqual(self.build(), ([], BEFORE))
        # The same where the layer of before is gone: what was compiled last lies beside it, if anything does
        compiled, said = self.build(without_cache_of="builder")
        self.assertEqual((set(compiled), said), (OURS, BEFORE))

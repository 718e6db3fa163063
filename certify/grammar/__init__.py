"""What a certificate file may hold: every file goes through here before anything of it is looked at.

`shapes` is what the table in `table` is written in. checker.py has a grammar of its own; both are that of
docs/certificate-format.md.
"""

from certify.grammar.reading import LARGEST_FILE, UnusableError, claim_hash, parse, read_file, require_grammar
from certify.grammar.table import LARGEST_PROGRAM, ROW_SHAPES, SCHEMA

__all__ = [
    "LARGEST_FILE",
    "LARGEST_PROGRAM",
    "ROW_SHAPES",
    "SCHEMA",
    "UnusableError",
    "claim_hash",
    "parse",
    "read_file",
    "require_grammar",
]

"""Programs, witnesses and points in a certificate file, whose numbers are exact both ways.

docs/certificate-format.md is the specification. What is decoded has gone through `certify.grammar`; what the
decoders add is whether parts fit together.
"""

from certify.encoding.comparison import same_program
from certify.encoding.numbers import rationals
from certify.encoding.programs import decode_program, encode_program
from certify.encoding.rows import ROW_KINDS, RowKind, decode_table, encode_table
from certify.encoding.witnesses import decode_point, decode_witness, encode_point, encode_witness

__all__ = [
    "ROW_KINDS",
    "RowKind",
    "decode_point",
    "decode_program",
    "decode_table",
    "decode_witness",
    "encode_point",
    "encode_program",
    "encode_table",
    "encode_witness",
    "rationals",
    "same_program",
]

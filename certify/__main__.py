"""`python -m certify` is the command `gramcert`."""

from certify.cli import main

main()

"""`python -m certify` is the command `gramcert`."""

from certify.cli import main

if __name__ == "__main__":
    main()

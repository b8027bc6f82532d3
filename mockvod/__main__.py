"""`python -m mockvod` is the command `mockvod`."""

from mockvod.cli.main import main

if __name__ == "__main__":
    main()

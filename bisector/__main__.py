"""`python -m bisector`: the same command, where the script is not on the path."""

from bisector.cli import main

if __name__ == "__main__":
    main()

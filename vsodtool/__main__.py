"""`python -m vsodtool`."""

from vsodtool.cli import main

if __name__ == "__main__":
    main()

"""``python -m dynparam``: the command line."""

from dynparam.cli.main import main

if __name__ == "__main__":
    main()

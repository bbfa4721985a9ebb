"""The command line: ``dynparam``, or ``python -m dynparam``."""

import sys


def main() -> None:
    """Run it. Without what it needs besides the library it says what to install."""
    try:
        from dynparam.cli.main import main as run
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "dynparam":
            raise
        sys.exit(
            f"dynparam: the commands need {error.name}, which the library does without; "
            "pip install 'dynparam[workflow]'"
        )
    run()


if __name__ == "__main__":
    main()

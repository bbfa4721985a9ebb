"""The command line: ``dynparam``, or ``python -m dynparam``."""

import sys


def main() -> None:
    """Run it. A command that needs more than the package says what to install."""
    try:
        from dynparam.cli.main import main as run

        run()
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "dynparam":
            raise
        sys.exit(
            f"dynparam: this command needs {error.name}, which the library does without; "
            "pip install 'dynparam[workflow]'"
        )


if __name__ == "__main__":
    main()

"""The help: what every command shows of itself, at any width; and what wrong usage is told."""

import io
import re
import sys
from contextlib import redirect_stdout

import pytest
import typer
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.cli.help import INTERNALS, RUN, TRY
from dynparam.report.stages import STAGES

RAW = re.compile(r"<\w+>|\bint range\b|list\[|\[x[<>]|Input should|Value error|╭|│")
"""What typer and pydantic write by themselves."""

WIDTHS = (52, 80, 200)


PROGRAM = typer.main.get_command(main.app)


def commands(group=PROGRAM, path=()):
    """Every command and group by its words."""
    found = {path: group}
    for name, command in getattr(group, "commands", {}).items():
        found |= commands(command, (*path, name))
    return found


COMMANDS = commands()


def called(*arguments, columns=80):
    """What the program prints on a terminal of so many columns."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setenv("COLUMNS", str(columns))
        assert not PROGRAM.main([*arguments], prog_name="dynparam", standalone_mode=False)
    return printed.getvalue()


def shown(*words, columns=80):
    return called(*words, "--help", columns=columns)


def told(monkeypatch, capsys, *arguments):
    """What the program prints of wrong usage, its exit code checked."""
    monkeypatch.setattr(sys, "argv", ["dynparam", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    return printed.err


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_is_wider_than_the_terminal(columns):
    """But for what cannot be broken: a name of an option, and examples, which are there to be copied."""
    for words, command in COMMANDS.items():
        kept = set((command.epilog or "").splitlines())
        for line in shown(*words, columns=columns).splitlines():
            unbreakable = line.strip() in kept or " " not in line.strip() or line.startswith("  --")
            assert len(line) <= columns or unbreakable, line


def test_help_has_no_words_of_the_library():
    for words in COMMANDS:
        assert not RAW.search(shown(*words)), words


def test_words_of_the_library_would_be_noticed():
    app = typer.Typer()

    @app.command()
    def plain(threads: int = typer.Option(1, min=1)) -> None:
        """Typer's own help."""

    assert RAW.search(CliRunner().invoke(app, ["--help"]).stdout)


def test_h_is_short_for_help():
    for words in COMMANDS:
        assert called(*words, "-h") == shown(*words), words


@pytest.mark.parametrize("words", [words for words, one in COMMANDS.items() if hasattr(one, "commands")])
def test_a_group_called_alone_shows_its_help(words):
    assert called(*words) == shown(*words)


def listed():
    """The commands that the program's help lists, by their headings, in order."""
    found, heading = {}, None
    for line in shown().splitlines():
        if re.match(r"\S.*:$", line):
            heading = line.removesuffix(":")
        elif heading in (TRY, RUN, INTERNALS) and re.match(r"  \S", line):
            found.setdefault(heading, []).append(line.split()[0])
    return found


def test_the_program_shows_its_commands_in_groups():
    found = listed()
    assert list(found) == [TRY, RUN, INTERNALS]
    assert all(names == sorted(names) for names in found.values())
    everything = sorted(name for names in found.values() for name in names)
    assert everything == sorted(PROGRAM.commands)
    assert found[TRY] == ["demo", "measure", "orders", "probe"]
    assert {"status", "verify", "train", "data"} <= set(found[RUN])


@pytest.mark.parametrize("words", [w for w, c in COMMANDS.items() if hasattr(c, "commands")])
def test_a_command_is_listed_with_its_whole_first_sentence(words):
    """No line ends behind an abbreviation, as ``(Fig.`` did."""
    lines = shown(*words, columns=400).splitlines()
    for name, command in COMMANDS[words].commands.items():
        (line,) = [one for one in lines if re.match(rf"  {name}  ", one)]
        sentence = line.removeprefix(f"  {name}").strip()
        assert " ".join(command.help.split()).startswith(sentence.removesuffix("."))
        assert not re.search(r"\b(Figs?|eqs?|Sec)\.$", sentence)
        assert sentence.count("(") == sentence.count(")")


def test_what_rules_call_and_nobody_else_is_among_the_internals():
    by_hand = {name.split()[0] for name in main.BY_HAND}
    internal = {stage.command.split()[0] for stage in STAGES.values()} - by_hand
    assert internal <= set(listed()[INTERNALS])


def test_every_argument_and_option_is_explained():
    for words, command in COMMANDS.items():
        for parameter in command.params:
            assert parameter.help, (words, parameter.name)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nosuch", "no such command 'nosuch'; see dynparam --help"),
        ("stats", "no such command 'stats'. Did you mean 'status', 'rates'? see dynparam --help"),
        ("status --jsn", "no such option: --jsn (Possible options: --json); see dynparam status --help"),
        ("fit x.csv", "missing option '--output'; see dynparam fit --help"),
        (
            "train bird-cat",
            "missing argument 'parametrization'. Choose from: ntk, mup, spectral, dynamic, standard; "
            "see dynparam train --help",
        ),
        (
            "train bird-cat sp",
            "invalid value for 'parametrization': 'sp' is not one of 'ntk', 'mup', 'spectral', "
            "'dynamic', 'standard'; see dynparam train --help",
        ),
        (
            "probe fig3_3_dynamic --threads 0",
            "invalid value for '--threads': it takes at least 1; see dynparam probe --help",
        ),
        (
            "fit x.csv --from many --output y.csv",
            "invalid value for '--from': it takes a whole number; see dynparam fit --help",
        ),
        (
            "measure --widths 1,1 --parametrization ntk --learning-rate fast",
            "invalid value for '--learning-rate': it takes a number; see dynparam measure --help",
        ),
        ("probe --output", "option '--output' requires an argument; see dynparam --help"),
        ("probe a b", "got unexpected extra argument(s) (b); see dynparam probe --help"),
    ],
)
def test_wrong_usage_is_one_sentence_that_names_the_help(monkeypatch, capsys, line, sentence):
    assert told(monkeypatch, capsys, *line.split()) == f"dynparam: {sentence}\n"


def test_choices_of_a_stage_s_option_are_shown():
    assert "--errors bootstrap|linearized" in shown("fit")
    assert "--engine dense|law" in shown("probe")
    assert "--device auto|cpu|cuda" in shown("train")

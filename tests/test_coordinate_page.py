"""The page on coordinate checks: its example runs and prints what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "coordinate-check.md"


def test_the_example_prints_what_the_page_shows(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text()
    code = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    exec(compile(code, str(PAGE), "exec"), {"__name__": "page"})
    assert capsys.readouterr().out.strip() == re.search(r"```text\n(.*?)```", text, re.DOTALL)[1].strip()
    assert (tmp_path / "check.png").exists()

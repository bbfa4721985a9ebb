"""JSON that carries a digest of itself and of whose it is, so that any changed byte shows.

A sealed text is one line: ``{"sha256": ..., "of": ..., "content": ...}``. It guards against damage and
against mistakes, such as a file renamed to another's name; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


class SealError(ValueError):
    """Text that is not what was sealed, or not for what is asked; says which."""


def seal(content: Any, of: str) -> str:
    """``content`` as one line of JSON, without its end, for the run or measurement named ``of``."""
    digest = hashlib.sha256(json.dumps([of, content]).encode()).hexdigest()
    return json.dumps({"sha256": digest, "of": of, "content": content})


def unseal(text: str, of: str) -> Any:
    """What was sealed for ``of``. Raises ``SealError`` if any byte of it has changed since.

    >>> unseal(seal([1, 2.5], "run 7"), "run 7")
    [1, 2.5]
    """
    try:
        values = json.loads(text)
        content, owner = values["content"], values["of"]
        untouched = seal(content, owner) == text
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SealError("not sealed JSON") from None
    if not untouched:
        raise SealError("its checksum does not fit its content")
    if owner != of:
        raise SealError("it belongs to another")
    return content

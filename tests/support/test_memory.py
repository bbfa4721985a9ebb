import psutil
import pytest

from dynparam.support.errors import ConfigError
from dynparam.support.memory import require_memory


def test_what_fits_to_the_byte_is_let_through():
    assert require_memory(1000, "things", "take fewer", limit=1000) is None
    assert require_memory(0, "things", "take fewer") is None
    with pytest.raises(ConfigError, match=r"are allowed; take fewer$"):
        require_memory(1001, "things", "take fewer", limit=1000)


def test_what_does_not_fit_is_told_before_it_is_asked_for():
    with pytest.raises(
        ConfigError, match=r"^things need 3\.00 GiB and 2\.00 GiB are allowed; take fewer$"
    ):
        require_memory(3 * 2**30, "things", "take fewer", limit=2 * 2**30)
    with pytest.raises(ConfigError, match=r"^things need .* GiB are free; take fewer$"):
        require_memory(2 * psutil.virtual_memory().total, "things", "take fewer")

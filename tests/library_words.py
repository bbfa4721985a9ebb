"""Words of pydantic's that no sentence of ours has: told to a user, they explain nothing."""

import re

LIBRARY = re.compile(r"Input should|Value error|valid |unable to parse|pydantic|\[type=|should have at")

"""How large are random fluctuations in layers of few units? Ch. 4; Hanin (2018)."""

"""Is a network lazy or rich: does it train as its linearization? Eqs. 1.8-1.12, Table 1.1."""

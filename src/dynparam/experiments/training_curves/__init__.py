"""Does dynamic parametrization train better than spectral? Figs. 3.4 and 3.5, Sec. 3.3."""

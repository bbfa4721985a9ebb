"""Does dynamic parametrization train better than spectral if each has its own best rate? Sec. 3.3."""

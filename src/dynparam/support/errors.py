"""Errors a person can act on: one sentence that names the culprit and the remedy."""

from __future__ import annotations


class DynparamError(Exception):
    """Bad input or a failed step, told in one sentence; the command line prints it and exits.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 1


class ConfigError(DynparamError):
    """A configuration that cannot be used: an unknown key, a wrong value, a missing file."""


class ModelError(DynparamError):
    """A model that a parametrization cannot be applied to; names the module and what to do."""


class DataError(DynparamError):
    """Data that cannot be had or trusted: no archive, a wrong hash, too few images."""


class NonFiniteError(DynparamError):
    """A computation that produced NaN or infinity; says where."""


class CheckpointError(DynparamError):
    """A checkpoint that must not be used: damaged, or of another run."""


class AuditError(DynparamError):
    """An archived curve that training here does not reproduce."""

    exit_code = 4


class InterruptedRunError(DynparamError):
    """Work that a signal stopped, with all of it saved."""

    def __init__(self, message: str, number: int) -> None:
        """``number`` is the signal's; the exit code is what a shell reports of a process it ended."""
        super().__init__(message)
        self.exit_code = 128 + number

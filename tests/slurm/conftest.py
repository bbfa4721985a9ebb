"""The workflow tests' data and sandboxes, for a cluster."""

from tests.workflow.conftest import data, extracted, extracted_once, invented, shared

__all__ = ["data", "extracted", "extracted_once", "invented", "shared"]

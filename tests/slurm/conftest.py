"""The workflow tests' data and sandboxes, for a cluster."""

from tests.workflow.conftest import extracted, extracted_once, invented

__all__ = ["extracted", "extracted_once", "invented"]

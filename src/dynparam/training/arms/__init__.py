"""Runs that differ in rate, initial scales, decay or updates: trained, archived, audited, read."""

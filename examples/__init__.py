"""Worked examples: what each shows is on its page in docs/examples/."""

"""``make fuzz``: damaged files by the thousand, for everything that reads what users bring.

A reader may refuse a file with one of the package's own errors, and nothing else: no other
exception, no long time, no much memory. What was found once stays in the tests as a case.
"""

from tests.fuzz.targets import TARGETS

__all__ = ["TARGETS"]

"""What happened in a capture: who was master when, and everything that was wrong.

`report.audit` reads a capture; `findings.CATALOGUE` lists what it can find.
"""

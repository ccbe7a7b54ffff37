"""The Test Anything Protocol for checks: pairs of what holds and a function that yields what is wrong, a line each."""

MOST_LINES = 30


class Skip(Exception):
    """Raised by a check that cannot be made here; says why."""


def run(checks):
    """Makes the checks in order; returns whether one failed."""
    failed = False
    print(f"1..{len(checks)}")
    for number, (what, check) in enumerate(checks, 1):
        try:
            wrong = list(check())
        except Skip as why:
            print(f"ok {number} - {what} # SKIP {why}")
            continue
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
        for line in wrong[:MOST_LINES]:
            print(f"#   {line}")
        if len(wrong) > MOST_LINES:
            print(f"#   and {len(wrong) - MOST_LINES} more")
        failed |= bool(wrong)
    return failed

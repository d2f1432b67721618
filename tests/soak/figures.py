"""What is made of the figures: percentiles, and what counts as flat. Nothing here runs anything."""
import statistics

# Of memory, descriptors and threads, which are counted while nothing runs but the held sessions, so
# that chance has no part in them.
TOLERANCE = 0.02

# Of latencies. A machine that others use too may be twice as slow for a third of the time; what grows
# with what the server has seen (a list that is walked, a table that fills) is slower without end, and
# over an hour many times as slow. Times of some milliseconds are the scheduler's and the driver's as
# much as the server's: hence what is allowed besides. The 99th percentile of an interval is a handful of
# the slowest visits, which a burst of a neighbour's is enough for.
P50_TIMES, P50_MORE = 3, 5  # ms
P99_TIMES, P99_MORE = 5, 200


def percentile(values, percent):
    """By nearest rank; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def thirds(values):
    """The second and the last third; what does not divide is the first's."""
    n = len(values) // 3
    return values[len(values) - 2 * n : len(values) - n], values[len(values) - n :]


def known(values):
    return [value for value in values if value is not None]


def medians_of_thirds(values):
    """Of the second and the last third; None where one has no values."""
    second, last = map(known, thirds(values))
    if not second or not last:
        return None
    return statistics.median(second), statistics.median(last)


def is_flat(values):
    """(whether it is, why)"""
    medians = medians_of_thirds(values)
    if not medians:
        return False, "too few intervals"
    second, last = medians
    change = (last - second) / second if second else float(last != second)
    return abs(change) <= TOLERANCE, f"{second:.0f}, then {last:.0f} ({change:+.2%})"


def has_held(values, times, more):
    """Of latencies in ms: (whether the last third is not much slower than the second, why)"""
    medians = medians_of_thirds(values)
    if not medians:
        return False, "too few intervals"
    second, last = medians
    return last <= times * second + more, f"{second:.2f} ms, then {last:.2f} ms"


def p50_has_held(values):
    return has_held(values, P50_TIMES, P50_MORE)


def p99_has_held(values):
    return has_held(values, P99_TIMES, P99_MORE)

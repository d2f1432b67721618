"""What is made of the figures: percentiles, and what counts as flat. Nothing here runs anything."""
import statistics

# Of memory, descriptors and threads, which are counted while nothing runs but the held sessions, so
# that chance has no part in them.
TOLERANCE = 0.02

# Of latencies. Programs that share the machine make visits slower, by bursts; so of each third the
# quietest interval counts, which is what the server can do. Even that may be some times as much where a
# neighbour is at work for all of a third, and times of some milliseconds are the scheduler's and the
# driver's as much as the server's: hence what is allowed besides. What grows with what the server has
# seen (a list that is walked, a table that fills) becomes slower without end, and goes past that. The
# 99th percentile of an interval is a handful of its slowest visits.
P50_TIMES, P50_MORE = 3, 5  # ms
P99_TIMES, P99_MORE = 5, 100


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


def of_thirds(values, figure):
    """The figure of the second and of the last third; None where one has no values."""
    second, last = map(known, thirds(values))
    if not second or not last:
        return None
    return figure(second), figure(last)


def is_flat(values):
    """(whether it is, why)"""
    medians = of_thirds(values, statistics.median)
    if not medians:
        return False, "too few intervals"
    second, last = medians
    change = (last - second) / second if second else float(last != second)
    return abs(change) <= TOLERANCE, f"{second:.0f}, then {last:.0f} ({change:+.2%})"


def has_held(values, times, more):
    """Of latencies in ms: (whether the last third is not much slower than the second, why)"""
    lowest = of_thirds(values, min)
    if not lowest:
        return False, "too few intervals"
    second, last = lowest
    return last <= times * second + more, f"{second:.2f} ms, then {last:.2f} ms"


def p50_has_held(values):
    return has_held(values, P50_TIMES, P50_MORE)


def p99_has_held(values):
    return has_held(values, P99_TIMES, P99_MORE)

"""The pure pieces of soak: what counts as flat, whose bytes are whose, which lines of a log are expected."""
import sys

sys.dont_write_bytecode = True

import threading
import unittest

import content
import figures
import server
import world


class Percentiles(unittest.TestCase):
    def test_are_values_that_were_there(self):
        self.assertEqual(figures.percentile([5, 1, 3, 2, 4], 50), 3)
        self.assertEqual(figures.percentile(list(range(1, 101)), 99), 99)
        self.assertEqual(figures.percentile([7], 99), 7)

    def test_of_nothing_are_none(self):
        self.assertIsNone(figures.percentile([], 50))


class Thirds(unittest.TestCase):
    def test_leave_what_does_not_divide_to_the_first(self):
        self.assertEqual(figures.thirds([0, 0, 1, 1, 2, 2]), ([1, 1], [2, 2]))
        self.assertEqual(figures.thirds([0, 0, 0, 0, 1, 1, 2, 2]), ([1, 1], [2, 2]))

    def test_of_less_than_three_are_empty(self):
        self.assertEqual(figures.thirds([1, 2]), ([], []))


class Flatness(unittest.TestCase):
    def flat(self, values):
        return figures.is_flat(values)[0]

    def test_holds_within_two_percent(self):
        self.assertTrue(self.flat([0, 0, 1000, 1000, 1020, 1020]))
        self.assertFalse(self.flat([0, 0, 1000, 1000, 1021, 1021]))

    def test_is_lost_downwards_too(self):
        self.assertTrue(self.flat([0, 1000, 980]))
        self.assertFalse(self.flat([0, 1000, 979]))

    def test_does_not_ask_about_the_first_third(self):
        self.assertTrue(self.flat([1, 50000, 1000, 1000, 1000, 1000]))

    def test_one_interval_that_stands_out_does_not_count(self):
        self.assertTrue(self.flat([9, 9, 9, 1000, 1000, 1000, 1000, 5000, 1000]))

    def test_sees_a_descriptor_that_is_lost_each_minute(self):
        self.assertFalse(self.flat([100 + minute for minute in range(60)]))

    def test_sees_a_slow_leak(self):
        self.assertFalse(self.flat([25000 + 40 * row for row in range(60)]))

    def test_needs_values_in_both_thirds(self):
        self.assertFalse(self.flat([]))
        self.assertFalse(self.flat([1, 1]))
        self.assertFalse(self.flat([1, 1, None]))

    def test_of_nothing_used_is_nothing_used(self):
        self.assertTrue(self.flat([0, 0, 0]))
        self.assertFalse(self.flat([0, 0, 1]))


class Latencies(unittest.TestCase):
    def test_may_be_those_of_a_busier_machine(self):
        self.assertTrue(figures.p50_has_held([1, 1, 6])[0])
        self.assertTrue(figures.p50_has_held([1, 20, 65])[0])
        self.assertTrue(figures.p99_has_held([1, 20, 200])[0])

    def test_may_not_grow_without_end(self):
        self.assertFalse(figures.p50_has_held([1, 2, 12])[0])
        self.assertFalse(figures.p99_has_held([1, 100, 601])[0])

    def test_are_those_of_the_quietest_interval(self):
        self.assertTrue(figures.p50_has_held([1, 1, 1, 1, 2, 900, 900, 900, 3])[0])
        self.assertFalse(figures.p50_has_held([1, 1, 1, 900, 2, 900, 90, 90, 90])[0])

    def test_may_always_be_shorter(self):
        self.assertTrue(figures.p50_has_held([1, 900, 1])[0])

    def test_intervals_without_any_are_passed_over(self):
        self.assertTrue(figures.p50_has_held([None, None, 5, None, None, 5])[0])
        self.assertFalse(figures.p50_has_held([1, 1, None])[0])


class Contents(unittest.TestCase):
    def test_are_right_however_they_are_cut(self):
        data = b"".join(content.pieces(5, 150000))
        for size in (1, 1448, 65536, 150000):
            check = content.Check(5)
            for at in range(0, len(data) if size > 1 else 3000, size):
                check.take(data[at : at + size])
            self.assertIsNone(check.wrong_at)

    def test_of_another_seed_or_place_are_wrong(self):
        for data in (content.piece(6, 0, 100), content.piece(5, 1, 100)):
            check = content.Check(5)
            check.take(bytes(data))
            self.assertEqual(check.wrong_at, 0)

    def test_tell_the_piece_with_the_first_wrong_byte(self):
        data = bytearray(b"".join(content.pieces(5, 3000)))
        data[1500] ^= 1
        check = content.Check(5)
        for at in range(0, 3000, 1000):
            check.take(bytes(data[at : at + 1000]))
        self.assertEqual((check.wrong_at, check.taken), (1000, 3000))


class LogLines(unittest.TestCase):
    def unexpected(self, line):
        s = server.Server.__new__(server.Server)
        s.lines, s.unexpected = 0, []
        s.take_line(line)
        return s.unexpected

    def test_of_information_are_expected(self):
        self.assertFalse(self.unexpected('time=x level=info msg="anything at all"'))

    def test_of_warning_are_where_they_are_known(self):
        self.assertFalse(self.unexpected('time=x level=warn msg="ban begun" client=127.0.0.1'))
        self.assertTrue(self.unexpected('time=x level=warn msg="the periodic job \\"idle\\" took 900 ms"'))

    def test_of_error_are_not(self):
        self.assertTrue(self.unexpected('time=x level=error msg="out of memory"'))
        self.assertTrue(self.unexpected("malloc(): corrupted top size"))

    def test_have_fields(self):
        self.assertEqual(server.field(r'a msg="b \"c\" d" e=f', "msg"), r"b \"c\" d")
        self.assertEqual(server.field("a msg=stopped e=f", "e"), "f")
        self.assertEqual(server.field("a msg=stopped", "e"), "")


class Gates(unittest.TestCase):
    def test_close_behind_the_last_who_is_inside(self):
        gate, left = world.Gate(), threading.Event()

        def be_inside():
            with gate.passed("work"):
                entered.set()
                may_go.wait()
            left.set()

        entered, may_go = threading.Event(), threading.Event()
        thread = threading.Thread(target=be_inside)
        thread.start()
        entered.wait()
        self.assertEqual(gate.close(0), ["work"])
        may_go.set()
        self.assertEqual(gate.close(60), [])
        thread.join()
        self.assertTrue(left.is_set())


if __name__ == "__main__":
    unittest.main()

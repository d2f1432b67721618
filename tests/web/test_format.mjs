// format.js, the pure part of the pages' scripts: values as people read them, the server's times,
// and scales. Run by test_scripts.sh, which says in FORMAT where it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const source = readFileSync(process.env.FORMAT, "utf8");
const format = await import("data:text/javascript;base64," + Buffer.from(source).toString("base64"));

const plain = (text) => text.replaceAll("\u00a0", " ");

function assertAll(name, rows) {
	for (const [value, expected] of rows)
		assert.equal(plain(format[name](value)), expected, name + "(" + value + ")");
}

test("bytes have three digits and decimal units", () => assertAll("formatBytes", [
	[0, "0 B"], [1, "1 B"], [999, "999 B"], [1000, "1.00 kB"], [1234, "1.23 kB"],
	[12345, "12.3 kB"], [123456, "123 kB"], [999499, "999 kB"], [999500, "1.00 MB"],
	[1e9, "1.00 GB"], [2.5e12, "2.50 TB"], [3e15, "3.00 PB"], [3e18, "3000 PB"],
	[null, "–"], [undefined, "–"], [NaN, "–"], ["12", "–"],
]));

test("rates are told in bits", () => assertAll("formatRate", [
	[0, "0 bit/s"], [1, "8 bit/s"], [125, "1.00 kbit/s"], [1.25e6, "10.0 Mbit/s"],
	[1.25e8, "1.00 Gbit/s"], [null, "–"],
]));

test("counts have their thousands apart", () => assertAll("formatCount", [
	[0, "0"], [999, "999"], [1000, "1,000"], [1234567, "1,234,567"], [null, "–"],
]));

test("durations have two units", () => assertAll("formatDuration", [
	[0, "0 s"], [0.0004, "1 ms"], [0.0123, "12 ms"], [1.9, "1 s"], [59, "59 s"], [60, "1 min 00 s"],
	[3599, "59 min 59 s"], [3600, "1 h 00 min"], [86399, "23 h 59 min"], [86400, "1 d 00 h"],
	[90061, "1 d 01 h"], [null, "–"],
]));

test("shares of nothing are not told", () => {
	assert.equal(plain(format.formatShare(1, 8)), "13 %");
	assert.equal(plain(format.formatShare(0, 8)), "0 %");
	assert.equal(format.formatShare(0, 0), "–");
});

test("round values have no zeros behind the point", () => assertAll("withoutZeros", [
	["5.00 GB", "5 GB"], ["2.50 GB", "2.5 GB"], ["100 GB", "100 GB"], ["0 B", "0 B"],
	["20.0 Mbit/s", "20 Mbit/s"],
]));

const central = "7200 1774746000:3600 1761440400:7200"; // of Europe, in summer 2026

test("the server's local times are found through the changes of its clock", () => {
	const zone = format.readZone(central);
	const at = (text) => format.parseServerTime(text, zone);
	assert.equal(at("2026-07-01T12:00:00"), Date.UTC(2026, 6, 1, 10));
	assert.equal(at("2026-03-29T03:00:00"), Date.UTC(2026, 2, 29, 1));
	assert.equal(at("2026-03-29T01:59:59"), Date.UTC(2026, 2, 29, 0, 59, 59));
	assert.equal(at("2026-01-15 12:00:00"), Date.UTC(2026, 0, 15, 11));
	assert.equal(at("2025-10-01T12:00"), Date.UTC(2025, 9, 1, 10));
	assert.equal(at("2025-10-01"), Date.UTC(2025, 8, 30, 22));
	for (const text of ["never", "", null, undefined, "2026-07-01T12", "12:00:00"])
		assert.ok(Number.isNaN(at(text)), String(text));
});

test("without a zone the times are UTC", () => {
	for (const text of ["", undefined, "0", "x"])
		assert.deepEqual(format.readZone(text), { now: 0, changes: [] });
	assert.equal(format.parseServerTime("2026-07-01T12:00:00", format.readZone("")),
		Date.UTC(2026, 6, 1, 12));
});

test("a time of today has no date", () => {
	const now = new Date(2026, 6, 1, 18, 0, 0).getTime();
	assert.equal(format.formatTime(new Date(2026, 6, 1, 9, 5, 7).getTime(), now), "09:05:07");
	assert.equal(plain(format.formatTime(new Date(2026, 5, 30, 9, 5, 7).getTime(), now)),
		"2026-06-30 09:05:07");
	assert.equal(format.formatTime(NaN, now), "–");
	assert.equal(format.formatClock(now), "18:00");
	assert.equal(format.formatClock(now, true), "18:00:00");
});

test("an axis has some round steps, and reaches over the largest value", () => {
	assert.deepEqual(format.scaleTicks(100), [0, 50, 100]);
	assert.deepEqual(format.scaleTicks(101), [0, 50, 100, 150]);
	assert.deepEqual(format.scaleTicks(7), [0, 2, 4, 6, 8]);
	assert.deepEqual(format.scaleTicks(1), [0, 0.5, 1]);
	assert.deepEqual(format.scaleTicks(0), [0, 1]);
	assert.deepEqual(format.scaleTicks(NaN), [0, 1]);
	for (let most = 1; most < 1e13; most *= 1.7) {
		const ticks = format.scaleTicks(most);
		assert.ok(ticks.length >= 3 && ticks.length <= 6, most + ": " + ticks);
		assert.ok(ticks[ticks.length - 1] >= most * 0.999);
	}
});

test("a time axis has full minutes, quarters and hours", () => {
	const end = new Date(2026, 6, 1, 18, 2, 30).getTime();
	const clocks = (seconds, wanted) => format.timeTicks(end - seconds * 1000, end, wanted)
		.map((t) => format.formatClock(t));
	assert.deepEqual(clocks(300, 8), ["17:58", "17:59", "18:00", "18:01", "18:02"]);
	assert.deepEqual(clocks(3600, 5), ["17:15", "17:30", "17:45", "18:00"]);
	assert.deepEqual(clocks(86400, 8), ["21:00", "00:00", "03:00", "06:00", "09:00", "12:00", "15:00",
		"18:00"]);
});

// Values as text, with their units, and the scales of plots. Pure: nothing here looks at the page,
// so that tests/web/test_format.mjs needs no browser.

const NO_BREAK = "\u00a0";

// Three digits that count, and no more than `most` behind the point: 1.23, 12.3, 123.
function threeDigits(value, most = 2) {
	const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
	return value.toFixed(Math.min(digits, most));
}

function withPrefix(value, unit, prefixes) {
	let step = 0;
	let scaled = Math.abs(value);
	// Not 1000 of one, but 1 of the next, also where it is only rounded up to that.
	while (step < prefixes.length - 1 && scaled >= 999.5) {
		scaled /= 1000;
		step++;
	}
	const number = step === 0 ? scaled.toFixed(0) : threeDigits(scaled);
	return (value < 0 ? "−" : "") + number + NO_BREAK + prefixes[step] + unit;
}

export function isNumber(value) {
	return typeof value === "number" && Number.isFinite(value);
}

// Decimal, as the settings are: 1 kB is 1,000 bytes.
export function formatBytes(bytes) {
	return isNumber(bytes) ? withPrefix(bytes, "B", ["", "k", "M", "G", "T", "P"]) : "–";
}

// Of bytes a second, in bits, as lines and limits are told.
export function formatRate(bytesPerSecond) {
	return isNumber(bytesPerSecond)
		? withPrefix(bytesPerSecond * 8, "bit/s", ["", "k", "M", "G", "T"]) : "–";
}

export function formatCount(value) {
	return isNumber(value) ? Math.round(value).toLocaleString("en") : "–";
}

const two = (value) => String(value).padStart(2, "0");

// Of seconds: the two largest units that there are.
export function formatDuration(seconds) {
	if (!isNumber(seconds))
		return "–";
	if (seconds > 0 && seconds < 1)
		return Math.max(1, Math.round(seconds * 1000)) + NO_BREAK + "ms";
	const s = Math.floor(seconds);
	const parts = (big, bigUnit, small, smallUnit) =>
		big + NO_BREAK + bigUnit + NO_BREAK + two(small) + NO_BREAK + smallUnit;
	if (s < 60)
		return s + NO_BREAK + "s";
	if (s < 3600)
		return parts(Math.floor(s / 60), "min", s % 60, "s");
	if (s < 86400)
		return parts(Math.floor(s / 3600), "h", Math.floor(s / 60) % 60, "min");
	return parts(Math.floor(s / 86400), "d", Math.floor(s / 3600) % 24, "h");
}

export function formatShare(part, whole) {
	return isNumber(part) && isNumber(whole) && whole > 0
		? (100 * part / whole).toFixed(0) + NO_BREAK + "%" : "–";
}

// ---- times ----

// What the server says of its clock: "7200 1774746000:3600", the seconds east of UTC now, and for
// each change, newest first, when it was and what they were before.
export function readZone(text) {
	const [now, ...changes] = String(text || "0").trim().split(/\s+/);
	return {
		now: Number(now) || 0,
		changes: changes.map((change) => change.split(":").map(Number)),
	};
}

// A local time of the server, "2026-11-27T09:05:25" or with a blank, in milliseconds since 1970;
// NaN where it is none.
export function parseServerTime(text, zone) {
	const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text || "");
	if (!match)
		return NaN;
	const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part || 0));
	const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
	let offset = zone.now;
	for (const [at, before] of zone.changes) {
		if (asUtc - offset * 1000 >= at * 1000)
			break;
		offset = before;
	}
	return asUtc - offset * 1000;
}

// The day without the clock where it is today's.
export function formatTime(ms, now = Date.now()) {
	if (!isNumber(ms))
		return "–";
	const t = new Date(ms);
	const clock = two(t.getHours()) + ":" + two(t.getMinutes()) + ":" + two(t.getSeconds());
	return t.toDateString() === new Date(now).toDateString()
		? clock : formatDay(ms) + NO_BREAK + clock;
}

export function formatClock(ms, withSeconds) {
	const t = new Date(ms);
	return two(t.getHours()) + ":" + two(t.getMinutes()) +
		(withSeconds ? ":" + two(t.getSeconds()) : "");
}

export function formatDay(ms) {
	const t = new Date(ms);
	return t.getFullYear() + "-" + two(t.getMonth() + 1) + "-" + two(t.getDate());
}

// ---- scales ----

// What an axis from 0 to at least `most` shows: steps of 1, 2 or 5, some `wanted` of them.
export function scaleTicks(most, wanted = 4) {
	if (!(most > 0))
		return [0, 1];
	const rough = most / wanted;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999999);
	const ticks = [];
	for (let i = 0; ticks.length === 0 || ticks[ticks.length - 1] < most * 0.999999; i++)
		ticks.push(i * step);
	return ticks;
}

// A round value at an axis: 5 GB, not 5.00 GB.
export function withoutZeros(text) {
	return text.replace(/\.(\d*?)0+(?=\D)/, (_, digits) => (digits ? "." + digits : ""));
}

const TIME_STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

// Full minutes, quarters, hours of the browser's clock between two times, `wanted` at most.
export function timeTicks(from, to, wanted) {
	const step = 1000 * (TIME_STEPS.find((s) => (to - from) / 1000 / s <= wanted) || 86400);
	const east = -new Date(to).getTimezoneOffset() * 60000;
	const ticks = [];
	for (let t = Math.ceil((from + east) / step) * step - east; t <= to; t += step)
		ticks.push(t);
	return ticks;
}

// Own: what whoever is logged in uses and may use.

import {
	breakable, byId, formatBytes, formatRate, formatTime, get, loggedInAs, make, makeTable, poll,
	serverTime,
} from "./app.js";

const me = loggedInAs();

// ---- limits ----

const fact = (name, ...value) => [make("dt", {}, name), make("dd", {}, ...value)];

const timeText = (text) => formatTime(serverTime(text));

function quotaFact(limits) {
	if (limits.quota === undefined || limits.quota === null)
		return fact("Quota", "none");
	const all = limits.used + limits.left;
	return fact("Quota", limits.quota, ": ", formatBytes(limits.used), " used, ",
		formatBytes(limits.left), " left",
		...(limits.until ? [", until " + timeText(limits.until)] : []),
		make("meter", { min: 0, max: all, value: limits.used, high: all * 0.8, optimum: 0,
			"aria-label": "Used of the quota" }));
}

function showLimits(limits) {
	byId("limits").replaceChildren(make("dl", { class: "facts" },
		...quotaFact(limits),
		...fact("Rate", limits.rate || "not limited"),
		...fact("Sessions at once", (limits.running ?? 0) + " run now, of " + (limits.sessions ?? "any number")),
		...(limits.sessions_client ? fact("From one address", String(limits.sessions_client)) : []),
		...(limits.groups ? fact("Groups", ...breakable(limits.groups)) : []),
		...(limits.from ? fact("From", ...breakable(limits.from)) : []),
		...(limits.expires ? fact("Until", timeText(limits.expires)) : [])));
}

// ---- sessions ----

const sessions = makeTable(byId("sessions-table"), {
	label: "Your sessions",
	columns: [
		{ key: "target", label: "Target", wide: true, value: (s) => s.target || "–",
			fill: (cell, s) => cell.replaceChildren(...breakable(s.target || "–")) },
		{ key: "client", label: "From", value: (s) => s.client },
		{ key: "age", label: "Age", kind: "duration" },
		{ key: "received_rate", label: "Down", kind: "rate",
			text: (s) => formatRate(s.received_rate) + " " + formatBytes(s.received),
			fill: (cell, s) => cell.replaceChildren(formatRate(s.received_rate),
				make("small", {}, formatBytes(s.received))) },
		{ key: "sent_rate", label: "Up", kind: "rate",
			text: (s) => formatRate(s.sent_rate) + " " + formatBytes(s.sent),
			fill: (cell, s) => cell.replaceChildren(formatRate(s.sent_rate),
				make("small", {}, formatBytes(s.sent))) },
	],
	key: (s) => s.id,
	sort: { key: "received_rate", down: true },
	empty: "You have no session now.",
});

// ---- usage ----

const PERIODS = [["today", "Today"], ["week", "This week"], ["month", "This month"]];

async function figuresOf(word) {
	const answer = await get("usage", me, word);
	return answer.usage[0] || { sessions: 0, refused: 0, sent: 0, received: 0, seconds: 0 };
}

const usage = makeTable(byId("usage-table"), {
	label: "What you have used",
	columns: [
		{ key: "order", label: "When", value: (u) => u.order, text: (u) => u.title },
		{ key: "received", label: "Down", kind: "bytes" },
		{ key: "sent", label: "Up", kind: "bytes" },
		{ key: "sessions", label: "Sessions", kind: "count" },
		{ key: "refused", label: "Refused", kind: "count" },
		{ key: "seconds", label: "Time", kind: "duration" },
	],
	key: (u) => u.order,
	sort: { key: "order", down: false },
	empty: "That is not kept here.",
});

async function showUsage() {
	try {
		const figures = await Promise.all(PERIODS.map(([word]) => figuresOf(word)));
		usage.update(figures.map((figure, order) => ({ ...figure, order, title: PERIODS[order][1] })));
	} catch (problem) {
		if (problem.status !== 400)
			throw problem;
		usage.update([]);
	}
}

poll(async () => {
	sessions.update((await get("connections", me)).sessions);
	const limits = (await get("limits", me)).limits[0];
	if (limits)
		showLimits(limits);
}, 2);
poll(showUsage, 30);

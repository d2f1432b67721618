// Own: what whoever is logged in uses and may use.

import {
	breakable, byId, formatBytes, formatCount, formatDuration, formatRate, get, loggedInAs, make, makeTable, poll,
} from "./app.js";

const me = loggedInAs();

// ---- limits ----

const fact = (name, ...value) => [make("dt", {}, name), make("dd", {}, ...value)];

const timeText = (text) => String(text).replace("T", " ").replace(/:00$/, "");

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
	const usage = (await get("usage", me, word)).usage;
	return usage[0] || { sessions: 0, refused: 0, sent: 0, received: 0, seconds: 0 };
}

function usageRow(title, u) {
	const cells = [["Down", formatBytes(u.received)], ["Up", formatBytes(u.sent)],
		["Sessions", formatCount(u.sessions)], ["Time", formatDuration(u.seconds)]];
	return make("div", { class: "period" }, make("h3", {}, title), make("dl", { class: "values" },
		...cells.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

async function showUsage() {
	try {
		const figures = await Promise.all(PERIODS.map(([word]) => figuresOf(word)));
		byId("usage").replaceChildren(...PERIODS.map(([, title], i) => usageRow(title, figures[i])));
	} catch (problem) {
		if (problem.status !== 400)
			throw problem;
		byId("usage").replaceChildren(make("p", { class: "note" }, "That is not kept here."));
	}
}

poll(async () => {
	sessions.update((await get("connections", me)).sessions);
	const limits = (await get("limits", me)).limits[0];
	if (limits)
		showLimits(limits);
}, 2);
poll(showUsage, 30);

// Now: what the line carries, who uses it, and how much room is left.

import {
	breakable, byId, formatBytes, formatCount, formatDuration, formatRate, formatShare, get, make,
	makeTable, makeTimePlot, poll,
} from "./app.js";

// ---- throughput ----

const plot = makeTimePlot(byId("throughput"), {
	label: "Throughput",
	series: [{ name: "Down", class: "is-down" }, { name: "Up", class: "is-up" }],
	format: formatRate,
	least: 12500,
	unit: 1 / 8,
});

let range = { seconds: 300, step: 1 };
let shown = { range: null, at: 0 }; // what the plot has, and since when

const REFRESH_MS = 10000; // of what has longer steps than a second

// The step that runs is not whole yet, and would look as if the line had become slower.
async function showThroughput() {
	const asked = range;
	if (shown.range === asked && asked.step > 1 && Date.now() - shown.at < REFRESH_MS)
		return;
	const answer = await get("traffic", asked.seconds, asked.step);
	const now = Date.now();
	const points = answer.traffic.filter((t) => t.ago > 0).map((t) => ({
		t: now - t.ago * 1000,
		values: [t.received / asked.step, t.sent / asked.step],
	})).reverse();
	shown = { range: asked, at: now };
	if (asked === range)
		plot.update(points, now - asked.seconds * 1000, now);
}

const refreshThroughput = poll(showThroughput, 1);

for (const button of document.querySelectorAll(".choice button")) {
	button.addEventListener("click", () => {
		for (const other of document.querySelectorAll(".choice button"))
			other.setAttribute("aria-pressed", String(other === button));
		range = { seconds: Number(button.dataset.seconds), step: Number(button.dataset.step) };
		refreshThroughput();
	});
}

// ---- figures ----

const figures = new Map(); // by their names: the elements of what is shown

function showFigure(name, text, more) {
	let element = figures.get(name);
	if (!element) {
		element = { value: make("span"), more: make("small") };
		byId("figures").append(make("div", {}, make("dt", {}, name),
			make("dd", {}, element.value, element.more)));
		figures.set(name, element);
	}
	element.value.textContent = text;
	element.more.textContent = more;
}

const refusedOf = (stats) => stats.clients_refused + stats.logins_refused +
	stats.ended_target_denied + stats.ended_too_many_sessions + stats.ended_quota_reached;

const formatDelay = (seconds) => (seconds > 0 ? formatDuration(seconds) : "below 1 ms");

function showFigures(stats) {
	showFigure("Sessions", formatCount(stats.current_connections),
		"most at once: " + formatCount(stats.max_concurrent_connections));
	showFigure("Active users", formatCount(stats.active_users), "with a login");
	showFigure("Sessions since the start", formatCount(stats.all_time_connections),
		formatCount(stats.sessions_failed) + " failed");
	showFigure("Refused", formatCount(refusedOf(stats)),
		formatCount(stats.logins_refused) + " logins, " +
		formatCount(stats.ended_target_denied) + " by rules");
	showFigure("Workers in use", formatShare(stats.workers_busy, stats.workers_total),
		formatCount(stats.workers_busy) + " of " + formatCount(stats.workers_total));
	showFigure("Descriptors in use", formatShare(stats.descriptors_used, stats.descriptors_total),
		formatCount(stats.descriptors_used) + " of " + formatCount(stats.descriptors_total));
	showFigure("Moved since the start", formatBytes(stats.bytes_transferred),
		formatBytes(stats.bytes_received) + " down, " + formatBytes(stats.bytes_sent) + " up");
	showFigure("Connecting takes", formatDelay(stats.average_connect_time),
		"lookups: " + formatDelay(stats.average_lookup_time));
	showFigure("Running for", formatDuration(stats.server_uptime), "");
}

// ---- servers that share their state ----

const NODES_MOST = 6; // that are named

const formatNode = (n) => n.node + (n.state === "offline" ? ": offline"
	: ": " + formatCount(n.sessions) + (n.sessions === 1 ? " session" : " sessions"));

async function showNodes(stats) {
	if (!("nodes_online" in stats))
		return;
	const { nodes } = await get("nodes");
	const names = nodes.slice(0, NODES_MOST).map(formatNode);
	if (nodes.length > NODES_MOST)
		names.push("and " + formatCount(nodes.length - NODES_MOST) + " more");
	showFigure("Nodes online", formatCount(stats.nodes_online),
		(stats.shared_up ? "" : "apart from the others; ") + names.join(", "));
}

// The list that the server has put there keeps its places.
function showAll(stats) {
	for (const value of document.querySelectorAll("#stats [data-name]")) {
		const key = value.dataset.name.replaceAll(" ", "_");
		if (key in stats && typeof stats[key] === "number")
			value.textContent = /_time$|_uptime$/.test(key) ? formatDuration(stats[key])
				: /bytes/.test(key) ? formatBytes(stats[key]) : formatCount(stats[key]);
	}
}

poll(async () => {
	const stats = await get("stats");
	showFigures(stats);
	await showNodes(stats);
	if (document.querySelector("#main details").open)
		showAll(stats);
}, 2);

// ---- who and where ----

const bothOf = (row) => row.received + row.sent;

const columns = (label, key, fill) => [
	{ key, label, fill },
	{ key: "received", label: "Down", kind: "rate" },
	{ key: "sent", label: "Up", kind: "rate" },
	{ key: "sessions", label: "Sessions", kind: "count" },
	{ key: "both", label: "Down and up", kind: "rate", isHidden: true, value: bothOf },
];

function linkToSessions(cell, text) {
	cell.replaceChildren(make("a", { href: "/sessions?filter=" + encodeURIComponent(text) },
		...breakable(text)));
}

const accounts = makeTable(byId("top-accounts"), {
	label: "Users and clients with the most traffic now",
	columns: columns("User or client", "name", (cell, row) => linkToSessions(cell, row.name)),
	key: (row) => row.name,
	sort: { key: "both", down: true },
	empty: "Nobody has a session.",
});

const sites = makeTable(byId("top-sites"), {
	label: "Sites with the most traffic now",
	columns: columns("Site", "name", (cell, row) => linkToSessions(cell, row.name)),
	key: (row) => row.name,
	sort: { key: "both", down: true },
	empty: "No session has a target.",
});

const hostOf = (target) => target.replace(/:\d+$/, "");
const accountOf = (session) =>
	session.user && session.user !== "Anonymous" ? session.user : hostOf(session.client);

// The sums of what nameOf() says, the ten with the most first.
function sumUp(sessions, nameOf) {
	const sums = new Map();
	for (const session of sessions) {
		const name = nameOf(session);
		const sum = sums.get(name) || { name, sent: 0, received: 0, sessions: 0 };
		sum.sent += session.sent_rate || 0;
		sum.received += session.received_rate || 0;
		sum.sessions++;
		sums.set(name, sum);
	}
	return [...sums.values()].sort((a, b) =>
		bothOf(b) - bothOf(a) || b.sessions - a.sessions).slice(0, 10);
}

// In a sentence: who uses the line.
function summarise(sessions, top) {
	const down = sessions.reduce((sum, s) => sum + (s.received_rate || 0), 0);
	const up = sessions.reduce((sum, s) => sum + (s.sent_rate || 0), 0);
	const first = top[0];
	const isWell = byId("alarms").childElementCount === 0;
	byId("summary").textContent = (isWell ? "All is well. " : "") +
		(sessions.length === 0 ? "Nobody uses the line." :
			formatCount(sessions.length) + (sessions.length === 1 ? " session moves " :
				" sessions move ") + formatRate(down) + " down and " + formatRate(up) + " up" +
			(first && first.sent + first.received > 0 ? "; the most is " + first.name + "’s, with " +
				formatShare(first.sent + first.received, down + up) + " of it." : "."));
}

poll(async () => {
	const { sessions } = await get("connections");
	const top = sumUp(sessions, accountOf);
	accounts.update(top);
	sites.update(sumUp(sessions.filter((s) => s.target), (s) => hostOf(s.target)));
	summarise(sessions, top);
}, 2);

// Sessions: who is connected to what, and the ending of it.

import {
	ask, breakable, byId, formatBytes, formatCount, formatDuration, formatRate, get, make, makeTable, poll, post, showDone,
} from "./app.js";

const filter = byId("filter");
filter.value = new URLSearchParams(location.search).get("filter") || "";

const hostOf = (address) => address.replace(/:\d+$/, "");

// A second line in a cell, for what is looked at less often.
function fillTwo(cell, first, second) {
	cell.replaceChildren(...breakable(first),
		...(second ? [make("small", {}, ...breakable(second))] : []));
}

const IDLE = 10; // seconds from which on it is worth a line

// A column of a number, and below it another one of the same matter.
const two = (key, label, kind, format, below) => ({
	key, label, kind,
	text: (s) => format(s[key]) + " " + below(s),
	fill: (cell, s) => fillTwo(cell, format(s[key]), below(s)),
});

const detailsOf = (s) => [s.command, s.state === "RELAY" ? "" : s.state,
	s.address && s.address !== s.target ? s.address : "", s.rule ? "rule " + s.rule : ""]
	.filter(Boolean).join(" · ");

async function endWith(word, ...parameters) {
	const answer = await post(word, ...parameters);
	showDone(answer.message);
	refresh();
}

// One, or all of its user or its client.
function askToEnd(session) {
	const choices = [["this", "this session only"], ["client",
		"all sessions of the client " + hostOf(session.client)]];
	if (session.user)
		choices.splice(1, 0, ["user", "all sessions of the user " + session.user]);
	return ask({
		title: "End a session",
		text: (session.user || "Anonymous") + " at " + session.client + ", connected to " +
			(session.target || "nothing yet") + ".",
		fields: [{ name: "what", label: "End", choices, value: "this" }],
		action: "End",
		isDangerous: true,
		act: ({ what }) => (what === "this" ? endWith("kill", session.id)
			: endWith("kill_user", what === "user" ? session.user : hostOf(session.client))),
	});
}

const table = makeTable(byId("sessions-table"), {
	label: "Sessions",
	filter,
	columns: [
		{ key: "user", label: "User", value: (s) => s.user || "Anonymous" },
		{ key: "client", label: "Client", value: (s) => s.client + " " + (s.name || ""),
			fill: (cell, s) => fillTwo(cell, s.client, s.name) },
		{ key: "target", label: "Target", wide: "widest",
			value: (s) => (s.target || "") + " " + detailsOf(s),
			fill: (cell, s) => fillTwo(cell, s.target || "–", detailsOf(s)) },
		two("age", "Age", "duration", formatDuration,
			(s) => (s.idle >= IDLE ? "idle " + formatDuration(s.idle) : "")),
		two("received_rate", "Down", "rate", formatRate, (s) => formatBytes(s.received)),
		two("sent_rate", "Up", "rate", formatRate, (s) => formatBytes(s.sent)),
		{ key: "idle", label: "Idle", kind: "duration", isHidden: true },
		{ key: "received", label: "Bytes down", kind: "bytes", isHidden: true },
		{ key: "sent", label: "Bytes up", kind: "bytes", isHidden: true },
		{ key: "end", label: "End it", kind: "actions", fill: (cell, s) => {
			const button = make("button", { type: "button",
				"aria-label": "End session " + s.id + " of " + (s.user || "Anonymous") }, "End");
			button.addEventListener("click", () => askToEnd(cell.parentElement.row));
			cell.replaceChildren(button);
		} },
	],
	key: (s) => s.id,
	sort: { key: "received_rate", down: true },
	empty: "Nobody has a session.",
});

function showSum(sessions) {
	const sum = (key) => sessions.reduce((total, s) => total + (s[key] || 0), 0);
	byId("sum").textContent = formatCount(sessions.length) + " sessions, " +
		formatRate(sum("received_rate")) + " down, " + formatRate(sum("sent_rate")) + " up";
}

const refresh = poll(async () => {
	const { sessions } = await get("connections");
	table.update(sessions);
	showSum(sessions);
}, 2);

byId("end-all").addEventListener("click", () => ask({
	title: "End all sessions of an account",
	fields: [{ name: "who", label: "Whose", required: true, most: 255,
		value: /\s/.test(filter.value) ? "" : filter.value,
		help: "A user’s name, Anonymous, a client’s address or network, or @group" }],
	action: "End all",
	isDangerous: true,
	act: ({ who }) => endWith("kill_user", who.trim()),
}));

// Users and clients: who there is, what each may and has used, and the changing of it.

import {
	ask, breakable, byId, formatDuration, formatTime, get, make, makeTable, poll, post, serverTime, showDone,
} from "./app.js";
import { openAccount, quotaText, showUsage } from "./account.js";

let limitsOf = new Map(); // by name

// "20Mbit/2Mbit, quota 50GB/month"
function limitsText(name) {
	const limits = limitsOf.get(name);
	if (!limits)
		return "";
	const parts = [
		limits.rate && "rate " + limits.rate,
		limits.used !== undefined ? quotaText(limits) : limits.quota && "quota " + limits.quota,
		limits.sessions !== undefined && limits.sessions + " sessions",
		limits.expires && "expires " + String(limits.expires).replace("T", " "),
		limits.from && "from " + limits.from,
	];
	return parts.filter(Boolean).join(", ");
}

const stateOf = (name) => (limitsOf.get(name)?.disabled ? "disabled" : "");

function fillName(cell, name, second, open) {
	const button = make("button", { type: "button", class: "link" }, ...breakable(name));
	button.addEventListener("click", open);
	cell.replaceChildren(button, ...second.filter(Boolean).map((text) =>
		make("small", { class: text === "disabled" ? "is-off" : undefined }, text)));
}

// What stands below the name of a user.
function remarksOf(user) {
	return [user.role === "admin" ? "administrator" : "",
		user.shared === "yes" ? "on all nodes" : "", stateOf(user.name),
		groupsOf(user.name).split(",").filter(Boolean).map((g) => "@" + g).join(" ")];
}

// Quotas as bars, too.
function fillLimits(cell, name) {
	const limits = limitsOf.get(name);
	cell.replaceChildren(...breakable(limitsText(name) || "–"));
	if (limits && limits.used !== undefined)
		cell.append(make("meter", { max: Math.max(1, limits.used + limits.left), value: limits.used,
			low: 0.8 * (limits.used + limits.left), high: 0.99 * (limits.used + limits.left),
			optimum: 0, "aria-label": "Quota used" }));
}

// ---- users ----

const openUser = (user) => openAccount({
	kind: "user",
	name: user.name,
	role: user.role,
	about: (user.role === "admin" ? "Administrator. " : "") + (user.last_seen === "never"
		? "Was never here." : "Last login: " + formatTime(serverTime(user.last_seen)) + "."),
}, refresh);

const groupsOf = (name) => String(limitsOf.get(name)?.groups || "");

const users = makeTable(byId("users-table"), {
	label: "Users",
	filter: byId("filter-users"),
	columns: [
		{ key: "name", label: "Name", wide: true,
			value: (u) => [u.name, ...remarksOf(u)].join(" "),
			fill: (cell, u) => fillName(cell, u.name, remarksOf(u),
				() => openUser(cell.parentElement.row)) },
		{ key: "limits", label: "Limits, and what is used", wide: true,
			value: (u) => limitsText(u.name) || "–", fill: (cell, u) => fillLimits(cell, u.name) },
		{ key: "sessions", label: "Sessions", kind: "count" },
		{ key: "total", label: "Logins", kind: "count" },
		{ key: "received", label: "Received", kind: "bytes" },
		{ key: "sent", label: "Sent", kind: "bytes" },
		{ key: "last_seen", label: "Last login", kind: "time",
			value: (u) => serverTime(u.last_seen) },
	],
	key: (u) => u.name,
	sort: { key: "name", down: false },
	empty: "There are no users.",
});

byId("add-user").addEventListener("click", () => ask({
	title: "Add a user",
	fields: [
		{ name: "name", label: "Name", required: true, most: 255 },
		{ name: "password", label: "Password", type: "password", required: true, most: 255 },
		{ name: "role", label: "Role", value: "user", choices: [
			["user", "User: may use the proxy"],
			["admin", "Administrator: these pages and the monitor, too"]] },
	],
	action: "Add",
	act: async ({ name, password, role }) => {
		const answer = await post("add_user", name, password, ...(role === "admin" ? ["admin"] : []));
		showDone(answer.message);
		refresh();
	},
}));

// What a guest has to know is shown once, and nowhere kept.
function showGuest(answer) {
	const close = make("button", { type: "button", class: "main" }, "Done");
	const guest = answer.guests[0];
	const dialog = make("dialog", { "aria-labelledby": "guest-title" },
		make("h2", { id: "guest-title" }, answer.message.replace(/(\d)T(\d)/, "$1 $2")),
		make("dl", { class: "facts" }, make("dt", {}, "Name"), make("dd", {}, make("code", {}, guest.name)),
			make("dt", {}, "Password"), make("dd", {}, make("code", {}, guest.password)),
			make("dt", {}, "Proxy"), make("dd", {}, make("code", {}, guest.proxy))),
		...answer.text.map((line) => make("p", {}, make("code", {}, line))),
		make("p", { class: "note" }, "The password is shown only here."),
		make("p", { class: "buttons" }, close));
	close.addEventListener("click", () => dialog.close());
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
}

byId("add-guest").addEventListener("click", () => {
	let answer;
	ask({
		title: "Add a guest",
		text: "A user with a random name and password, who expires.",
		fields: [
			{ name: "hours", label: "Hours", type: "number", value: "24", required: true },
			{ name: "limits", label: "Limits", example: "quota=1GB/day rate=5Mbit",
				help: "May be empty" }],
		action: "Add",
		act: async ({ hours, limits }) => {
			answer = await post("guest", hours, ...(limits.trim() ? [limits.trim()] : []));
			refresh();
		},
	}).then((isDone) => isDone && showGuest(answer));
});

// ---- clients ----

const openClient = (client) => openAccount({
	kind: client.startsWith("@") ? "group" : "client",
	name: client,
}, refresh);

const clients = makeTable(byId("clients-table"), {
	label: "Clients",
	filter: byId("filter-clients"),
	columns: [
		{ key: "client", label: "Address", wide: true,
			value: (c) => [c.client, c.name, stateOf(c.client)].join(" "),
			fill: (cell, c) => fillName(cell, c.client, [c.name, stateOf(c.client)],
				() => openClient(cell.parentElement.row.client)) },
		{ key: "user", label: "Last user" },
		{ key: "limits", label: "Limits, and what is used", wide: true,
			value: (c) => limitsText(c.client) || "–", fill: (cell, c) => fillLimits(cell, c.client) },
		{ key: "sessions", label: "Sessions", kind: "count" },
		{ key: "refused", label: "Refused", kind: "count" },
		{ key: "received", label: "Received", kind: "bytes" },
		{ key: "sent", label: "Sent", kind: "bytes" },
		{ key: "last", label: "Last seen", value: (c) => (c.sessions > 0 ? "now"
			: formatDuration(c.last) + " ago") },
	],
	key: (c) => c.client,
	sort: { key: "received", down: true },
	empty: "No client was here.",
});

byId("open-client").addEventListener("click", () => {
	let who = "";
	ask({
		title: "Limits of a client, network or group",
		fields: [{ name: "who", label: "Whose", required: true, most: 255,
			help: "An address, a network such as 192.168.1.0/24, or @group" }],
		action: "Open",
		act: async (values) => {
			who = values.who.trim();
			await get("limits", who);
		},
	}).then((isDone) => isDone && openClient(who));
});

// ---- bans ----

async function unban(client) {
	showDone((await post("unban", client)).message);
	refresh();
}

const bans = makeTable(byId("bans-table"), {
	label: "Bans",
	columns: [
		{ key: "client", label: "Client", wide: true },
		{ key: "by", label: "Why", value: (b) => (b.by === "failures"
			? b.failures + " wrong passwords" : "by an administrator") },
		{ key: "refused", label: "Refused since", kind: "count" },
		{ key: "begun", label: "Since", kind: "time", value: (b) => serverTime(b.begun || b.since) },
		{ key: "until", label: "Until", value: (b) => (serverTime(b.until)
			? formatTime(serverTime(b.until)) : "for good") },
		{ key: "lift", label: "Lift it", kind: "actions", fill: (cell) => {
			const button = make("button", { type: "button" }, "Lift");
			button.addEventListener("click", () => ask({
				title: "Lift the ban of " + cell.parentElement.row.client,
				action: "Lift",
				act: () => unban(cell.parentElement.row.client),
			}));
			cell.replaceChildren(button);
		} },
	],
	key: (b) => b.client,
	sort: { key: "begun", down: true },
	empty: "Nobody is banned.",
});

byId("add-ban").addEventListener("click", () => ask({
	title: "Ban a client",
	text: "Its sessions end, and its connections are closed at once.",
	fields: [
		{ name: "who", label: "Whom", required: true, help: "An address, or a network" },
		{ name: "time", label: "For how long", example: "2h", help: "Empty: for good" }],
	action: "Ban",
	isDangerous: true,
	act: async ({ who, time }) => {
		const answer = await post("ban", who.trim(), ...(time.trim() ? [time.trim()] : []));
		showDone(answer.message);
		refresh();
	},
}));

// ---- refreshing ----

const refresh = poll(async () => {
	const [limits, accounts, known, banned] = await Promise.all(
		[get("limits"), get("accounts"), get("clients"), get("bans")]);
	limitsOf = new Map(limits.limits.map((l) => [l.user ?? l.client ?? l.group, l]));
	users.update(accounts.accounts);
	clients.update(known.clients);
	bans.update(banned.bans);
}, 3);

showUsage(byId("days"), "*", "What all have used by day");

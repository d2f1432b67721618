// An account in a dialog: what it has used, its limits, and what can be done about it. A user, a
// client's address or network, or a group.

import {
	ask, formatBytes, formatShare, formatTime, get, make, makeBarPlot, post, serverDay, serverTime,
	showDone, showError, withoutZeros,
} from "./app.js";

// ---- usage by day ----

// The last `count` days as bars, those without anything too.
function barsOf(days, count) {
	const known = new Map(days.map((d) => [d.day, d]));
	const bars = [];
	for (let i = count - 1; i >= 0; i--) {
		const day = serverDay(i);
		const d = known.get(day) || { received: 0, sent: 0 };
		bars.push({ label: count > 60 ? day : day.slice(5), values: [d.received, d.sent] });
	}
	return bars;
}

// Bars of what `who` has used ("*": all), with a choice of how many days.
export function showUsage(container, who, label) {
	const place = make("div");
	const note = make("p", { class: "note", hidden: true });
	const choice = make("span", { class: "choice", role: "group", "aria-label": "Shown are the last" });
	const plot = makeBarPlot(place, {
		label,
		series: [{ name: "Down", class: "is-down" }, { name: "Up", class: "is-up" }],
		format: formatBytes,
		height: 200,
		least: 1000,
	});
	async function show(count) {
		for (const button of choice.children)
			button.setAttribute("aria-pressed", String(Number(button.dataset.days) === count));
		try {
			const { days } = await get("days", who, serverDay(count - 1), "today");
			plot.update(barsOf(days, count));
		} catch (problem) {
			note.textContent = problem.message;
			note.hidden = false;
			place.hidden = choice.hidden = true;
		}
	}
	for (const [days, text] of [[14, "2 weeks"], [31, "month"], [365, "year"]]) {
		const button = make("button", { type: "button", "data-days": days }, text);
		button.addEventListener("click", () => show(days));
		choice.append(button);
	}
	container.replaceChildren(make("div", { class: "tools" }, choice), place, note);
	show(14);
}

// ---- limits ----

const KEYS = [
	{ key: "groups", label: "Groups", example: "pupils,room12", onlyUsers: true },
	{ key: "rate", label: "Rate, down/up", example: "20Mbit/5Mbit" },
	{ key: "quota", label: "Quota", example: "50GB/month" },
	{ key: "over", label: "When it is used up", example: "cut, refuse, slow:256kbit" },
	{ key: "sessions", label: "Sessions at once", example: "50" },
	{ key: "sessions_client", label: "Of them from one client", example: "10", onlyUsers: true },
	{ key: "expires", label: "Expires", example: "2026-12-31 or 2026-12-31T18:00", onlyUsers: true },
	{ key: "from", label: "May come from", example: "192.168.1.0/24", onlyUsers: true },
];

const isOwn = (limits, key) => {
	const by = String(limits[key + "_by"] || "");
	return by === "users_file" || by.startsWith("LIMITS:");
};

function makeLimitField(limits, { key, label, example }) {
	const value = limits[key] === undefined ? "" : String(limits[key]);
	const own = isOwn(limits, key) ? value : "";
	const inherited = value && !own ? value + ", by " + limits[key + "_by"] : "";
	const input = make("input", { id: "limit-" + key, name: key, value: own, autocomplete: "off",
		autocapitalize: "none", spellcheck: "false", "aria-describedby": "limit-" + key + "-help" });
	input.dataset.was = own;
	return make("p", { class: "field" }, make("label", { for: "limit-" + key }, label), input,
		make("small", { id: "limit-" + key + "-help" },
			inherited ? "Else " + inherited : "Such as " + example));
}

// "rate=20Mbit quota=default", of what was changed.
function changedLimits(form) {
	return [...form.querySelectorAll("input[data-was]")]
		.filter((input) => input.value.trim() !== input.dataset.was)
		.map((input) => input.name + "=" + (input.value.trim().replace(/\s+/g, "") || "default"));
}

function makeLimitsForm(who, limits, again) {
	const isUser = limits.user !== undefined;
	const error = make("p", { class: "error", role: "alert", hidden: true });
	const form = make("form", { class: "limits" },
		...KEYS.filter((k) => isUser || !k.onlyUsers).map((k) => makeLimitField(limits, k)));
	const save = make("button", { type: "submit", class: "main" }, "Save limits");
	form.append(error, make("p", { class: "buttons" }, save));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const changes = changedLimits(form);
		error.hidden = true;
		try {
			if (changes.length > 0)
				again((await post("limits", who, changes.join(" "))).message);
		} catch (problem) {
			error.textContent = problem.message;
			error.hidden = false;
		}
	});
	return form;
}

// What is used of it, of all that there is in this period: more may have been given.
export function quotaText(limits) {
	const total = limits.used + limits.left;
	const used = "quota " + limits.quota + ": " + formatBytes(limits.used);
	return limits.left === 0 ? used + " used, nothing left" : used + " of " +
		withoutZeros(formatBytes(total)) + " used (" + formatShare(limits.used, total) + ")";
}

function makeQuota(who, limits, again) {
	if (limits.used === undefined)
		return "";
	const total = Math.max(limits.used + limits.left, 1);
	const reset = make("button", { type: "button" }, "Start anew …");
	const more = make("button", { type: "button" }, "Give more …");
	reset.addEventListener("click", () => ask({
		title: "Let the quota of " + who + " start anew",
		text: "What was used in this period is forgotten for the quota; the history stays.",
		action: "Start anew",
		act: async () => again((await post("quota", who, "reset")).message),
	}));
	more.addEventListener("click", () => ask({
		title: "Give " + who + " more for this period",
		fields: [{ name: "size", label: "How much", required: true, example: "5GB" }],
		action: "Give",
		act: async ({ size }) => again((await post("quota", who, "+" + size.replace(/^\+/, ""))).message),
	}));
	return make("div", { class: "quota" },
		make("meter", { max: total, value: limits.used, "aria-label": "Quota used" }),
		make("p", {}, quotaText(limits).replace(/^q/, "Q") +
			(limits.until ? ", until " + formatTime(serverTime(limits.until)) : "")),
		make("div", { class: "tools" }, reset, more));
}

// ---- what can be done ----

const DEEDS = {
	end: { text: "End sessions …", make: (who) => ({
		title: "End all sessions of " + who, action: "End all", isDangerous: true,
		act: () => post("kill_user", who) }) },
	disable: { text: "Disable …", make: (who) => ({
		title: "Disable " + who, text: "Sessions end, and no new one is let in, until this is " +
			"taken back. Nothing else is lost.", action: "Disable", isDangerous: true,
		act: () => post("disable", who) }) },
	enable: { text: "Enable", make: (who) => ({
		title: "Enable " + who, action: "Enable", act: () => post("enable", who) }) },
	password: { text: "Password …", make: (who) => ({
		title: "Give " + who + " another password", action: "Change",
		fields: [{ name: "password", label: "New password", type: "password", required: true }],
		act: ({ password }) => post("set_password", who, password) }) },
	promote: { text: "Make administrator …", make: (who) => ({
		title: "Make " + who + " an administrator", text: "Administrators may do all that these " +
			"pages and the monitor have.", action: "Make administrator", isDangerous: true,
		act: () => post("set_role", who, "admin") }) },
	demote: { text: "Make user …", make: (who) => ({
		title: "Make " + who + " a user like others", action: "Make user", isDangerous: true,
		act: () => post("set_role", who, "user") }) },
	ban: { text: "Ban …", make: (who) => ({
		title: "Ban " + who, text: "Its sessions end, and its connections are closed at once.",
		fields: [{ name: "time", label: "For how long", example: "2h", help: "Empty: for good" }],
		action: "Ban", isDangerous: true,
		act: ({ time }) => (time.trim() ? post("ban", who, time.trim()) : post("ban", who)) }) },
	forget: { text: "Forget history …", make: (who) => ({
		title: "Delete the history of " + who, text: "What was used by day, and sites, are deleted " +
			"from the disk. This cannot be taken back.", action: "Delete history", isDangerous: true,
		act: () => post("forget", who) }) },
	remove: { text: "Delete …", make: (who) => ({
		title: "Delete the user " + who, text: "Sessions end, and the login is gone. The history " +
			"stays under the name, as one who was deleted. This cannot be taken back.",
		action: "Delete", isDangerous: true, act: () => post("del_user", who) }) },
};

function deedsFor(account, limits) {
	const isUser = account.kind === "user";
	return ["end", limits.disabled ? "enable" : "disable",
		...(isUser ? ["password", account.role === "admin" ? "demote" : "promote"] : []),
		...(account.kind === "client" ? ["ban"] : []), "forget", ...(isUser ? ["remove"] : [])];
}

function makeDeed(name, account, again, close) {
	const deed = DEEDS[name];
	const button = make("button", { type: "button",
		class: name === "remove" || name === "forget" ? "danger" : undefined }, deed.text);
	button.addEventListener("click", () => {
		const options = deed.make(account.name);
		ask({ ...options, act: async (values) => {
			const answer = await options.act(values);
			if (name === "promote" || name === "demote")
				account.role = name === "promote" ? "admin" : "user";
			if (name === "remove") {
				close();
				showDone(answer.message);
			} else {
				again(answer.message);
			}
		} });
	});
	return button;
}

// ---- the dialog ----

// account: { kind: "user", "client" or "group", name, role, about: a sentence }; changed() is called
// behind each change.
export async function openAccount(account, changed) {
	const deeds = make("div", { class: "tools" });
	const body = make("div");
	const done = make("p", { class: "done", role: "status" });
	const close = make("button", { type: "button" }, "Close");
	const usage = make("section", {}, make("h3", {}, "Used by day"), make("div"));
	const dialog = make("dialog", { class: "wide", "aria-labelledby": "account-title" },
		make("div", { class: "tools dialog-head" },
			make("h2", { id: "account-title" }, account.name), close),
		...(account.about ? [make("p", { class: "note" }, account.about)] : []), done, deeds, usage, body);

	close.addEventListener("click", () => dialog.close());
	dialog.addEventListener("close", () => dialog.remove());

	async function fill() {
		const limits = (await get("limits", account.name)).limits[0] || {};
		deeds.replaceChildren(...deedsFor(account, limits).map((name) =>
			makeDeed(name, account, again, () => dialog.close())));
		body.replaceChildren(
			...(limits.disabled ? [make("p", { class: "error" }, "Disabled, by " +
				limits.disabled_by + ".")] : []),
			make("h3", {}, "Limits"), makeQuota(account.name, limits, again),
			makeLimitsForm(account.name, limits, again));
	}

	async function again(message) {
		done.textContent = message;
		changed();
		await fill();
	}

	try {
		await fill();
	} catch (problem) {
		showError(problem);
		return;
	}
	document.body.append(dialog);
	dialog.showModal();
	showUsage(usage.lastElementChild, account.name, "What " + account.name + " has used by day");
}

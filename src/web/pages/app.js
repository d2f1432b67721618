// What all pages share: asking /api, saying what went wrong, refreshing, and the line of alarms.
// The other pieces come by this file, too.

import { parseServerTime, readZone } from "./format.js";
import { make } from "./table.js";

export * from "./dialog.js";
export * from "./format.js";
export * from "./plot.js";
export * from "./table.js";

export const byId = (id) => document.getElementById(id);

const metaZone = document.querySelector("meta[name=zone]");
const zone = readZone(metaZone ? metaZone.content : "");

// A local time of the server in milliseconds since 1970.
export const serverTime = (text) => parseServerTime(text, zone);

// The day that it is for the server, "2026-11-27", and others before it.
export const serverDay = (daysBefore) =>
	new Date(Date.now() + zone.now * 1000 - daysBefore * 86400000).toISOString().slice(0, 10);

export const loggedInAs = () => document.querySelector("#logout .who").textContent;

// ---- asking ----

export class ApiError extends Error {
	constructor(message, status) {
		super(message);
		this.status = status; // of HTTP; 0: no answer
	}
}

const token = () => document.querySelector("#logout input[name=token]").value;

// Whether a person did something here since the server was told. Refreshing alone keeps nobody
// logged in.
let hasActed = false;
for (const kind of ["pointerdown", "keydown"])
	addEventListener(kind, () => { hasActed = true; }, { passive: true });

// Browsers on the same host share a few connections to the server: no more than two are wanted at
// once.
const MOST_AT_ONCE = 2;
let underWay = 0;
const waiting = [];

async function takeTurn() {
	if (underWay === MOST_AT_ONCE)
		await new Promise((resolve) => waiting.push(resolve));
	else
		underWay++;
}

function giveTurn() {
	if (waiting.length > 0)
		waiting.shift()();
	else
		underWay--;
}

async function fetchAnswer(path, options) {
	await takeTurn();
	try {
		return await fetchAtOnce(path, options);
	} finally {
		giveTurn();
	}
}

async function fetchAtOnce(path, options) {
	let response;
	try {
		response = await fetch(path, { credentials: "same-origin", redirect: "error",
			signal: AbortSignal.timeout(20000), ...options });
	} catch {
		throw new ApiError("The server does not answer.", 0);
	}
	const body = await response.json().catch(() => null);
	if (body === null)
		throw new ApiError("The server's answer could not be read (" + response.status + ").",
			response.status);
	if (response.status === 401)
		throw new ApiError("You are logged out.", 401);
	if (body.status !== "OK")
		throw new ApiError(body.message, response.status);
	return body;
}

// What a command that only looks answers; throws an ApiError with the server's own words.
export function get(word, ...parameters) {
	const query = parameters.map((p) => "arg=" + encodeURIComponent(p)).join("&");
	const headers = hasActed ? { "X-Act": "1" } : {};
	hasActed = false;
	return fetchAnswer("/api/" + word + (query ? "?" + query : ""), { headers });
}

// The same of a command that changes something.
export function post(word, ...parameters) {
	return fetchAnswer("/api/" + word, {
		method: "POST",
		headers: { "Content-Type": "application/json", "X-Token": token() },
		body: JSON.stringify(parameters.map(String)),
	});
}

// ---- what went wrong ----

// In the page's line for it; null: nothing any more.
export function showError(problem) {
	const line = byId("error");
	line.hidden = problem === null;
	if (problem === null) {
		line.replaceChildren();
		return;
	}
	line.textContent = problem.message;
	if (problem.status === 401)
		line.append(" ", make("a", { href: "/login" }, "Log in"));
}

// What was done, for a while. Read out as it comes.
export function showDone(text) {
	let line = byId("done");
	if (!line) {
		line = make("p", { id: "done", class: "done", role: "status" });
		byId("error").after(line);
	}
	line.textContent = text;
	clearTimeout(showDone.timer);
	showDone.timer = setTimeout(() => { line.textContent = ""; }, 10000);
}

// ---- without scripts ----

// What is there for those who have none; base.css hides it where browsers know that they have.
for (const element of document.querySelectorAll(".unscripted"))
	element.remove();

// ---- refreshing ----

const EASE = 5; // what a refresh may take of the time: one part in so many,
const MOST_SECONDS = 15; // as long as it comes as often as this at least

// Calls refresh() now and every so often, while the page is seen. One at a time; what takes long is
// done more seldom. Its errors are shown, and it goes on, but for who is logged out. Returns a
// function that refreshes at once.
export function poll(refresh, seconds) {
	let timer = 0;
	let isRunning = false;
	let isEnded = false;
	let hasFailed = false;

	async function turn() {
		clearTimeout(timer);
		if (isRunning || isEnded || document.hidden)
			return;
		isRunning = true;
		const begun = performance.now();
		try {
			await refresh();
			if (hasFailed)
				showError(null);
			hasFailed = false;
		} catch (problem) {
			if (!(problem instanceof ApiError))
				console.error(problem);
			showError(problem);
			hasFailed = true;
			isEnded = problem.status === 401;
		}
		isRunning = false;
		const took = performance.now() - begun;
		timer = setTimeout(turn, Math.max(seconds * 1000 - took, 500,
			Math.min(took * EASE, MOST_SECONDS * 1000)));
	}

	document.addEventListener("visibilitychange", turn);
	turn();
	return turn;
}

// ---- alarms ----

// Only what has changed is touched, so that it is read out once.
function showAlarms(list) {
	const texts = list.map((alarm) => alarm.text).join("\n");
	const place = byId("alarms");
	if ([...place.children].map((line) => line.textContent).join("\n") === texts)
		return;
	document.title = (list.some((alarm) => alarm.level === "error") ? "⚠ " : "") +
		document.title.replace(/^⚠ /, "");
	place.replaceChildren(...list.map((alarm) =>
		make("p", { class: "is-" + alarm.level }, alarm.text)));
}

if (byId("alarms").hasAttribute("data-watched"))
	poll(async () => showAlarms((await get("alarms")).alarms), 5);

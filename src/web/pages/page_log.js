// Log: what happens, as it happens, and what has happened.

import {
	breakable, byId, formatBytes, formatCount, formatDuration, formatTime, get, make, makeTable, poll, serverTime, showError,
} from "./app.js";

const inWords = (text) => String(text || "").replaceAll("_", " ");

const hostOf = (address) => (address || "").replace(/:\d+$/, "");

// A second line in a cell.
function fillTwo(cell, first, second) {
	cell.replaceChildren(...breakable(first),
		...(second ? [make("small", {}, ...breakable(second))] : []));
}

// ---- as it happens ----

const MOST_EVENTS = 1000; // that the page keeps; the oldest go

const what = byId("watch-what");
const pause = byId("watch-pause");
const told = byId("watch-told");

let cursor = "";
let events = [];
let waiting = []; // while it pauses
let count = 0;
let isPaused = false;

const hasFailed = (event) => event.event === "refused" || event.event === "lost" ||
	(event.event === "end" && event.reason !== "closed");

function isChosen(event) {
	const chosen = { all: true, asked: event.event !== "begin", failed: hasFailed(event),
		end: event.event === "end" };
	return event.event === "lost" || chosen[what.value];
}

const WORDS = { begin: "comes", request: "asks", refused: "refused", end: "ends", lost: "lost" };

function outcomeOf(event) {
	if (event.event === "lost")
		return event.count === null ? "some events were missed" :
			formatCount(event.count) + " events were too many to be kept";
	return event.event === "end" || event.event === "refused"
		? inWords(event.reason) + (event.rule ? ", rule " + event.rule : "") : "";
}

const movedIn = (event) => (event.event !== "end" || event.sent === undefined ? ""
	: formatBytes(event.received) + " down, " + formatBytes(event.sent) + " up, " +
		formatDuration(event.ms / 1000));

const table = makeTable(byId("watch-table"), {
	label: "Events, newest first",
	filter: byId("watch-filter"),
	columns: [
		{ key: "n", label: "Time", kind: "time", value: (e) => e.n, text: (e) => e.clock,
			fill: (cell, e) => { cell.textContent = e.clock; } },
		{ key: "event", label: "Event", value: (e) => WORDS[e.event] || e.event,
			fill: (cell, e) => fillTwo(cell, WORDS[e.event] || e.event,
				e.id === undefined ? "" : "session " + e.id) },
		{ key: "user", label: "User", value: (e) => e.user || "" },
		{ key: "client", label: "Client", value: (e) => hostOf(e.client) + " " + (e.name || ""),
			fill: (cell, e) => fillTwo(cell, hostOf(e.client), e.name) },
		{ key: "target", label: "Target", wide: true, value: (e) => e.target || "",
			fill: (cell, e) => fillTwo(cell, e.target || "", e.command) },
		{ key: "outcome", label: "Outcome", wide: true, value: (e) => outcomeOf(e) + " " + movedIn(e),
			fill: (cell, e) => {
				fillTwo(cell, outcomeOf(e), movedIn(e));
				cell.classList.toggle("is-bad", hasFailed(e));
			} },
	],
	key: (e) => e.n,
	sort: { key: "n", down: true },
	most: 30,
	empty: "Nothing has happened since this page was opened.",
});

function clockOf(event) {
	const ms = event.time ? serverTime(event.time) : Date.now();
	return new Date(ms).toTimeString().slice(0, 8);
}

function showEvents() {
	const chosen = events.filter(isChosen);
	table.update(chosen);
	told.textContent = isPaused
		? "Paused; " + formatCount(waiting.length) + " have come since." : "";
}

function takeEvents(list) {
	const added = list.map((event) => ({ ...event, n: ++count, clock: clockOf(event) }));
	if (isPaused)
		waiting = waiting.concat(added).slice(-MOST_EVENTS);
	else
		events = events.concat(added).slice(-MOST_EVENTS);
	showEvents();
}

async function watch() {
	const answer = await get("watch?after=" + encodeURIComponent(cursor));
	cursor = answer.cursor;
	takeEvents(answer.events);
}

poll(watch, 1);

pause.addEventListener("click", () => {
	isPaused = !isPaused;
	pause.setAttribute("aria-pressed", String(isPaused));
	pause.textContent = isPaused ? "Go on" : "Pause";
	if (!isPaused) {
		events = events.concat(waiting).slice(-MOST_EVENTS);
		waiting = [];
	}
	showEvents();
});
byId("watch-clear").addEventListener("click", () => {
	events = [];
	showEvents();
});
what.addEventListener("change", showEvents);

// ---- the access log ----

const form = byId("entries-form");

const entries = makeTable(byId("entries-table"), {
	label: "Access log",
	filter: byId("filter-entries"),
	columns: [
		{ key: "n", label: "Time", kind: "time", value: (e) => e.n,
			text: (e) => formatTime(serverTime(e.time)),
			fill: (cell, e) => { cell.textContent = formatTime(serverTime(e.time)); } },
		{ key: "user", label: "User", value: (e) => e.user || "" },
		{ key: "target", label: "Target", wide: true, value: (e) => e.target || "–",
			fill: (cell, e) => cell.replaceChildren(...breakable(e.target || "–")) },
		{ key: "outcome", label: "Outcome", wide: true,
			value: (e) => (e.outcome === "SUCCESS" ? "success" : inWords(e.reason) + " " + (e.client || "")),
			fill: (cell, e) => {
				fillTwo(cell, e.outcome === "SUCCESS" ? "success" : inWords(e.reason) || "failed",
					e.client ? "from " + e.client : "");
				cell.classList.toggle("is-bad", e.outcome !== "SUCCESS");
			} },
	],
	key: (e) => e.n,
	sort: { key: "n", down: true },
	most: 50,
	empty: "There are no such entries.",
});

function parametersOf() {
	const who = form.elements.who.value.trim() || "*";
	const day = form.elements.day.value;
	return day ? [who, day] : [who];
}

async function showEntries() {
	const parameters = parametersOf();
	byId("download-log").href = "/api/access_log.csv?" +
		parameters.map((p) => "arg=" + encodeURIComponent(p)).join("&");
	try {
		const answer = await get("access_log", ...parameters);
		entries.update(answer.entries.map((entry, n) => ({ ...entry, n })));
		byId("entries-told").textContent = formatCount(answer.entries.length) + " entries";
		showError(null);
	} catch (problem) {
		showError(problem);
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
	history.replaceState(null, "", query.size ? "?" + query : location.pathname);
	showEntries();
});
showEntries();

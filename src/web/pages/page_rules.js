// Rules: what is in force, what would become of a request, and why some have failed.

import {
	breakable, byId, formatDuration, formatTime, get, make, makeTable, poll, serverTime, showError,
} from "./app.js";
import { showFacts } from "./facts.js";

// ---- in force ----

const wordOf = (rule) => String(rule.rule);

// "rule 3", but "otherwise".
const named = (word) => (/^t?\d+$/.test(word) ? "rule " + word : String(word));

const inWords = (reason) => String(reason || "").replaceAll("_", " ");

// What it does, for the eye: the text says it, too.
function kindOf(text) {
	const word = /^(deny|allow|via)\b|= (deny|allow)$/.exec(text);
	return word ? word[1] || word[2] : "";
}

function fillRule(cell, rule) {
	const kind = kindOf(rule.text);
	cell.replaceChildren(make("span", { class: "mono rule-text is-" + (kind || "other") },
		...breakable(rule.text)));
}

const rules = makeTable(byId("rules-table"), {
	label: "Rules in force",
	filter: byId("filter-rules"),
	columns: [
		{ key: "order", label: "Rule", value: (r) => r.order, text: wordOf,
			fill: (cell, r) => cell.replaceChildren(...breakable(wordOf(r))) },
		{ key: "text", label: "Says", wide: true, fill: fillRule },
		{ key: "hits", label: "Hits", kind: "count" },
		{ key: "last", label: "Last", kind: "duration",
			value: (r) => r.last, text: (r) => (r.last === null ? "never"
				: r.last < 1 ? "now" : formatDuration(r.last) + " ago") },
		{ key: "from", label: "From", value: (r) => r.from, text: (r) => r.from +
			(r.left === null ? "" : " for another " + formatDuration(r.left)) },
	],
	key: wordOf,
	sort: { key: "order", down: false },
	empty: "There are no rules.",
});

poll(async () => {
	const answer = await get("rules");
	rules.update(answer.rules.map((rule, order) => ({ ...rule, order })));
}, 3);

// ---- what would become of a request ----

const form = byId("explain");
const place = byId("explanation");

const quoted = (name, value) => (name === "time" ? name + "=\"" + value + "\"" : name + "=" + value);

const questionOf = () => [...new FormData(form)]
	.map(([name, value]) => [name, value.trim()])
	.filter(([, value]) => value !== "")
	.map(([name, value]) => quoted(name, value)).join(" ");

const RESULTS = {
	pass: "passes", misses: "does not fit", decides: "decides", depends: "depends on the address",
	found: "found", allow: "allows", deny: "denies",
};

const GATES = {
	ban: "Bans", clients: "Clients", login: "Login", limits: "Limits", rules: "Rules", names: "Name",
};

function describeStep(step) {
	const by = step.result === "misses" && step.by ? " by its “" + step.by + "”" : "";
	const result = (step.rule ? named(step.rule) + " " : "") + (RESULTS[step.result] || step.result || "") + by;
	const parts = [step.about, result, step.addresses, step.reason && inWords(step.reason), step.error];
	const words = parts.filter(Boolean).flatMap((part) => [" · ", ...breakable(part)]);
	return step.text ? [...words, make("br"), make("span", { class: step.rule ? "mono" : "" },
		...breakable(step.text))] : words;
}

const stepClass = (step) => (step.result === "deny" ? "is-deny"
	: step.result === "misses" ? "is-miss" : "is-pass");

function showVerdict(verdict) {
	const word = { allow: "It would be allowed", deny: "It would be denied" }[verdict.verdict] ||
		"That cannot be said";
	const by = verdict.rule ? ", by " + named(verdict.rule) : "";
	const why = verdict.reason ? " (" + inWords(verdict.reason) + ")" : "";
	const changes = verdict.changes ? ", until " + formatTime(serverTime(verdict.changes)) : "";
	return make("p", { class: "verdict is-" + verdict.verdict },
		make("strong", {}, word), by + why + changes + ".",
		...(verdict.text ? [make("br"), verdict.text] : []));
}

function showExplanation(lines) {
	const verdict = lines.find((line) => line.verdict);
	// That a rule decides is said once more by what it decides.
	const steps = lines.filter((line) => line.gate && line.result !== "decides").map((step) =>
		make("li", { class: stepClass(step) },
			make("strong", {}, GATES[step.gate] || step.gate), ...describeStep(step)));
	place.replaceChildren(...(verdict ? [showVerdict(verdict)] : []),
		make("h3", {}, "Step by step"), make("ol", { class: "steps" }, ...steps));
}

// The address of the page keeps the question, so that it can be told to others.
async function explain() {
	const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
	history.replaceState(null, "", "?" + query);
	try {
		showExplanation((await get("explain", questionOf())).explanation);
	} catch (problem) {
		place.replaceChildren(make("p", { class: "error", role: "alert" }, problem.message));
		if (problem.status === 401)
			showError(problem);
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	explain();
});
if (form.elements.from.value && form.elements.to.value)
	explain();

function askAbout(failure) {
	form.elements.from.value = failure.client;
	form.elements.user.value = failure.user === "Anonymous" ? "" : failure.user || "";
	form.elements.to.value = failure.target;
	form.elements.command.value = { BIND: "bind", UDP: "udp", UDP_ASSOCIATE: "udp" }[failure.command] || "";
	form.elements.time.value = "";
	explain();
	byId("explain-title").scrollIntoView({ block: "start" });
}

// ---- why ----

function showWhy(failure) {
	const canAsk = failure.target && failure.client;
	showFacts("Why it failed: " + inWords(failure.reason), [
		["When", formatTime(serverTime(failure.time))],
		["User", failure.user || "Anonymous"],
		["Client", failure.client + (failure.name ? " (" + failure.name + ")" : "")],
		["Target", failure.target],
		["Rule", failure.rule && failure.rule + (ruleText(failure.rule) ? ": " + ruleText(failure.rule) : "")],
		["Error", failure.error],
	], failure.advice && failure.advice[0].toUpperCase() + failure.advice.slice(1) + ".",
	canAsk ? [["Explain it step by step", () => askAbout(failure)]] : []);
}

// As it stands now; another one may have had that number then.
function ruleText(word) {
	const rule = rules.rows.find((r) => wordOf(r) === String(word));
	return rule ? rule.text : "";
}

const failures = makeTable(byId("failures-table"), {
	label: "Newest refusals and failures",
	filter: byId("filter-failures"),
	columns: [
		{ key: "time", label: "Time", kind: "time", value: (f) => serverTime(f.time) },
		{ key: "user", label: "User", value: (f) => f.user || "Anonymous" },
		{ key: "client", label: "Client", value: (f) => f.client + (f.name ? " " + f.name : ""),
			fill: (cell, f) => cell.replaceChildren(...breakable(f.client),
				...(f.name ? [make("small", {}, ...breakable(f.name))] : [])) },
		{ key: "target", label: "Target", wide: true, value: (f) => f.target || "–",
			fill: (cell, f) => cell.replaceChildren(...breakable(f.target || "–")) },
		{ key: "reason", label: "Reason",
			value: (f) => inWords(f.reason) + (f.rule ? " " + named(f.rule) : ""),
			fill: (cell, f) => cell.replaceChildren(inWords(f.reason),
				...(f.rule ? [make("small", {}, ...breakable(named(f.rule)))] : [])) },
		{ key: "why", label: "Why", kind: "actions", fill: (cell) => {
			const button = make("button", { type: "button" }, "Why");
			button.addEventListener("click", () => showWhy(cell.parentElement.row));
			cell.replaceChildren(button);
		} },
	],
	key: (f) => f.key,
	sort: { key: "time", down: true },
	most: 20,
	empty: "No session has failed since the server started.",
});

const MOST_FAILURES = 200;

// Two may be the same in all that is told: then their numbers tell them apart.
function withKeys(list) {
	const seen = new Map();
	return list.reverse().map((failure) => {
		const text = JSON.stringify(failure);
		const n = seen.get(text) || 0;
		seen.set(text, n + 1);
		return { ...failure, key: text + n };
	});
}

poll(async () => {
	const answer = await get("why", "*", MOST_FAILURES);
	failures.update(withKeys(answer.failures));
}, 5);

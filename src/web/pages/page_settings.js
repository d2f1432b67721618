// Settings: what each is, where that comes from, and the changing of what can be changed.

import { ask, breakable, byId, get, make, makeTable, poll, post, showDone } from "./app.js";

// ---- values as they are written ----

const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];

// Times come as numbers of seconds, and are written with a unit.
function writeTime(seconds) {
	if (seconds === 0)
		return "0s";
	for (const [size, unit] of UNITS) {
		if (seconds % size === 0)
			return seconds / size + unit;
	}
	return Math.round(seconds * 1000) + "ms";
}

const isTime = (setting) => /\btime\b/.test(setting.legal || "");

function written(setting, value) {
	if (value === null || value === undefined)
		return "";
	return typeof value === "number" && isTime(setting) ? writeTime(value) : String(value);
}

const valueOf = (setting) => written(setting, setting.value);
const defaultOf = (setting) => written(setting, setting.default);
const fileOf = (setting) => written(setting, setting.file);

const isAsItComes = (setting) => valueOf(setting) === defaultOf(setting);
const waits = (setting) => setting.waits === "yes";

const shown = (text) => (text === "" ? [make("span", { class: "none" }, "empty")] : breakable(text));

function whereFrom(setting) {
	const words = { default: "as it comes", flag: "command line", command: "CONFIG, until the next start" };
	return words[setting.from] || setting.from;
}

// ---- changing ----

const EFFECTS = {
	at_start: "This can be changed in the configuration file only, and takes effect at the next start.",
	on_reload: "It names a file: this can be changed in the configuration file only, and takes effect when that is read again.",
};

function describe(setting) {
	return make("div", {},
		make("p", {}, setting.help || ""),
		make("dl", { class: "facts" },
			make("dt", {}, "Legal"), make("dd", {}, setting.legal || ""),
			make("dt", {}, "As it comes"), make("dd", {}, ...shown(defaultOf(setting)))));
}

async function change(setting, value) {
	const answer = await post("config", setting.name, value === "" ? "\"\"" : value);
	showDone(answer.message + ". To keep it over the next start, write it into the configuration file.");
	refresh();
}

const askToChange = (setting) => ask({
	title: setting.name,
	text: (setting.help || "") + " Legal: " + (setting.legal || "anything") + ". As it comes: " +
		(defaultOf(setting) || "empty") + ".",
	fields: [{ name: "value", label: "Value", value: valueOf(setting),
		help: "It takes effect at once, until the next start." }],
	action: "Change",
	act: ({ value }) => change(setting, value.trim()),
});

// ---- the table ----

const onlyChanged = byId("only-changed");

function fillValue(cell, setting) {
	const isSecondLine = fileOf(setting) !== "" && fileOf(setting) !== valueOf(setting);
	cell.replaceChildren(make("span", { class: isAsItComes(setting) ? "mono" : "mono is-changed" },
		...shown(valueOf(setting))),
		...(isSecondLine ? [make("small", {}, "in the file: ", ...shown(fileOf(setting)))] : []),
		...(waits(setting) ? [make("small", { class: "is-waiting" }, "waits for a restart")] : []));
}

function fillChange(cell, setting) {
	if (setting.takes_effect === "at_once") {
		const button = make("button", { type: "button" }, "Change");
		button.setAttribute("aria-label", "Change " + setting.name);
		button.addEventListener("click", () => askToChange(cell.parentElement.row));
		cell.replaceChildren(button);
	} else {
		cell.replaceChildren(make("small", { title: EFFECTS[setting.takes_effect] },
			setting.takes_effect === "at_start" ? "at the next start" : "in the file only"));
	}
}

function fillName(cell, setting) {
	const details = make("details", {}, make("summary", { class: "mono" }, ...breakable(setting.name)),
		describe(setting));
	cell.replaceChildren(details);
}

const table = makeTable(byId("settings-table"), {
	label: "Settings",
	filter: byId("filter-settings"),
	columns: [
		{ key: "name", label: "Name", wide: true,
			text: (s) => s.name + " " + (s.help || "") + " " + (s.legal || ""), fill: fillName },
		{ key: "value", label: "Value", wide: true, value: valueOf,
			text: (s) => [valueOf(s), fileOf(s), waits(s) ? "waits for a restart" : ""].join(" "),
			fill: fillValue },
		{ key: "default", label: "As it comes", value: defaultOf,
			text: (s) => defaultOf(s), fill: (cell, s) =>
				cell.replaceChildren(make("span", { class: "mono" }, ...shown(defaultOf(s)))) },
		{ key: "from", label: "From", value: whereFrom, fill: (cell, s) =>
			cell.replaceChildren(...breakable(whereFrom(s))) },
		{ key: "order", label: "As in the manual", isHidden: true },
		{ key: "change", label: "Change", kind: "actions", fill: fillChange,
			depends: (s) => s.takes_effect },
	],
	key: (s) => s.name,
	sort: { key: "order", down: false },
	empty: "There is no such setting.",
});

let settings = [];

function showSettings() {
	table.update(onlyChanged.checked ? settings.filter((s) => !isAsItComes(s) || waits(s)) : settings);
	const names = settings.filter(waits).map((s) => s.name);
	byId("waiting").textContent = names.length === 0 ? ""
		: "These wait for a restart: " + names.join(", ") + ".";
}

const refresh = poll(async () => {
	settings = (await get("settings")).settings.map((setting, order) => ({ ...setting, order }));
	showSettings();
}, 10);

onlyChanged.addEventListener("change", showSettings);

byId("reload").addEventListener("click", () => ask({
	title: "Read the configuration file again",
	text: "Also the users file and the lists that rules name, and the logs are opened again. If anything in them is wrong, nothing changes.",
	fields: [{ name: "cut", label: "Sessions that the rules would refuse then", value: "",
		choices: [["", "go on"], ["CUT", "end"]] }],
	action: "Read them",
	act: async ({ cut }) => {
		const answer = await post("reload", ...(cut ? [cut] : []));
		showDone([answer.message, ...(answer.lines || [])].join("\n"));
		refresh();
	},
}));

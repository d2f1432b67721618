// What is known of one thing, in a dialog with nothing to be decided.

import { breakable, make } from "./table.js";

// facts: [[name, value]]; without a value it is left out. buttons: [[word, act]] beside Close; act()
// closes it first.
export function showFacts(title, facts, text, buttons = []) {
	const close = make("button", { type: "button", class: "main" }, "Close");
	const others = buttons.map(([word, act]) => {
		const button = make("button", { type: "button" }, word);
		button.addEventListener("click", () => {
			dialog.close();
			act();
		});
		return button;
	});
	const list = facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
		.flatMap(([name, value]) =>
			[make("dt", {}, name), make("dd", {}, ...breakable(value))]);
	const dialog = make("dialog", { "aria-labelledby": "facts-title" },
		make("h2", { id: "facts-title" }, title), make("dl", { class: "facts" }, ...list),
		...(text ? [make("p", { class: "advice" }, text)] : []),
		make("p", { class: "buttons" }, ...others, close));

	close.addEventListener("click", () => dialog.close());
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
	close.focus();
}

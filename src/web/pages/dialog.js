// Dialogs that ask before something is done, by <dialog>, which keeps the focus and closes by Esc.

import { make } from "./table.js";

function makeField(field) {
	const name = "dialog-" + field.name;
	const input = field.choices
		? make("select", { id: name, name: field.name },
			...field.choices.map(([value, text]) =>
				make("option", { value, selected: value === field.value }, text)))
		: make("input", { id: name, name: field.name, type: field.type || "text",
			value: field.value ?? "", required: field.required, maxlength: field.most,
			autocomplete: field.type === "password" ? "new-password" : "off",
			autocapitalize: "none", spellcheck: "false", placeholder: field.example,
			"aria-describedby": field.help ? name + "-help" : undefined });
	const parts = [make("label", { for: name }, field.label), input];
	if (field.help)
		parts.push(make("small", { id: name + "-help" }, field.help));
	return make("p", { class: "field" }, ...parts);
}

// Asks; when it is agreed to, calls act(values), which may throw: then the dialog says so and
// stays. options: { title, text, fields: [{ name, label, type, value, required, help, choices }],
// action: the button's word, isDangerous, act }. Resolves to whether it was done.
export function ask(options) {
	const error = make("p", { class: "error", role: "alert", hidden: true });
	const go = make("button", { type: "submit", class: options.isDangerous ? "danger" : "main" },
		options.action);
	const cancel = make("button", { type: "button" }, "Cancel");
	const form = make("form", { method: "dialog" },
		make("h2", { id: "dialog-title" }, options.title),
		...(options.text ? [make("p", {}, options.text)] : []),
		...(options.fields || []).map(makeField), error,
		make("p", { class: "buttons" }, cancel, go));
	const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, form);

	return new Promise((resolve) => {
		let isDone = false;
		cancel.addEventListener("click", () => dialog.close());
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(isDone);
		});
		form.addEventListener("submit", async (event) => {
			event.preventDefault();
			go.disabled = true;
			error.hidden = true;
			try {
				await options.act(Object.fromEntries(new FormData(form)));
				isDone = true;
				dialog.close();
			} catch (problem) {
				error.textContent = problem.message;
				error.hidden = false;
			}
			go.disabled = false;
		});
		document.body.append(dialog);
		dialog.showModal();
		// What is dangerous is not a matter of Enter alone.
		if (options.isDangerous)
			cancel.focus();
	});
}

// Now: what the line carries.

import { byId, formatRate, get, makeTimePlot, poll } from "./app.js";

const plot = makeTimePlot(byId("throughput"), {
	label: "Throughput",
	series: [{ name: "Down", class: "is-down" }, { name: "Up", class: "is-up" }],
	format: formatRate,
	least: 12500,
});

let range = { seconds: 300, step: 1 };

async function showThroughput() {
	const asked = range;
	const answer = await get("traffic", asked.seconds, asked.step);
	const now = Date.now();
	const points = answer.traffic.map((t) => ({
		t: now - t.ago * 1000,
		values: [t.received / asked.step, t.sent / asked.step],
	})).reverse();
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

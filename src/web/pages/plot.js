// Plots in SVG, drawn anew for each size: a time series with its axes, and bars by day. What they
// look like is said in base.css.

import { formatClock, scaleTicks, timeTicks, withoutZeros } from "./format.js";
import { make } from "./table.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 10, right: 12, bottom: 26, left: 76 };
const LETTER = 7.5; // the width that one of a label's takes at most, in pixels

function draw(tag, attributes, text) {
	const element = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

// The frame of both: a legend, the picture, and a line that tells what the pointer is at.
class Plot {
	constructor(container, options) {
		this.options = options;
		this.svg = draw("svg", { class: "plot", role: "img", height: options.height || 220 });
		this.told = make("p", { class: "plot-told", "aria-hidden": "true" });
		container.replaceChildren(make("div", { class: "plot-head" }, this.makeLegend(), this.told),
			this.svg);
		this.svg.addEventListener("pointermove", (event) => this.point(event));
		this.svg.addEventListener("pointerleave", () => this.point(null));
		new ResizeObserver(() => this.show()).observe(container);
		this.container = container;
	}

	makeLegend() {
		const legend = make("ul", { class: "legend" });
		for (const series of this.options.series)
			legend.append(make("li", { class: series.class }, make("i", {}), series.name));
		return legend;
	}

	measure() {
		const width = Math.max(240, this.container.clientWidth);
		const height = Number(this.svg.getAttribute("height"));
		this.svg.setAttribute("width", width);
		this.svg.setAttribute("viewBox", "0 0 " + width + " " + height);
		this.box = {
			left: MARGIN.left, top: MARGIN.top,
			right: width - MARGIN.right, bottom: height - MARGIN.bottom,
		};
	}

	y(value) {
		const { top, bottom } = this.box;
		return bottom - (bottom - top) * value / this.top;
	}

	drawValueAxis(most) {
		const unit = this.options.unit || 1;
		const ticks = scaleTicks(Math.max(most, this.options.least || 0) / unit).map((t) => t * unit);
		this.top = ticks[ticks.length - 1];
		for (const tick of ticks) {
			const y = this.y(tick);
			this.svg.append(
				draw("line", { class: "grid", x1: this.box.left, x2: this.box.right, y1: y, y2: y }),
				draw("text", { class: "tick", x: this.box.left - 8, y: y + 4, "text-anchor": "end" },
					withoutZeros(this.options.format(tick))));
		}
	}

	drawLabel(x, text) {
		this.svg.append(draw("text", { class: "tick", x, y: this.box.bottom + 18,
			"text-anchor": "middle" }, text));
	}

	point(event) {
		this.pointed = event === null ? null : event.clientX - this.svg.getBoundingClientRect().left;
		this.tell();
	}

	label(text) {
		this.svg.setAttribute("aria-label", this.options.label + ". " + text);
	}
}

class TimePlot extends Plot {
	// points: [{ t, values: [...] }], oldest first; from and to are the ends of the time axis.
	update(points, from, to) {
		this.points = points;
		this.from = from;
		this.to = to;
		this.show();
	}

	x(t) {
		return this.box.left + (this.box.right - this.box.left) * (t - this.from) / (this.to - this.from);
	}

	show() {
		if (!this.points)
			return;
		this.measure();
		this.svg.replaceChildren();
		this.drawValueAxis(Math.max(0, ...this.points.flatMap((p) => p.values)));
		this.drawTimeAxis();
		this.options.series.forEach((series, i) => this.drawSeries(series, i));
		this.mark = draw("line", { class: "mark", y1: this.box.top, y2: this.box.bottom, x1: 0, x2: 0,
			visibility: "hidden" });
		this.svg.append(this.mark);
		this.tell();
		this.summarise();
	}

	drawTimeAxis() {
		const width = this.box.right - this.box.left;
		for (const t of timeTicks(this.from, this.to, Math.min(8, Math.max(3, Math.floor(width / 80))))) {
			const x = this.x(t);
			this.svg.append(draw("line", { class: "grid", x1: x, x2: x, y1: this.box.top,
				y2: this.box.bottom }));
			if (x > this.box.left + 16 && x < this.box.right - 16)
				this.drawLabel(x, formatClock(t));
		}
	}

	drawSeries(series, i) {
		if (this.points.length === 0)
			return;
		const path = this.points.map((p, n) => (n === 0 ? "M" : "L") +
			this.x(p.t).toFixed(1) + " " + this.y(p.values[i]).toFixed(1)).join("");
		const first = this.x(this.points[0].t).toFixed(1);
		const last = this.x(this.points[this.points.length - 1].t).toFixed(1);
		this.svg.append(
			draw("path", { class: "area " + series.class,
				d: path + "L" + last + " " + this.box.bottom + "L" + first + " " + this.box.bottom + "Z" }),
			draw("path", { class: "line " + series.class, d: path }));
	}

	nearest() {
		if (!this.points || this.points.length === 0)
			return null;
		if (this.pointed === null || this.pointed === undefined)
			return null;
		return this.points.reduce((best, p) =>
			Math.abs(this.x(p.t) - this.pointed) < Math.abs(this.x(best.t) - this.pointed) ? p : best);
	}

	describe(point) {
		return this.options.series.map((series, i) =>
			series.name + " " + this.options.format(point.values[i])).join(", ");
	}

	tell() {
		const point = this.nearest();
		if (!this.mark)
			return;
		this.mark.setAttribute("visibility", point ? "visible" : "hidden");
		if (point) {
			this.mark.setAttribute("x1", this.x(point.t));
			this.mark.setAttribute("x2", this.x(point.t));
		}
		this.told.textContent = point
			? formatClock(point.t, this.to - this.from < 600000) + ": " + this.describe(point) : "";
	}

	summarise() {
		if (this.points.length === 0) {
			this.label("Nothing yet.");
			return;
		}
		const most = this.options.series.map((series, i) => Math.max(...this.points.map((p) => p.values[i])));
		this.label("Last: " + this.describe(this.points[this.points.length - 1]) + ". Most: " +
			this.describe({ values: most }) + ".");
	}
}

class BarPlot extends Plot {
	makeLegend() {
		const legend = super.makeLegend();
		legend.classList.add("is-bars");
		return legend;
	}

	// bars: [{ label, values: [...] }], oldest first; the values are piled on each other.
	update(bars) {
		this.bars = bars;
		this.show();
	}

	show() {
		if (!this.bars)
			return;
		this.measure();
		this.svg.replaceChildren();
		this.drawValueAxis(Math.max(0, ...this.bars.map((bar) => this.sum(bar))));
		const room = (this.box.right - this.box.left) / Math.max(1, this.bars.length);
		const longest = Math.max(0, ...this.bars.map((bar) => bar.label.length));
		const every = Math.max(1, Math.ceil((longest * LETTER + 12) / room));
		this.bars.forEach((bar, n) => {
			this.drawBar(bar, this.box.left + n * room, room);
			if ((this.bars.length - 1 - n) % every === 0)
				this.drawLabel(Math.min(this.box.left + (n + 0.5) * room,
					this.box.right + MARGIN.right - longest * LETTER / 2), bar.label);
		});
		this.tell();
		this.summarise();
	}

	sum(bar) {
		return bar.values.reduce((a, b) => a + b, 0);
	}

	drawBar(bar, left, room) {
		const gap = Math.min(4, room * 0.2);
		let below = 0;
		bar.values.forEach((value, i) => {
			const y = this.y(below + value);
			this.svg.append(draw("rect", { class: "bar " + this.options.series[i].class,
				x: left + gap / 2, width: Math.max(1, room - gap), y, height: this.y(below) - y }));
			below += value;
		});
	}

	describe(bar) {
		return bar.label + ": " + this.options.series.map((series, i) =>
			series.name + " " + this.options.format(bar.values[i])).join(", ");
	}

	tell() {
		let text = "";
		if (this.bars && this.bars.length > 0 && this.pointed !== null && this.pointed !== undefined) {
			const room = (this.box.right - this.box.left) / this.bars.length;
			const bar = this.bars[Math.floor((this.pointed - this.box.left) / room)];
			text = bar ? this.describe(bar) : "";
		}
		this.told.textContent = text;
	}

	summarise() {
		const busiest = this.bars.reduce((best, bar) =>
			(best === null || this.sum(bar) > this.sum(best) ? bar : best), null);
		this.label(busiest === null || this.sum(busiest) === 0 ? "Nothing yet."
			: "Most on " + this.describe(busiest) + ".");
	}
}

// options: { label, series: [{ name, class }], format(value), height, least: what the axis shows
// at least, unit: that its steps are to be round in }
export function makeTimePlot(container, options) {
	return new TimePlot(container, options);
}

export function makeBarPlot(container, options) {
	return new BarPlot(container, options);
}

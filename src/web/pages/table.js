// A table that is refreshed: rows keep their elements by key, cells change only where their text
// does, and the order stands still while somebody points at it. Narrow screens show each row as a
// card (base.css), whose labels are the cells' data-label.

import { formatBytes, formatCount, formatDuration, formatRate, formatTime, isNumber } from "./format.js";

const MOST_ROWS = 500; // at once, until more are asked for
const STILL_MS = 5000; // that the order stands still for who has pointed at a row, or moved in it

// How a column's value becomes text. What is no text stands right.
const KINDS = {
	text: (value) => (value === null || value === undefined || value === "" ? "–" : String(value)),
	count: formatCount,
	bytes: formatBytes,
	rate: formatRate,
	duration: formatDuration,
	time: (value) => formatTime(value),
};

function make(tag, attributes, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value !== undefined && value !== null && value !== false)
			element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children);
	return element;
}

// Text that may be broken where people would break a name; a plain one where that is not needed.
export function breakable(text) {
	const parts = String(text).split(/(?<=[.@_-])(?=[a-z])/i);
	return parts.flatMap((part, i) => (i === 0 ? [part] : [document.createElement("wbr"), part]));
}

const collator = new Intl.Collator(undefined, { numeric: true });

function compare(a, b) {
	if (isNumber(a) && isNumber(b))
		return a - b;
	if (isNumber(a) !== isNumber(b)) // what is not known is less than any number
		return isNumber(a) ? 1 : -1;
	return collator.compare(String(a ?? ""), String(b ?? ""));
}

// container: what it stands in; what the server has put there is replaced.
// options:
//   label	what the table is, for those who do not see it
//   columns	[{ key, label, kind, wide, value(row), fill(cell, row) }]: kind is one of KINDS;
//		value() where it is not row[key], by which it is sorted; text() where that is not
//		what is shown, and found by the filter; fill() makes more than a text of it; wide:
//		true or "widest", for more room; isHidden: is not shown, and sorted by only
//   key(row)	what tells rows apart
//   sort	{ key, down }: the column at first, and its direction
//   empty	what is said without rows
//   most	rows that are shown until more are asked for
//   filter	an input of type search by which rows are chosen
export function makeTable(container, options) {
	return new Table(container, options);
}

class Table {
	constructor(container, options) {
		this.options = options;
		this.columns = options.columns.filter((column) => !column.isHidden);
		this.rows = [];
		this.elements = new Map(); // key to { tr, cells, texts, row }
		this.sort = { ...options.sort };
		this.most = options.most || MOST_ROWS;
		this.touched = -Infinity; // performance.now() of the last move of somebody in it
		this.build(container);
		if (options.filter)
			options.filter.addEventListener("input", () => this.show());
	}

	build(container) {
		this.body = make("tbody", { role: "rowgroup" });
		this.heads = new Map();
		const head = make("tr", { role: "row" });
		const group = make("colgroup");
		for (const column of this.columns) {
			head.append(this.makeHead(column));
			group.append(make("col", { class: this.classOf(column) }));
		}
		this.table = make("table", { role: "table", class: "live", "aria-label": this.options.label },
			group, make("thead", { role: "rowgroup" }, head), this.body);
		this.note = make("p", { class: "note", hidden: true });
		this.more = make("button", { type: "button", hidden: true }, "Show all");
		this.more.addEventListener("click", () => {
			this.most = Infinity;
			this.show();
		});
		container.replaceChildren(this.makeSortList(), this.table, this.note, this.more);
		this.holdWhilePointed();
		this.markSort();
	}

	classOf(column) {
		const wide = column.wide === "widest" ? " is-widest" : column.wide ? " is-wide" : "";
		return "is-" + (column.kind || "text") + wide;
	}

	makeHead(column) {
		const th = make("th", { scope: "col", role: "columnheader", class: this.classOf(column) });
		if (column.kind === "actions") {
			th.append(make("span", { class: "unseen" }, column.label));
			return th;
		}
		const button = make("button", { type: "button" }, column.label);
		button.addEventListener("click", () => this.sortBy(column.key));
		th.append(button);
		this.heads.set(column.key, th);
		return th;
	}

	// Where the heads are not shown.
	makeSortList() {
		const list = make("select", {});
		for (const column of this.options.columns) {
			if (column.kind !== "actions")
				list.append(make("option", { value: column.key }, column.label));
		}
		list.addEventListener("change", () => this.sortBy(list.value));
		this.list = list;
		const isNeeded = this.columns.length < this.options.columns.length;
		return make("label", { class: "sort-list" + (isNeeded ? " is-needed" : "") }, "Sort by ", list);
	}

	columnOf(key) {
		return this.options.columns.find((column) => column.key === key);
	}

	sortBy(key) {
		const isSame = this.sort.key === key;
		const isText = (this.columnOf(key).kind || "text") === "text";
		this.sort = { key, down: isSame ? !this.sort.down : !isText };
		this.markSort();
		this.show(true);
	}

	markSort() {
		for (const [key, th] of this.heads) {
			if (key === this.sort.key)
				th.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
		}
		if (this.sort.key)
			this.list.value = this.sort.key;
	}

	holdWhilePointed() {
		for (const kind of ["pointermove", "pointerdown", "focusin", "keydown"]) {
			this.body.addEventListener(kind, () => {
				this.touched = performance.now();
			}, { passive: true });
		}
		this.body.addEventListener("pointerleave", () => {
			this.touched = -Infinity;
		});
	}

	isStill() {
		return performance.now() - this.touched < STILL_MS;
	}

	valueOf(row, column) {
		return column.value ? column.value(row) : row[column.key];
	}

	textOf(row, column) {
		if (column.kind === "actions")
			return "";
		if (column.text)
			return column.text(row);
		return KINDS[column.kind || "text"](this.valueOf(row, column));
	}

	update(rows) {
		this.rows = rows;
		this.show();
	}

	chosenRows() {
		const words = (this.options.filter ? this.options.filter.value : "").toLowerCase()
			.split(/\s+/).filter(Boolean);
		if (words.length === 0)
			return [...this.rows];
		return this.rows.filter((row) => {
			const text = this.columns.map((column) => this.textOf(row, column))
				.join(" ").toLowerCase();
			return words.every((word) => text.includes(word));
		});
	}

	sortedRows() {
		const rows = this.chosenRows();
		const column = this.columnOf(this.sort.key);
		if (column) {
			const sign = this.sort.down ? -1 : 1;
			rows.sort((a, b) => sign * compare(this.valueOf(a, column), this.valueOf(b, column)) ||
				compare(this.options.key(a), this.options.key(b)));
		}
		return rows;
	}

	// In the order that is shown; those who are new behind them.
	heldRows(rows) {
		const place = new Map();
		let n = 0;
		for (const tr of this.body.children)
			place.set(tr.dataset.key, n++);
		const placeOf = (row) => place.get(String(this.options.key(row))) ?? n;
		return rows.sort((a, b) => placeOf(a) - placeOf(b));
	}

	show(isAsked) {
		let rows = this.sortedRows();
		const count = rows.length;
		if (!isAsked && this.isStill())
			rows = this.heldRows(rows);
		rows = rows.slice(0, this.most);
		const seen = new Set();
		let at = this.body.firstElementChild;
		for (const row of rows) {
			const key = String(this.options.key(row));
			const element = this.elementOf(key, row);
			seen.add(key);
			if (element.tr === at)
				at = at.nextElementSibling;
			else
				this.body.insertBefore(element.tr, at);
		}
		for (const [key, element] of this.elements) {
			if (!seen.has(key)) {
				element.tr.remove();
				this.elements.delete(key);
			}
		}
		this.tell(count, rows.length);
	}

	tell(count, shown) {
		const isFiltered = this.rows.length > count;
		this.table.hidden = count === 0;
		this.list.parentElement.hidden = this.rows.length === 0;
		this.more.hidden = shown === count;
		this.note.hidden = count > 0 && shown === count && !isFiltered;
		if (count === 0)
			this.note.textContent = isFiltered ? "None of " + formatCount(this.rows.length) +
				" has that in it." : this.options.empty;
		else
			this.note.textContent = formatCount(shown) + " of " + formatCount(this.rows.length) +
				" are shown.";
	}

	elementOf(key, row) {
		let element = this.elements.get(key);
		if (!element) {
			element = this.makeRow(key);
			this.elements.set(key, element);
		}
		element.tr.row = row;
		this.columns.forEach((column, i) => this.fill(element, i, column, row));
		return element;
	}

	makeRow(key) {
		const tr = make("tr", { role: "row", "data-key": key });
		const cells = this.columns.map((column) => {
			const cell = make("td", { role: "cell", class: this.classOf(column),
				"data-label": column.label });
			tr.append(cell);
			return cell;
		});
		return { tr, cells, texts: [] };
	}

	// A cell that fill() makes is made anew when its text is another.
	fill(element, i, column, row) {
		const text = this.textOf(row, column);
		if (element.texts[i] === text)
			return;
		element.texts[i] = text;
		element.cells[i].classList.toggle("is-none", text === "–");
		if (column.fill)
			column.fill(element.cells[i], row);
		else if ((column.kind || "text") === "text")
			element.cells[i].replaceChildren(...breakable(text));
		else
			element.cells[i].textContent = text;
	}
}

export { make };

/*
 * libqrencode makes the matrix. It becomes one path, a rectangle for each run of dark modules in a
 * row, so that no hairlines show between modules whatever the size it is drawn at. The element has
 * no style of its own, which a strict policy of the page would forbid.
 */
#include "proxy/qr.h"

#include <qrencode.h>

#include "base/template.h"

#define MARGIN 4 /* modules, as ISO/IEC 18004 wants */

static bool is_dark(const QRcode *code, int x, int y)
{
	return (code->data[y * code->width + x] & 1) != 0;
}

static void put_row(const QRcode *code, int y, FILE *out)
{
	for (int x = 0, begin; x < code->width; x++) {
		if (!is_dark(code, x, y))
			continue;
		begin = x;
		while (x + 1 < code->width && is_dark(code, x + 1, y))
			x++;
		fprintf(out, "M%d %dh%dv1h-%dz", begin + MARGIN, y + MARGIN, x + 1 - begin,
			x + 1 - begin);
	}
}

bool qr_put_svg(const char *text, const char *label, FILE *out)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

	if (code == NULL)
		return false;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"shape-rendering=\"crispEdges\"><title>",
		code->width + 2 * MARGIN, code->width + 2 * MARGIN);
	template_put_html(label, out);
	fputs("</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path fill=\"#000\" "
	      "d=\"",
		out);
	for (int y = 0; y < code->width; y++)
		put_row(code, y, out);
	fputs("\"/></svg>", out);
	QRcode_free(code);
	return true;
}

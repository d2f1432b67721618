/* qr: the picture has the modules of the matrix, whole and nothing else. */
#include "proxy/qr.h"

#include <qrencode.h>
#include <stdio.h>

#include "../base/check.h"

static char svg[1 << 18];

static bool put(const char *text, const char *label)
{
	FILE *out = fmemopen(svg, sizeof(svg), "w");
	bool is_put;

	assert_non_null(out);
	is_put = qr_put_svg(text, label, out);
	assert_int_equal(fputc('\0', out), '\0');
	assert_int_equal(fclose(out), 0);
	return is_put;
}

/* Fills in what the path draws; each module at most once. */
static void draw(const char *path, bool *modules, int size)
{
	int x, y, width, back, len;

	while (*path == 'M') {
		assert_int_equal(
			sscanf(path, "M%d %dh%dv1h-%dz%n", &x, &y, &width, &back, &len), 4);
		assert_int_equal(width, back);
		assert_true(x >= 4 && y >= 4 && x + width <= size - 4 && y < size - 4);
		for (int i = 0; i < width; i++) {
			assert_false(modules[y * size + x + i]);
			modules[y * size + x + i] = true;
		}
		path += len;
	}
	assert_begins(path, "\"/></svg>");
}

static void the_picture_is_the_matrix(void **state)
{
	static const char *const texts[] = {"http://192.0.2.1:1080/proxy.pac",
		"http://[2001:db8:1234:5678:9abc:def0:1234:5678]:1080/proxy.pac",
		"http://a-rather-long-name-of-a-proxy.example.org:65535/proxy.pac", "x"};
	char box[64];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		QRcode *code = QRcode_encodeString8bit(texts[i], 0, QR_ECLEVEL_M);
		int size = code->width + 8;
		bool *modules = calloc((size_t)size * (size_t)size, sizeof(*modules));

		assert_non_null(modules);
		assert_true(put(texts[i], "label"));
		snprintf(box, sizeof(box), "viewBox=\"0 0 %d %d\"", size, size);
		assert_contains(svg, box);
		draw(strstr(svg, " d=\"") + 4, modules, size);
		for (int y = 0; y < code->width; y++) {
			for (int x = 0; x < code->width; x++)
				assert_int_equal(modules[(y + 4) * size + x + 4],
					code->data[y * code->width + x] & 1);
		}
		free(modules);
		QRcode_free(code);
	}
}

static void its_label_is_text(void **state)
{
	(void)state;
	assert_true(put("text", "<b> & \"c\""));
	assert_contains(svg, "<title>&lt;b&gt; &amp; &quot;c&quot;</title>");
	assert_null(strstr(svg, "style"));
}

static void too_long_a_text_is_none(void **state)
{
	static char text[4001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_false(put(text, "label"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_picture_is_the_matrix),
		cmocka_unit_test(its_label_is_text),
		cmocka_unit_test(too_long_a_text_is_none),
	};

	return cmocka_run_group_tests_name("proxy/qr", tests, NULL, NULL);
}

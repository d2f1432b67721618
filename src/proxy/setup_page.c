/*
 * Values by their names, and the texts of src/proxy/pages that they are put into. The sections are
 * one text, which is gone through twice: for the one that is guessed, and then for all others.
 *
 * The page is one answer: its style is in it, allowed by its hash, and the QR code is drawn in it;
 * so no second connection is needed, and the policy can forbid all else.
 */
#include "proxy/setup_page.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/template.h"
#include "base/timestamp.h"
#include "base/writing.h"
#include "proxy/pages.h"
#include "proxy/qr.h"

/* ---- who asks ---- */

/* What stands in the names of several is looked for where it tells them apart: Android calls itself
 * Linux, and every browser Mozilla. */
enum setup_section setup_page_guess(const char *user_agent, size_t len)
{
	static const struct {
		const char *part;
		enum setup_section section;
	} rows[] = {{"iPhone", SETUP_IPHONE}, {"iPad", SETUP_IPHONE}, {"iPod", SETUP_IPHONE},
		{"Android", SETUP_ANDROID}, {"Firefox/", SETUP_FIREFOX},
		{"Windows NT", SETUP_WINDOWS}, {"Macintosh", SETUP_MACOS},
		{"Chrome/", SETUP_CHROME}, {"Chromium/", SETUP_CHROME}, {"X11;", SETUP_LINUX},
		{"curl/", SETUP_CURL}, {"git/", SETUP_GIT}, {"APT-HTTP/", SETUP_APT}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (memmem(user_agent, len, rows[i].part, strlen(rows[i].part)) != NULL)
			return rows[i].section;
	}
	return SETUP_SECTIONS;
}

/* ---- the client's limits ---- */

/* Room for the values that are put together for the page. */
struct limit_texts {
	char sessions[16], running[16], rate[AMOUNT_TEXT_MAX], quota[AMOUNT_TEXT_MAX + 16];
	char used[AMOUNT_TEXT_MAX], left[AMOUNT_TEXT_MAX], percent[8], until[32];
	char over[AMOUNT_TEXT_MAX + 64];
};

/* Where the last digits are no news. */
static const char *about(uint64_t bytes, char out[AMOUNT_TEXT_MAX])
{
	uint64_t unit = 1;

	while (bytes / unit >= 100000)
		unit *= 10;
	return amount_format_size(bytes - bytes % unit, out);
}

static void say_quota(const struct allowance_view *v, struct limit_texts *t)
{
	static const char *const periods[] = {
		[QUOTA_DAY] = "a day", [QUOTA_WEEK] = "a week", [QUOTA_MONTH] = "a month"};
	const struct quota *q = &v->limits.quota;
	uint64_t allowed = q->bytes + v->use.extra;
	uint64_t used = v->use.used < allowed ? v->use.used : allowed;
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE], text[AMOUNT_TEXT_MAX];

	snprintf(t->quota, sizeof(t->quota), "%s %s", amount_format_size(q->bytes, text),
		periods[q->period]);
	about(v->use.used, t->used);
	about(allowed - used, t->left);
	snprintf(t->percent, sizeof(t->percent), "%u",
		allowed == 0 ? 100 : (unsigned)((double)used / (double)allowed * 100));
	timestamp_format(v->until, date, zone);
	snprintf(t->until, sizeof(t->until), "%.10s %.5s", date, date + 11);
}

static void say_over(const struct limits *l, struct limit_texts *t)
{
	enum limit_over over = limits_have(l, LIMIT_OVER) ? l->over : OVER_CUT;
	char text[AMOUNT_TEXT_MAX];

	if (over == OVER_SLOW)
		snprintf(t->over, sizeof(t->over), "all goes on at %s a second",
			amount_format_rate(l->slow_down, l->slow_up, text));
	else
		snprintf(t->over, sizeof(t->over), "%s",
			over == OVER_CUT ? "connections end, and there are no new ones"
					 : "there are no new connections");
}

static void say_limits(const struct allowance_view *v, struct limit_texts *t)
{
	const struct limits *l = &v->limits;

	memset(t, 0, sizeof(*t));
	if (limits_have(l, LIMIT_SESSIONS)) {
		snprintf(t->sessions, sizeof(t->sessions), "%u", l->sessions);
		snprintf(t->running, sizeof(t->running), "%u", v->running);
	}
	if (limits_have(l, LIMIT_RATE))
		amount_format_rate(l->down, l->up, t->rate);
	if (limits_have(l, LIMIT_QUOTA)) {
		say_quota(v, t);
		say_over(l, t);
	}
}

/* ---- sections ---- */

static const char *const section_ids[SETUP_SECTIONS] = {
#define SETUP_SECTION(name, id) [SETUP_##name] = (id),
	SETUP_SECTION_LIST(SETUP_SECTION)
#undef SETUP_SECTION
};

/* Values that stand in the page and in its sections. */
struct setup_fields {
	char proxy[300], base[320], pac[340], host[300], port[8];
	const char *login, *socks5;
	const char *quote; /* around what shells would take for a pattern */
};

static const char *yes_if(bool condition)
{
	return condition ? "yes" : NULL;
}

/* The one that is guessed (`is_first`), or all others. */
static bool put_some_sections(
	const struct setup_page *page, const struct setup_fields *f, bool is_first, FILE *out)
{
	struct template_field fields[SETUP_SECTIONS + 10] = {{"open", yes_if(is_first)},
		{"proxy", f->proxy}, {"base", f->base}, {"pac", f->pac}, {"host", f->host},
		{"port", f->port}, {"login", f->login}, {"socks5", f->socks5}, {"quote", f->quote}};

	for (enum setup_section s = 0; s < SETUP_SECTIONS; s++)
		fields[9 + s] = (struct template_field){
			section_ids[s], yes_if((s == page->first) == is_first)};
	return template_put(page_text(PAGE_SECTIONS), fields, out);
}

static bool put_sections(const struct setup_page *page, const struct setup_fields *f, FILE *out)
{
	return put_some_sections(page, f, true, out) && put_some_sections(page, f, false, out);
}

/* ---- the page ---- */

static void set_fields(const struct setup_page *page, struct setup_fields *f)
{
	bool is_bracketed = page->host[0] == '[';
	int len = (int)strlen(page->host);

	snprintf(f->proxy, sizeof(f->proxy), "%s:%u", page->host, page->port);
	snprintf(f->base, sizeof(f->base), "http://%s", page->port == 80 ? page->host : f->proxy);
	snprintf(f->pac, sizeof(f->pac), "%s/proxy.pac", f->base);
	snprintf(f->host, sizeof(f->host), "%.*s", is_bracketed ? len - 2 : len,
		page->host + is_bracketed);
	snprintf(f->port, sizeof(f->port), "%u", page->port);
	f->login = yes_if(page->login == SETUP_LOGIN_REQUIRED);
	f->socks5 = yes_if(page->has_socks5);
	f->quote = is_bracketed ? "'" : NULL;
}

static bool put_page(const struct setup_page *page, const struct setup_fields *f, const char *qr,
	const char *sections, FILE *out)
{
	static const struct allowance_view none;
	const struct allowance_view *v = page->limits != NULL ? page->limits : &none;
	struct limit_texts t;

	say_limits(v, &t);
	return template_put(page_text(PAGE_SETUP),
		(const struct template_field[]){{"proxy", f->proxy}, {"base", f->base},
			{"host", f->host}, {"port", f->port}, {"style", page_text(PAGE_STYLE)},
			{"qr", qr}, {"sections", sections}, {"client", page->client},
			{"login", f->login}, {"socks5", f->socks5},
			{"login_optional", yes_if(page->login == SETUP_LOGIN_OPTIONAL)},
			{"login_none", yes_if(page->login == SETUP_LOGIN_NONE)},
			{"socks4", yes_if(page->has_socks4)},
			{"loopback", yes_if(page->is_loopback)},
			{"kept_out", yes_if(v->is_kept_out)},
			{"limits",
				yes_if(t.sessions[0] != '\0' || t.rate[0] != '\0' ||
					t.quota[0] != '\0')},
			{"limits_anonymous", yes_if(v->of_anonymous != 0)},
			{"sessions", t.sessions}, {"running", t.running}, {"rate", t.rate},
			{"quota", t.quota}, {"used", t.used}, {"percent", t.percent},
			{"left", t.left}, {"until", t.until}, {"over", t.over}, {NULL, NULL}},
		out);
}

bool setup_page_put(const struct setup_page *page, FILE *out)
{
	struct setup_fields f = {.login = NULL};
	struct writing qr, sections;
	bool is_whole = true;

	set_fields(page, &f);
	if (writing_begin(&qr) != NULL)
		is_whole = qr_put_svg(f.pac, f.pac, qr.out);
	if (writing_begin(&sections) != NULL)
		is_whole = put_sections(page, &f, sections.out) && is_whole;
	is_whole = writing_end(&qr) && is_whole;
	is_whole = writing_end(&sections) && is_whole;
	is_whole = is_whole && put_page(page, &f, qr.text, sections.text, out);
	free(qr.text);
	free(sections.text);
	return is_whole;
}

const char *setup_page_policy(char out[SETUP_POLICY_MAX])
{
	const char *style = page_text(PAGE_STYLE);
	unsigned char hash[crypto_hash_sha256_BYTES];
	char base64[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(hash, (const unsigned char *)style, strlen(style));
	sodium_bin2base64(
		base64, sizeof(base64), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, SETUP_POLICY_MAX,
		"default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'",
		base64);
	return out;
}

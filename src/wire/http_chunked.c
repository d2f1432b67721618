/*
 * A state for each thing that a byte can be, so that it does not matter how the stream is cut; only
 * the data of a chunk are taken as they come. Each state has a function that says which is the
 * next, and none goes on without a bound: sizes have few digits, their lines and the trailers have
 * a greatest length.
 */
#include "wire/http_chunked.h"

#include "base/digits.h"
#include "wire/http_fields.h"

#define DIGITS_MOST 16
#define SIZE_MOST (UINT64_C(1) << 62)

typedef enum http_chunked_state next_state(struct http_chunked *c, uint8_t byte);

/* Behind the line with the size. */
static enum http_chunked_state begin_chunk(struct http_chunked *c)
{
	c->line = 0;
	c->digits = 0;
	return c->left > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILER_START;
}

static enum http_chunked_state after_blank(struct http_chunked *c, uint8_t byte)
{
	if (byte == ' ' || byte == '\t')
		return HTTP_CHUNK_BLANK;
	if (byte == ';')
		return HTTP_CHUNK_EXTENSION;
	if (c->is_lax && byte == '\n')
		return begin_chunk(c);
	return c->is_lax && byte == '\r' ? HTTP_CHUNK_SIZE_LF : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_size(struct http_chunked *c, uint8_t byte)
{
	int digit = digits_hex_value((char)byte);

	if (digit < 0 && c->digits == 0)
		return HTTP_CHUNKED_MALFORMED;
	if (digit < 0)
		return byte == '\r' ? HTTP_CHUNK_SIZE_LF : after_blank(c, byte);
	if (c->digits == 0)
		c->left = 0;
	if (++c->digits > DIGITS_MOST || c->left >= SIZE_MOST / 16)
		return HTTP_CHUNKED_MALFORMED;
	c->left = c->left * 16 + (uint64_t)digit;
	return HTTP_CHUNK_SIZE;
}

static enum http_chunked_state after_extension(struct http_chunked *c, uint8_t byte)
{
	if (byte == '\r')
		return HTTP_CHUNK_SIZE_LF;
	if (byte == '\n' && c->is_lax)
		return begin_chunk(c);
	return http_is_value_byte(byte) ? HTTP_CHUNK_EXTENSION : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_size_cr(struct http_chunked *c, uint8_t byte)
{
	return byte == '\n' ? begin_chunk(c) : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_data(struct http_chunked *c, uint8_t byte)
{
	if (byte == '\n' && c->is_lax)
		return HTTP_CHUNK_SIZE;
	return byte == '\r' ? HTTP_CHUNK_DATA_LF : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_data_cr(struct http_chunked *c, uint8_t byte)
{
	(void)c;
	return byte == '\n' ? HTTP_CHUNK_SIZE : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_trailer_name(struct http_chunked *c, uint8_t byte)
{
	(void)c;
	if (byte == ':')
		return HTTP_TRAILER_VALUE;
	return http_is_token_byte(byte) ? HTTP_TRAILER_NAME : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_trailer_start(struct http_chunked *c, uint8_t byte)
{
	if (byte == '\r')
		return HTTP_CHUNKED_LF;
	if (byte == '\n' && c->is_lax)
		return HTTP_CHUNKED_ENDED;
	return byte == ':' ? HTTP_CHUNKED_MALFORMED : after_trailer_name(c, byte);
}

static enum http_chunked_state after_trailer_value(struct http_chunked *c, uint8_t byte)
{
	if (byte == '\r')
		return HTTP_TRAILER_LF;
	if (byte == '\n' && c->is_lax)
		return HTTP_TRAILER_START;
	return http_is_value_byte(byte) ? HTTP_TRAILER_VALUE : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_trailer_cr(struct http_chunked *c, uint8_t byte)
{
	(void)c;
	return byte == '\n' ? HTTP_TRAILER_START : HTTP_CHUNKED_MALFORMED;
}

static enum http_chunked_state after_last_cr(struct http_chunked *c, uint8_t byte)
{
	(void)c;
	return byte == '\n' ? HTTP_CHUNKED_ENDED : HTTP_CHUNKED_MALFORMED;
}

static next_state *const nexts[] = {
	[HTTP_CHUNK_SIZE] = after_size,
	[HTTP_CHUNK_BLANK] = after_blank,
	[HTTP_CHUNK_EXTENSION] = after_extension,
	[HTTP_CHUNK_SIZE_LF] = after_size_cr,
	[HTTP_CHUNK_DATA_CR] = after_data,
	[HTTP_CHUNK_DATA_LF] = after_data_cr,
	[HTTP_TRAILER_START] = after_trailer_start,
	[HTTP_TRAILER_NAME] = after_trailer_name,
	[HTTP_TRAILER_VALUE] = after_trailer_value,
	[HTTP_TRAILER_LF] = after_trailer_cr,
	[HTTP_CHUNKED_LF] = after_last_cr,
};

void http_chunked_skip(struct http_chunked *c, size_t n)
{
	c->left -= n;
	if (c->left == 0)
		c->state = HTTP_CHUNK_DATA_CR;
}

static size_t take_data(struct http_chunked *c, size_t n)
{
	size_t taken = n < c->left ? n : (size_t)c->left;

	http_chunked_skip(c, taken);
	return taken;
}

static bool is_over(const struct http_chunked *c)
{
	return c->state >= HTTP_CHUNKED_ENDED;
}

static void take_frame_byte(struct http_chunked *c, uint8_t byte)
{
	size_t most = c->state >= HTTP_TRAILER_START ? HTTP_TRAILER_MAX : HTTP_CHUNK_LINE_MAX;

	if (++c->line > most)
		c->state = HTTP_CHUNKED_MALFORMED;
	else
		c->state = nexts[c->state](c, byte);
}

size_t http_chunked_take(struct http_chunked *c, const uint8_t *p, size_t n, bool *is_data)
{
	size_t taken = 0;

	*is_data = c->state == HTTP_CHUNK_DATA;
	if (*is_data)
		return take_data(c, n);
	while (taken < n && !is_over(c) && c->state != HTTP_CHUNK_DATA) {
		take_frame_byte(c, p[taken]);
		taken += !http_chunked_is_malformed(c);
	}
	return taken;
}

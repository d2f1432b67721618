/*
 * What comes from elsewhere is held to what a line of the users file is held to, and to fewer
 * bytes: a control character would have the file, the log or a console read it as something else.
 */
#include "state/shared_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/limits.h"
#include "state/shared_users.h"
#include "state/user_words.h"

#define DELETED "-"

/* The next word, which ends at a blank; false when it is empty, too long or the last. */
static bool take_word(const char **text, char *out, size_t size)
{
	size_t len = strcspn(*text, " ");

	if (len == 0 || len >= size || (*text)[len] == '\0')
		return false;
	memcpy(out, *text, len);
	out[len] = '\0';
	*text += len + 1;
	return true;
}

static bool parse_version(const char *word, uint64_t *out)
{
	if (word[strspn(word, "0123456789")] != '\0')
		return false;
	*out = strtoull(word, NULL, 10);
	return true;
}

const char *shared_record_parse(const char *text, struct shared_record *r)
{
	char version[20], *end;
	size_t len;

	memset(r, 0, sizeof(*r));
	if (!take_word(&text, version, sizeof(version)) || !parse_version(version, &r->version))
		return "it does not begin with a version";
	if (!take_word(&text, r->node, sizeof(r->node)))
		return "no node's name is behind the version";
	r->is_deleted = strcmp(text, DELETED) == 0;
	r->attributes = text + strlen(text);
	if (r->is_deleted)
		return NULL;
	end = strchr(text, ':');
	len = end == NULL ? sizeof(r->hash) : (size_t)(end - text);
	if (len >= sizeof(r->hash))
		return "behind the node's name is neither HASH:LIMITS nor " DELETED;
	memcpy(r->hash, text, len);
	r->attributes = end + 1;
	return NULL;
}

char *shared_record_format(const struct shared_record *r)
{
	size_t size = CLUSTER_NODE_MAX + PASSWORD_HASH_SIZE + 24 + strlen(r->attributes);
	char *text = malloc(size);

	if (text == NULL)
		return NULL;
	if (r->is_deleted)
		snprintf(text, size, "%" PRIu64 " %s " DELETED, r->version, r->node);
	else
		snprintf(text, size, "%" PRIu64 " %s %s:%s", r->version, r->node, r->hash,
			r->attributes);
	return text;
}

bool shared_record_outranks(const struct shared_record *r, const struct shared_record *other)
{
	if (r->version != other->version)
		return r->version > other->version;
	return strcmp(r->node, other->node) > 0;
}

static bool has_control_bytes(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return true;
	}
	return false;
}

const char *shared_record_problem(const struct shared_record *r, const char *name, char *problem)
{
	const char *why = users_name_problem(name, strlen(name));
	struct limits limits;

	if (why != NULL)
		return why;
	if (r->version > SHARED_USERS_VERSION_MAX)
		return "its version is higher than any can be";
	if (r->is_deleted)
		return NULL;
	if (strcmp(r->hash, USERS_OF_HELPER) != 0 && !password_hash_is_legal(r->hash))
		return "there is no password hash, and not the word " USERS_OF_HELPER;
	why = users_helper_problem(name, strlen(name), r->hash, USER_ROLE_USER);
	if (why != NULL)
		return why;
	if (has_control_bytes(r->attributes))
		return "there are control characters in its limits";
	return limits_parse(r->attributes, LIMITS_OF_USER, &limits, problem) ? NULL : problem;
}

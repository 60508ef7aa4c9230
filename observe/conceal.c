#include "observe/conceal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- one place ---------------------------------------------------------------------------------------------------- */

static void insert(const struct secret **list, struct arena *arena, const char *text)
{
	if (strlen(text) < CONCEAL_BYTES_MIN)
		return;
	while (*list && strlen((*list)->text) >= strlen(text)) {
		if (strcmp((*list)->text, text) == 0)
			return;
		/* The list is ours until it is told to others. */
		list = &((struct secret *)(uintptr_t)*list)->next;
	}
	struct secret *s = arena_new(arena, struct secret);
	*s = (struct secret){ arena_strdup(arena, text), *list };
	*list = s;
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef",
		   *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static void decode(char *text)
{
	char *to = text;
	for (const char *c = text; *c; c++) {
		const int high = *c == '%' ? hex(c[1]) : -1, low = high >= 0 ? hex(c[2]) : -1;
		*to++ = low >= 0 ? (char)(high * 16 + low) : *c;
		c += low >= 0 ? 2 : 0;
	}
	*to = '\0';
}

static void insert_both(const struct secret **list, struct arena *arena, const char *value, size_t len)
{
	char *piece = xstrndup(value, len);
	insert(list, arena, piece);
	decode(piece);
	insert(list, arena, piece);
	free(piece);
}

void conceal_add(const struct secret **list, struct arena *arena, const char *value)
{
	static const char marks[] = ":/?#[]@&=;, '\"\\";
	const char *scheme = strstr(value, "://");
	insert_both(list, arena, value, strlen(value));
	for (const char *at = scheme ? scheme + 3 : value; *at;) {
		const size_t len = strcspn(at, marks);
		insert_both(list, arena, at, len);
		at += len + (at[len] != '\0');
	}
}

void conceal_add_password(const struct secret **list, struct arena *arena, const char *url)
{
	const char *scheme = strstr(url, "://"), *end = strrchr(url, '@');
	const char *user = scheme ? scheme + 3 : url;
	if (!end || end < user)
		return;
	const char *colon = memchr(user, ':', (size_t)(end - user));
	const char *from = colon ? colon + 1 : user;
	char *password = xstrndup(from, (size_t)(end - from));
	conceal_add(list, arena, password);
	free(password);
}

/* A text that was cut may end within a secret. */
static void conceal_tail(char *text, const char *secret)
{
	const size_t text_len = strlen(text), secret_len = strlen(secret);
	for (size_t len = secret_len - 1; len >= CONCEAL_BYTES_MIN; len--)
		if (len <= text_len && memcmp(text + text_len - len, secret, len) == 0) {
			memcpy(text + text_len - len, "***", sizeof("***"));
			return;
		}
}

void conceal_all(const struct secret *list, char *text, size_t size)
{
	for (const struct secret *s = list; s; s = s->next) {
		conceal_secret(text, size, s->text);
		conceal_tail(text, s->text);
	}
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

char *conceal_url(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *authority = scheme ? scheme + 3 : url;
	const size_t authority_len = strcspn(authority, "/?#");
	const char *host = authority;
	if (strchr(authority + authority_len, '@'))
		return xasprintf("%.*s***", (int)(authority - url), url);
	for (size_t i = 0; i < authority_len; i++)
		if (authority[i] == '@')
			host = authority + i + 1;
	const size_t len = strcspn(host, "?#");
	return xasprintf("%.*s%.*s", (int)(authority - url), url, (int)len, host);
}

void conceal_secret(char *text, size_t size, const char *secret)
{
	static const char stars[] = "***";
	const size_t len = secret ? strlen(secret) : 0;
	char *at = text;
	while (len && (at = strstr(at, secret))) {
		const size_t tail = strlen(at + len);
		const size_t room = size - (size_t)(at - text) - 1;
		const size_t put = room < sizeof(stars) - 1 ? room : sizeof(stars) - 1;
		const size_t kept = tail < room - put ? tail : room - put;
		memmove(at + put, at + len, kept);
		memcpy(at, stars, put);
		at[put + kept] = '\0';
		at += put;
	}
}

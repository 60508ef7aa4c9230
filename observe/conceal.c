#include "observe/conceal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

char *conceal_url(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *authority = scheme ? scheme + 3 : url;
	const size_t authority_len = strcspn(authority, "/?#");
	const char *host = authority;
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

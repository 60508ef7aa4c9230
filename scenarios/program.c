/* program.c: what is to be known of names; the compiler is compile.c. */
#include "scenarios/program.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool secret_name(struct str name)
{
	static const char *const words[] = { "password",   "passwd",  "token",   "authorization", "cookie", "secret",
		                             "credential", "api-key", "api_key", "apikey",        NULL };
	for (size_t at = 0; at < name.len; at++) {
		for (size_t w = 0; words[w]; w++) {
			size_t n = 0;
			while (at + n < name.len && words[w][n] && lower(name.p[at + n]) == words[w][n])
				n++;
			if (!words[w][n])
				return true;
		}
	}
	return false;
}

#include "demo/token.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/must.h"

#define MAC_TEXT_LEN 32 /* the first 16 bytes, in hexadecimal */

static const char key[] = "weir-demo-app: public on purpose";

bool token_user_valid(struct str user)
{
	if (user.len == 0 || user.len > TOKEN_USER_MAX)
		return false;
	for (size_t i = 0; i < user.len; i++)
		if (!isalnum((unsigned char)user.p[i]) && str_find(STR("._-@+"), user.p[i]) == strlen("._-@+"))
			return false;
	return true;
}

static void mac_text(struct str user, char ret_text[MAC_TEXT_LEN + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	must(HMAC(EVP_sha256(), key, sizeof(key) - 1, (const unsigned char *)user.p, user.len, mac, &len));
	must(len >= MAC_TEXT_LEN / 2);
	for (size_t i = 0; i < MAC_TEXT_LEN; i++)
		ret_text[i] = "0123456789abcdef"[mac[i / 2] >> (i % 2 ? 0 : 4) & 15];
	ret_text[MAC_TEXT_LEN] = '\0';
}

void token_make(struct str user, char ret_token[TOKEN_TEXT_BYTES])
{
	char mac[MAC_TEXT_LEN + 1];
	must(token_user_valid(user));
	mac_text(user, mac);
	snprintf(ret_token, TOKEN_TEXT_BYTES, "%.*s:%s", STR_ARG(user), mac);
}

bool token_check(struct str token, struct str *ret_user)
{
	char mac[MAC_TEXT_LEN + 1];
	const struct str user = str_first(token, str_find(token, ':'));
	const struct str given = str_from_at(token, user.len + 1);
	if (!token_user_valid(user) || given.len != MAC_TEXT_LEN)
		return false;
	mac_text(user, mac);
	if (CRYPTO_memcmp(mac, given.p, MAC_TEXT_LEN) != 0)
		return false;
	*ret_user = user;
	return true;
}

bool token_check_bearer(struct str header, struct str *ret_user)
{
	const struct str scheme = STR("Bearer ");
	return str_eq_nocase(str_first(header, scheme.len), scheme) &&
	       token_check(str_trim(str_from_at(header, scheme.len)), ret_user);
}

#include "net/authorities.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/tls_session.h"

struct authorities {
	char *file;
	X509_STORE *store; /* NULL: not read yet */
};

/* As libcurl sets its own: a chain may end at any certificate that is trusted. */
static X509_STORE *read_store(const char *file)
{
	X509_STORE *store = X509_STORE_new();
	if (!store)
		return NULL;
	if (X509_STORE_load_locations(store, file, NULL) != 1) {
		X509_STORE_free(store);
		return NULL;
	}
	X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	return store;
}

struct authorities *authorities_create(const char *file)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const char *path = file ? file : v->age >= CURLVERSION_SEVENTH ? v->cainfo : NULL;
	if (!tls_library_is_shared() || !path || access(path, R_OK) != 0)
		return NULL;
	/* A file of the user's may hold anything, and libcurl words that better than its callback lets us. */
	X509_STORE *store = file ? read_store(file) : NULL;
	if (file && !store)
		return NULL;
	struct authorities *a = xcalloc(1, sizeof(*a));
	a->file = xstrdup(path);
	a->store = store;
	return a;
}

void authorities_destroy(struct authorities *a)
{
	if (!a)
		return;
	X509_STORE_free(a->store);
	free(a->file);
	free(a);
}

static CURLcode lend_store(CURL *easy, void *context, void *authorities)
{
	struct authorities *a = authorities;
	(void)easy;
	if (!a->store)
		a->store = read_store(a->file);
	if (!a->store)
		return CURLE_SSL_CACERT_BADFILE;
	SSL_CTX_set1_cert_store(context, a->store);
	return CURLE_OK;
}

void authorities_use(struct authorities *a, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, a);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, lend_store);
}

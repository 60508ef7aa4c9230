#include "net/authorities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

/* Whether peers are judged rightly is tests/blackbox/test_transports_tls.py's. */

static char path[] = "/tmp/weir-authorities-XXXXXX";

static int make_file(void **state)
{
	strcpy(path + strlen(path) - 6, "XXXXXX");
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	unlink(path);
	return 0;
}

/* A certificate that vouches for itself. */
static void write_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void a_file_that_holds_certificates_is_read(void **state)
{
	write_certificate();
	struct authorities *a = authorities_create(path);
	CURL *easy = curl_easy_init();
	assert_non_null(a);
	authorities_use(a, easy);
	curl_easy_cleanup(easy);
	authorities_destroy(a);
}

static void what_is_not_one_is_left_to_libcurl(void **state)
{
	assert_null(authorities_create(path)); /* empty */
	FILE *f = fopen(path, "w");
	fputs("-----BEGIN CERTIFICATE-----\nthis is none\n-----END CERTIFICATE-----\n", f);
	fclose(f);
	assert_null(authorities_create(path));
	assert_null(authorities_create("/nowhere/authorities.pem"));
	assert_null(authorities_create("/tmp"));
	authorities_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_holds_certificates_is_read, make_file, remove_file),
		cmocka_unit_test_setup_teardown(what_is_not_one_is_left_to_libcurl, make_file, remove_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

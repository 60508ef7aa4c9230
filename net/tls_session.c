#include "net/tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

bool tls_library_is_shared(void)
{
	static const char ours[] = "OpenSSL/3.";
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	return OPENSSL_VERSION_MAJOR == 3 && v->ssl_version && strncmp(v->ssl_version, ours, strlen(ours)) == 0;
}

static SSL *ssl_of(struct tls_session *t)
{
	return (SSL *)t;
}

struct tls_session *tls_session_take(CURL *easy, int fd)
{
	struct curl_tlssessioninfo *lent = NULL;
	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &lent) != CURLE_OK || !lent ||
	    lent->backend != CURLSSLBACKEND_OPENSSL || !lent->internals)
		return NULL;
	SSL *ssl = lent->internals;
	/* What waits inside was read through libcurl, and what could not be written is half in there, too. */
	if (SSL_has_pending(ssl) || SSL_want_write(ssl) || SSL_set_fd(ssl, fd) != 1)
		return NULL;
	/* libcurl would look for a transfer to keep a later ticket for, and there is none. */
	SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(ssl), NULL);
	SSL_set_read_ahead(ssl, 1);
	return (struct tls_session *)ssl;
}

/* SSL_get_error looks at the thread's list of errors, where others may have left some. Clearing an empty list costs more than
 * looking whether it is. */
static void forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

static ssize_t failed(const char *what, int os_errno, char *detail, size_t detail_bytes)
{
	char words[256];
	const unsigned long code = ERR_get_error();
	if (code)
		ERR_error_string_n(code, words, sizeof(words));
	else
		snprintf(words, sizeof(words), "%s", os_errno ? strerror(os_errno) : "the connection ended");
	snprintf(detail, detail_bytes, "%s: %s", what, words);
	return TLS_FAILED;
}

/* Why an operation brought no bytes. */
static ssize_t reason(SSL *ssl, int result, const char *what, char *detail, size_t detail_bytes)
{
	const int os_errno = errno;
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
	case SSL_ERROR_SSL:
		/* An end without a word: whether the answer may end here is for its parser to say. */
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
		    (os_errno == 0 && !ERR_peek_error()))
			return 0;
		return failed(what, os_errno, detail, detail_bytes);
	default:
		return failed(what, os_errno, detail, detail_bytes);
	}
}

ssize_t tls_session_send(struct tls_session *t, struct str bytes, char *detail, size_t detail_bytes)
{
	size_t sent = 0;
	forget_errors();
	errno = 0;
	const int r = SSL_write_ex(ssl_of(t), bytes.p, bytes.len, &sent);
	if (r == 1)
		return (ssize_t)sent;
	const ssize_t why = reason(ssl_of(t), r, "send", detail, detail_bytes);
	return why ? why : failed("send", 0, detail, detail_bytes);
}

ssize_t tls_session_receive(struct tls_session *t, char *to, size_t room, char *detail, size_t detail_bytes)
{
	size_t received = 0;
	forget_errors();
	errno = 0;
	const int r = SSL_read_ex(ssl_of(t), to, room, &received);
	return r == 1 ? (ssize_t)received : reason(ssl_of(t), r, "receive", detail, detail_bytes);
}

bool tls_session_is_quiet(struct tls_session *t)
{
	char byte, detail[64];
	/* A message of the handshake's, such as a ticket, is nothing. */
	return !SSL_has_pending(ssl_of(t)) || tls_session_receive(t, &byte, 1, detail, sizeof(detail)) == TLS_AGAIN;
}

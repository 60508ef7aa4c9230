#include "scenarios/import/curl_options.h"

#include "base/must.h"

static const struct curl_option options[] = {
	{ "request", 'X', CURL_METHOD },
	{ "header", 'H', CURL_HEADER },
	{ "data", 'd', CURL_DATA },
	{ "data-ascii", 0, CURL_DATA },
	{ "data-binary", 0, CURL_DATA },
	{ "data-raw", 0, CURL_DATA_RAW },
	{ "data-urlencode", 0, CURL_DATA_ENCODED },
	{ "json", 0, CURL_JSON_DATA },
	{ "form", 'F', CURL_FORM },
	{ "form-string", 0, CURL_FORM },
	{ "user", 'u', CURL_USER },
	{ "oauth2-bearer", 0, CURL_BEARER },
	{ "cookie", 'b', CURL_COOKIE },
	{ "user-agent", 'A', CURL_AGENT },
	{ "referer", 'e', CURL_REFERER },
	{ "get", 'G', CURL_GET_DATA },
	{ "head", 'I', CURL_HEAD_ONLY },
	{ "url", 0, CURL_URL },
	{ "range", 'r', CURL_RANGE },
	{ "max-time", 'm', CURL_TIMEOUT },
	{ "upload-file", 'T', CURL_UPLOAD },
	{ "next", ':', CURL_NEXT },
	{ "insecure", 'k', CURL_NOTED },
	{ "location", 'L', CURL_NOTED },
	{ "location-trusted", 0, CURL_NOTED },
	{ "digest", 0, CURL_NOTED },
	{ "ntlm", 0, CURL_NOTED },
	{ "negotiate", 0, CURL_NOTED },
	{ "anyauth", 0, CURL_NOTED },
	{ "netrc", 'n', CURL_NOTED },
	{ "proxy", 'x', CURL_NOTED_VALUE },
	{ "cert", 'E', CURL_NOTED_VALUE },
	{ "key", 0, CURL_NOTED_VALUE },
	{ "cacert", 0, CURL_NOTED_VALUE },
	{ "config", 'K', CURL_NOTED_VALUE },
	{ "resolve", 0, CURL_NOTED_VALUE },
	{ "connect-to", 0, CURL_NOTED_VALUE },
	{ "unix-socket", 0, CURL_NOTED_VALUE },
	{ "interface", 0, CURL_NOTED_VALUE },
	{ "aws-sigv4", 0, CURL_NOTED_VALUE },
	{ "request-target", 0, CURL_NOTED_VALUE },
	{ "proxy-user", 'U', CURL_NOTED_VALUE },
	{ "basic", 0, CURL_QUIET },
	{ "compressed", 0, CURL_QUIET },
	{ "silent", 's', CURL_QUIET },
	{ "show-error", 'S', CURL_QUIET },
	{ "include", 'i', CURL_QUIET },
	{ "show-headers", 0, CURL_QUIET },
	{ "verbose", 'v', CURL_QUIET },
	{ "fail", 'f', CURL_QUIET },
	{ "fail-with-body", 0, CURL_QUIET },
	{ "globoff", 'g', CURL_QUIET },
	{ "no-buffer", 'N', CURL_QUIET },
	{ "progress-bar", '#', CURL_QUIET },
	{ "no-progress-meter", 0, CURL_QUIET },
	{ "remote-name", 'O', CURL_QUIET },
	{ "remote-header-name", 'J', CURL_QUIET },
	{ "create-dirs", 0, CURL_QUIET },
	{ "http1.0", '0', CURL_QUIET },
	{ "http1.1", 0, CURL_QUIET },
	{ "http2", 0, CURL_QUIET },
	{ "http2-prior-knowledge", 0, CURL_QUIET },
	{ "http3", 0, CURL_QUIET },
	{ "ipv4", '4', CURL_QUIET },
	{ "ipv6", '6', CURL_QUIET },
	{ "tlsv1.2", 0, CURL_QUIET },
	{ "tlsv1.3", 0, CURL_QUIET },
	{ "path-as-is", 0, CURL_QUIET },
	{ "parallel", 'Z', CURL_QUIET },
	{ "disable", 'q', CURL_QUIET },
	{ "output", 'o', CURL_QUIET_VALUE },
	{ "write-out", 'w', CURL_QUIET_VALUE },
	{ "cookie-jar", 'c', CURL_QUIET_VALUE },
	{ "dump-header", 'D', CURL_QUIET_VALUE },
	{ "stderr", 0, CURL_QUIET_VALUE },
	{ "trace", 0, CURL_QUIET_VALUE },
	{ "trace-ascii", 0, CURL_QUIET_VALUE },
	{ "connect-timeout", 0, CURL_QUIET_VALUE },
	{ "retry", 0, CURL_QUIET_VALUE },
	{ "retry-delay", 0, CURL_QUIET_VALUE },
	{ "retry-max-time", 0, CURL_QUIET_VALUE },
	{ "retry-all-errors", 0, CURL_QUIET },
	{ "retry-connrefused", 0, CURL_QUIET },
	{ "fail-early", 0, CURL_QUIET },
	{ "remote-name-all", 0, CURL_QUIET },
	{ "remove-on-error", 0, CURL_QUIET },
	{ "parallel-immediate", 0, CURL_QUIET },
	{ "styled-output", 0, CURL_QUIET },
	{ "tcp-nodelay", 0, CURL_QUIET },
	{ "tcp-fastopen", 0, CURL_QUIET },
	{ "ssl-no-revoke", 0, CURL_QUIET },
	{ "limit-rate", 0, CURL_QUIET_VALUE },
	{ "max-redirs", 0, CURL_QUIET_VALUE },
	{ "keepalive-time", 0, CURL_QUIET_VALUE },
	{ "ciphers", 0, CURL_QUIET_VALUE },
	{ "speed-limit", 'Y', CURL_QUIET_VALUE },
	{ "speed-time", 'y', CURL_QUIET_VALUE },
};

bool curl_takes_value(enum curl_meaning m)
{
	return m != CURL_QUIET && m != CURL_NOTED && m != CURL_GET_DATA && m != CURL_HEAD_ONLY && m != CURL_NEXT;
}

const struct curl_option *curl_find_long(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (str_is(name, options[i].name))
			return &options[i];
	return NULL;
}

const struct curl_option *curl_find_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].letter == letter && letter)
			return &options[i];
	return NULL;
}

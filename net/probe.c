#include "net/probe.h"

#include <curl/curl.h>

#include "net/curl_bridge.h"

static int on_progress(void *limits, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	const struct probe_limits *l = limits;
	return l->stopped(l->arg);
}

int net_probe(const char *url, const struct transport_options *options, const struct probe_limits *limits,
              struct err *err)
{
	char text[CURL_ERROR_SIZE] = "";
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_IO, "libcurl cannot start");
	CURL *easy = curl_easy_init();
	if (!easy)
		return err_set(err, ERR_IO, "libcurl gives no handle");
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(limits->timeout / MILLISECOND));
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
	if (limits->stopped) {
		curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(easy, CURLOPT_XFERINFODATA, (void *)(uintptr_t)limits);
	}
	struct curl_slist connect_to;
	curl_bridge_set_route(easy, options, NULL, &connect_to);
	const CURLcode code = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_INTERRUPTED, "interrupted before %s answered", url);
	return err_set(err, ERR_UNREACHABLE, "cannot reach %s: %s", url, text[0] ? text : curl_easy_strerror(code));
}

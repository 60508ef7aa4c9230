/* curl_options.h: what curl's options mean for a request. Private to scenarios/import/.
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_IMPORT_CURL_OPTIONS_H
#define WEIR_SCENARIOS_IMPORT_CURL_OPTIONS_H

#include "base/str.h"

enum curl_meaning {
	CURL_QUIET,       /* nothing of the request */
	CURL_QUIET_VALUE, /* the same, with a value */
	CURL_NOTED,       /* of the request, and not done */
	CURL_NOTED_VALUE,
	CURL_METHOD,
	CURL_HEADER,
	CURL_DATA,
	CURL_DATA_RAW,
	CURL_DATA_ENCODED,
	CURL_JSON_DATA,
	CURL_FORM,
	CURL_USER,
	CURL_BEARER,
	CURL_COOKIE,
	CURL_AGENT,
	CURL_REFERER,
	CURL_GET_DATA,
	CURL_HEAD_ONLY,
	CURL_URL,
	CURL_RANGE,
	CURL_TIMEOUT,
	CURL_UPLOAD,
	CURL_NEXT,
};

struct curl_option {
	const char *name;
	char letter; /* 0: none */
	enum curl_meaning meaning;
};

/* The option of that name ("request") or letter ('X'); NULL when it is not known. */
const struct curl_option *curl_find_long(struct str name);
const struct curl_option *curl_find_letter(char letter);

bool curl_takes_value(enum curl_meaning m);

#endif

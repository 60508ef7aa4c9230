/* Cookies come from the peer: whatever it sets, the jar stays bounded and sends nothing that breaks a header line apart
 * further than the peer's own header did. One header per line. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/cookies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cookie_place places[] = {
		{ { "shop.example.com", 16 }, { "/cart/list", 10 }, true },
		{ { "127.0.0.1", 9 }, { "/", 1 }, false },
	};
	struct str rest = { size ? (const char *)data : "", size }, line;
	struct wall now = { 1767225600 * SECOND }, date;
	struct cookie_jar jar;
	struct buf out;
	cookie_jar_init(&jar);
	buf_init(&out, COOKIE_JAR_BYTES);
	for (size_t n = 0; str_cut(&rest, '\n', &line); n++) {
		cookie_jar_take(&jar, line, &places[n % 2], now);
		(void)cookie_date(line, &date);
		must(jar.count <= COOKIES_MAX && jar.entries.len <= COOKIE_JAR_BYTES);
		buf_clear(&out);
		cookie_jar_write(&jar, &places[n % 2], now, &out);
		must(!memchr(buf_cstr(&out), '\n', out.len));
		now.ns += SECOND;
	}
	cookie_jar_finish(&jar);
	buf_finish(&out);
	return 0;
}

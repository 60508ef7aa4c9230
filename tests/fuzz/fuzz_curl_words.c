/* Command lines are pasted: any bytes give words and a scenario that compiles (import_curl sees to that), or diagnostics. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/import/curl_words.h"
#include "scenarios/import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_options o = { 0 };
	const struct source source = { "fuzz", { (const char *)data, size } };
	struct curl_words words;
	struct diags diags;
	struct buf out;
	diags_init(&diags, &source);
	const bool good = curl_words_read(&words, &diags);
	must(good == (diags.count == 0));
	for (size_t i = 0; i < words.count; i++) {
		must(words.list[i].at <= size && words.list[i].len <= size - words.list[i].at);
		must(!words.list[i].ends || i == 0 || !words.list[i - 1].ends);
	}
	must(!good || words.count == 0 || words.list[words.count - 1].ends);
	curl_words_finish(&words);
	diags_finish(&diags);
	diags_init(&diags, &source);
	buf_init(&out, IMPORT_OUT_BYTES + 1);
	const int r = import_curl(&diags, &o, &out);
	must((r == 0) == (diags.count == 0) && (r == 0) == (out.len > 0));
	buf_finish(&out);
	diags_finish(&diags);
	return 0;
}

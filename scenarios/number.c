#include "scenarios/number.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

/* A decimal number of 15 digits survives a double, and 17 tell any two doubles apart (C11 5.2.4.2.2, DBL_DIG). */
#define DIGITS_LEAST 15
#define DIGITS_MOST 17

char *number_text(const json_t *value)
{
	for (size_t digits = DIGITS_LEAST;; digits++) {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(digits));
		double back;
		must(text);
		if (!json_is_real(value) || digits == DIGITS_MOST ||
		    (str_to_double(str_from(text), &back) && back == json_real_value(value)))
			return text;
		free(text);
	}
}

/* number.h: JSON values as the text that stands in a file.
 *
 * Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_NUMBER_H
#define WEIR_SCENARIOS_NUMBER_H

#include <jansson.h>

/* <value> as compact JSON; a decimal number with as few digits as say which one it is: 19.99, not 19.989999999999998.
 * Given: free. */
char *number_text(const json_t *value);

#endif

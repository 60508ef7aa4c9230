/* terminal.h: what the user's terminal can do, and a region of it that is drawn again and again. Threads: [main]. */
#ifndef WEIR_CLI_TERMINAL_H
#define WEIR_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "reports/style.h"

struct terminal {
	bool out_colour, err_colour; /* stdout and stderr take colours */
	bool err_is_terminal;        /* progress may be drawn in place */
	bool utf8;
	int live_lines; /* drawn by terminal_draw and still on the screen */
};

void terminal_init(struct terminal *t, bool no_color);

/* Columns of stderr's terminal now; 80 when it is none. It may have been resized. */
int terminal_width(void);

/* How reports are written to stdout. */
struct report_style terminal_style(const struct terminal *t);

/* Replaces the region on stderr by <text>, lines ending with newlines, each cut to the terminal's width (escape
 * sequences do not count). Only when err_is_terminal. */
void terminal_draw(struct terminal *t, struct str text);
/* Wipes the region, or leaves it standing, so that normal lines follow. */
void terminal_wipe(struct terminal *t);
void terminal_leave(struct terminal *t);

/* SGR sequences for stderr, "" where there is no colour. */
enum hue { HUE_NONE, HUE_DIM, HUE_BOLD, HUE_GOOD, HUE_WARN, HUE_BAD };
const char *terminal_hue(const struct terminal *t, enum hue h);

#endif

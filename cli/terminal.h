/* terminal.h: what the user's terminal can do, and a full screen on it that is drawn again and again.
 *
 * screen   the alternate screen of stderr's terminal, without cursor and line wrap. It begins with the first
 *          terminal_show and ends with terminal_leave; what was there before comes back. It also ends when weir does in
 *          any other way: exit, a signal that kills, a broken promise (must); and while weir is stopped (Ctrl-Z).
 *
 * The size is asked for at each drawing, so a resized window is filled anew with the next one, within a second. Threads:
 * [main]. */
#ifndef WEIR_CLI_TERMINAL_H
#define WEIR_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "reports/style.h"

struct terminal {
	bool out_colour, err_colour; /* stdout and stderr take colours */
	bool err_is_terminal;        /* progress may be a screen */
	bool utf8;
};

void terminal_init(struct terminal *t, bool no_color);

/* Of stderr's terminal now; 80 x 24 when it is none. */
struct terminal_size {
	int columns, rows;
};
struct terminal_size terminal_size(void);

/* How reports are written to stdout, and how a screen of <size> is written. */
struct report_style terminal_style(const struct terminal *t);
struct report_style terminal_screen_style(const struct terminal *t, struct terminal_size size);

/* Replaces the screen by <text>, lines ending with line feeds, each cut to the width (escape sequences do not count),
 * as many as there are rows. Only when err_is_terminal. */
void terminal_show(struct terminal *t, struct terminal_size size, struct str text);
/* Without a screen: nothing. */
void terminal_leave(void);

/* SGR sequences for stderr, "" where there is no colour. */
enum hue { HUE_NONE, HUE_DIM, HUE_BOLD, HUE_GOOD, HUE_WARN, HUE_BAD };
const char *terminal_hue(const struct terminal *t, enum hue h);

#endif

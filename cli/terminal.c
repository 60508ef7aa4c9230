#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 20

static bool wants_colour(int fd, bool no_color)
{
	const char *term = getenv("TERM"), *never = getenv("NO_COLOR");
	return !no_color && !(never && never[0]) && isatty(fd) && term && strcmp(term, "dumb") != 0;
}

void terminal_init(struct terminal *t, bool no_color)
{
	const char *term = getenv("TERM");
	setlocale(LC_CTYPE, "");
	*t = (struct terminal){
		.out_colour = wants_colour(STDOUT_FILENO, no_color),
		.err_colour = wants_colour(STDERR_FILENO, no_color),
		.err_is_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

int terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

struct report_style terminal_style(const struct terminal *t)
{
	const int width = terminal_width();
	return (struct report_style){ .colour = t->out_colour, .utf8 = t->utf8, .width = width > 100 ? 100 : width };
}

/* The bytes of <line> that fit into <width> columns; sequences and the tails of UTF-8 characters take none. */
static size_t fitting(struct str line, int width)
{
	size_t i = 0;
	for (int columns = 0; i < line.len; i++) {
		if (line.p[i] == '\033') {
			while (i < line.len && line.p[i] != 'm')
				i++;
			continue;
		}
		if (((unsigned char)line.p[i] & 0xc0) == 0x80)
			continue;
		if (++columns > width)
			break;
	}
	return i;
}

void terminal_draw(struct terminal *t, struct str text)
{
	struct buf out;
	struct str line;
	int lines = 0;
	const int width = terminal_width() - 1; /* a full last column would wrap on some terminals */
	buf_init(&out, 1u << 20);
	if (t->live_lines > 0)
		buf_printf(&out, "\033[%dA\r\033[J", t->live_lines);
	for (; str_cut(&text, '\n', &line); lines++) {
		buf_add(&out, str_first(line, fitting(line, width)));
		buf_printf(&out, "%s\n", t->err_colour ? "\033[0m" : "");
	}
	t->live_lines = lines;
	fputs(buf_cstr(&out), stderr);
	fflush(stderr);
	buf_finish(&out);
}

void terminal_wipe(struct terminal *t)
{
	if (t->live_lines > 0)
		fprintf(stderr, "\033[%dA\r\033[J", t->live_lines);
	t->live_lines = 0;
}

void terminal_leave(struct terminal *t)
{
	t->live_lines = 0;
}

const char *terminal_hue(const struct terminal *t, enum hue h)
{
	static const char *const sequences[] = {
		[HUE_NONE] = "\033[0m",     [HUE_DIM] = "\033[2m",      [HUE_BOLD] = "\033[1m",
		[HUE_GOOD] = "\033[32m",    [HUE_WARN] = "\033[33m",    [HUE_BAD] = "\033[31;1m",
	};
	return t->err_colour ? sequences[h] : "";
}

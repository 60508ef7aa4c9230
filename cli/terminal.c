#include "cli/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/must.h"

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24
#define SCREEN_BYTES_MAX (1u << 20)

/* Alternate screen, no cursor, no wrap; and back, in the reverse order. */
static const char enter_screen[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_screen[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

/* One terminal per process; signal handlers look at it. */
static volatile sig_atomic_t screen_is_on;

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

struct terminal_size terminal_size(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		return (struct terminal_size){ COLUMNS_DEFAULT, ROWS_DEFAULT };
	return (struct terminal_size){ size.ws_col, size.ws_row };
}

struct report_style terminal_style(const struct terminal *t)
{
	const int width = terminal_size().columns;
	return (struct report_style){ .colour = t->out_colour, .utf8 = t->utf8, .width = width > 100 ? 100 : width };
}

struct report_style terminal_screen_style(const struct terminal *t, struct terminal_size size)
{
	return (struct report_style){ .colour = t->err_colour, .utf8 = t->utf8, .width = size.columns };
}

/* --- the screen --- */

/* Also in signal handlers: nothing but write(2). */
static void write_all(const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(STDERR_FILENO, text, len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

void terminal_leave(void)
{
	if (!screen_is_on)
		return;
	screen_is_on = 0;
	write_all(leave_screen, sizeof(leave_screen) - 1);
}

static void on_deadly(int number)
{
	terminal_leave();
	signal(number, SIG_DFL);
	raise(number);
}

/* Ctrl-Z: the shell gets its screen back until weir goes on. */
static void on_stop(int number)
{
	const int saved = errno;
	const bool was_on = screen_is_on;
	terminal_leave();
	raise(SIGSTOP);
	if (was_on) {
		screen_is_on = 1;
		write_all(enter_screen, sizeof(enter_screen) - 1);
	}
	errno = saved;
}

/* Only where nobody else listens: loops watch for SIGINT and SIGTERM themselves, sanitizers for what is theirs. */
static void listen_to(int number, void (*handler)(int))
{
	struct sigaction now;
	if (sigaction(number, NULL, &now) != 0 || now.sa_handler != SIG_DFL)
		return;
	struct sigaction ours = { .sa_handler = handler, .sa_flags = SA_RESTART };
	sigemptyset(&ours.sa_mask);
	sigaction(number, &ours, NULL);
}

static void enter(void)
{
	static const int deadly[] = { SIGHUP,  SIGINT, SIGTERM, SIGQUIT, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2,
		                      SIGSEGV, SIGBUS, SIGFPE,  SIGILL,  SIGXCPU, SIGXFSZ, SIGSYS };
	static bool prepared;
	if (!prepared) {
		prepared = true;
		atexit(terminal_leave);
		must_set_farewell(terminal_leave);
	}
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		listen_to(deadly[i], on_deadly);
	listen_to(SIGTSTP, on_stop);
	screen_is_on = 1;
	write_all(enter_screen, sizeof(enter_screen) - 1);
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

void terminal_show(struct terminal *t, struct terminal_size size, struct str text)
{
	struct buf out;
	struct str line;
	must(t->err_is_terminal);
	if (!screen_is_on)
		enter();
	buf_init(&out, SCREEN_BYTES_MAX);
	/* Each row is wiped before it is written: behind a full row the cursor stands on its last character. */
	buf_add(&out, STR("\033[H"));
	int row = 0;
	for (; row < size.rows && str_cut(&text, '\n', &line); row++) {
		buf_add(&out, row ? STR("\r\n\033[2K") : STR("\033[2K"));
		buf_add(&out, str_first(line, fitting(line, size.columns)));
		buf_add(&out, STR("\033[0m"));
	}
	if (row > 0 && row < size.rows)
		buf_add(&out, STR("\r\n\033[J"));
	write_all(buf_str(&out).p, buf_str(&out).len);
	buf_finish(&out);
}

const char *terminal_hue(const struct terminal *t, enum hue h)
{
	static const char *const sequences[] = {
		[HUE_NONE] = "\033[0m",  [HUE_DIM] = "\033[2m",   [HUE_BOLD] = "\033[1m",
		[HUE_GOOD] = "\033[32m", [HUE_WARN] = "\033[33m", [HUE_BAD] = "\033[31;1m",
	};
	return t->err_colour ? sequences[h] : "";
}

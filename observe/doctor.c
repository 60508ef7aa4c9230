#include "observe/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/must.h"
#include "base/units.h"

/* Limits, each with what it is measured by. */
#define DESCRIPTORS_LEAST 1024   /* a few hundred users */
#define DESCRIPTORS_ENOUGH 16384 /* 10,000 users and room */
#define PORTS_ENOUGH 10000       /* connections to one address at a time, or within a minute when none is kept */
#define LATE_WARN MILLISECOND    /* of send lag at p99: a run over it, and over 5 % of its service p50, is invalid */
#define LATE_FAIL (20 * MILLISECOND)
#define STEAL_WARN 0.02
#define STEAL_FAIL 0.20
#define BUSY_WARN 0.30
#define MEMORY_FAIL (UINT64_C(64) << 20)
#define MEMORY_WARN (UINT64_C(256) << 20)
#define CLOCK_READ_WARN 500 /* ns; a system call instead of the vDSO */
#define RATE_WARN 5000      /* requests per second and core */

const char *finding_state_text(enum finding_state s)
{
	static const char *const texts[] = { "ok", "warn", "fail" };
	return texts[s];
}

void doctor_find(struct doctor *d, enum finding_state state, const char *name, const char *why, const char *advice,
                 const char *format, ...)
{
	va_list args;
	must(d->count < DOCTOR_FINDINGS_MAX);
	struct finding *f = &d->findings[d->count++];
	*f = (struct finding){ .name = name, .state = state, .why = why, .advice = advice };
	va_start(args, format);
	vsnprintf(f->found, sizeof(f->found), format, args);
	va_end(args);
}

static enum finding_state grade(bool fails, bool warns)
{
	return fails ? FINDING_FAIL : warns ? FINDING_WARN : FINDING_OK;
}

static void judge_descriptors(struct doctor *d, uint64_t n)
{
	doctor_find(d, grade(n < DESCRIPTORS_LEAST, n < DESCRIPTORS_ENOUGH), "descriptors",
	            "each user has a connection, and each connection a descriptor",
	            "raise the hard limit: ulimit -Hn, LimitNOFILE= of a systemd unit, --ulimit nofile= of a container",
	            "%" PRIu64 " may be open at a time", n);
}

static void judge_ports(struct doctor *d, const struct machine_facts *m)
{
	static const char why[] = "without kept connections each request takes a local port for a minute (TIME_WAIT)";
	static const char advice[] = "widen net.ipv4.ip_local_port_range, keep connections alive, or wait a minute and "
				     "look again";
	if (m->port_last == 0) {
		doctor_find(d, FINDING_WARN, "ports", why, advice, "the kernel does not tell the range of local ports");
		return;
	}
	const uint64_t ports = m->port_last - m->port_first + 1;
	doctor_find(d, grade(false, ports < PORTS_ENOUGH || m->time_wait > ports / 2), "ports", why, advice,
	            "%" PRIu64 " local ports (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " connections in TIME_WAIT", ports,
	            m->port_first, m->port_last, m->time_wait);
}

static void judge_cores(struct doctor *d, const struct machine_facts *m)
{
	const bool limited = m->cpu_quota > 0 && m->cpu_quota < (double)m->cores;
	char quota[64] = "", governor[MACHINE_WORD_BYTES + 16] = "";
	if (limited)
		snprintf(quota, sizeof(quota), ", the control group allows %.2f", m->cpu_quota);
	if (m->governor[0])
		snprintf(governor, sizeof(governor), ", governor %s", m->governor);
	doctor_find(
		d, grade(m->cores < 1, m->cores < 2 || limited || strcmp(m->governor, "powersave") == 0), "processors",
		"weir, the target and the kernel compete for them; a throttled or slow one makes weir late, not the target",
		"run the target on another machine, lift the limit of the container, use the governor 'performance'",
		"%" PRId64 " cores%s%s%s%s", m->cores, quota, governor, m->cpu[0] ? ", " : "", m->cpu);
}

static void judge_memory(struct doctor *d, const struct machine_facts *m)
{
	const uint64_t n = m->memory_available_bytes;
	if (m->memory_bytes == 0)
		return;
	doctor_find(d, grade(n < MEMORY_FAIL, n < MEMORY_WARN), "memory",
	            "histograms take some megabytes, a user some ten kilobytes; a machine that swaps measures its disk",
	            "end other programs or use a larger machine", "%" PRIu64 " MB available of %" PRIu64 " MB", n >> 20,
	            m->memory_bytes >> 20);
}

void doctor_judge_machine(struct doctor *d, const struct machine_facts *m)
{
	judge_descriptors(d, m->descriptors);
	judge_ports(d, m);
	judge_cores(d, m);
	judge_memory(d, m);
}

void doctor_judge_quiet(struct doctor *d, const struct cpu_ticks *before, const struct cpu_ticks *after)
{
	const double total = (double)(after->total - before->total);
	if (after->total <= before->total)
		return;
	const double steal = (double)(after->steal - before->steal) / total;
	const double busy = 1 - (double)(after->idle - before->idle) / total;
	doctor_find(d, grade(steal > STEAL_FAIL, steal > STEAL_WARN || busy > BUSY_WARN), "others",
	            "what other programs and other guests of the host take is missing at the wrong moment",
	            "stop other programs; on a virtual machine with steal, take another host or dedicated cores",
	            "processors %.0f %% busy while weir slept, %.1f %% stolen by the host", busy * 100, steal * 100);
}

static bool is_slow_clock(const char *source)
{
	return strcmp(source, "hpet") == 0 || strcmp(source, "acpi_pm") == 0 || strcmp(source, "jiffies") == 0 ||
	       strcmp(source, "refined-jiffies") == 0;
}

void doctor_judge_clock(struct doctor *d, const struct machine_facts *m, const struct clock_facts *c)
{
	doctor_find(d,
	            grade(c->backwards || c->resolution > MILLISECOND,
	                  c->read > CLOCK_READ_WARN || c->resolution > MICROSECOND || is_slow_clock(m->clock_source)),
	            "clock", "every figure is a difference of two readings",
	            "choose a better source in /sys/devices/system/clocksource, or another machine",
	            "source %s, resolution %" PRId64 " ns, %" PRId64 " ns per reading, %s",
	            m->clock_source[0] ? m->clock_source : "unknown", c->resolution, c->read,
	            c->backwards ? "and it went backwards" : "never backwards");
}

void doctor_judge_lateness(struct doctor *d, const struct lateness *l)
{
	char text[3][DURATION_TEXT_BYTES];
	doctor_find(
		d, grade(l->p99 > LATE_FAIL, l->p99 > LATE_WARN), "timers",
		"a request that is sent late is weir's delay; a run whose send lag is over 1 ms at p99, and over 5 % of the "
		"median service time, is invalid (exit status 4)",
		"stop other programs, avoid shared or throttled cores, switch off power saving",
		"%d alarms were late by p50 %s, p99 %s, at most %s", l->count, duration_format(l->p50, text[0]),
		duration_format(l->p99, text[1]), duration_format(l->most, text[2]));
}

void doctor_judge_loopback(struct doctor *d, const struct loopback_facts *f)
{
	static const char why[] = "it is the most that this machine can send, before a target is asked anything";
	if (f->failed > 0 || f->requests == 0 || f->connections == 0) {
		doctor_find(d, FINDING_FAIL, "self-test", why, "look at the firewall and the limits of this machine",
		            "%" PRIu64 " requests to a server of weir's own on 127.0.0.1 failed, %" PRIu64
		            " were answered",
		            f->failed, f->requests + f->connections);
		return;
	}
	doctor_find(
		d, grade(false, f->requests_per_core_second < RATE_WARN), "self-test", why,
		"stop other programs, or spread the load over several machines",
		"%.0f requests/s and %.0f connections/s per core of weir (%.0f/s and %.0f/s with the server beside it)",
		f->requests_per_core_second, f->connections_per_core_second, f->requests_per_second,
		f->connections_per_second);
}

enum finding_state doctor_state(const struct doctor *d)
{
	enum finding_state worst = FINDING_OK;
	for (size_t i = 0; i < d->count; i++)
		worst = d->findings[i].state > worst ? d->findings[i].state : worst;
	return worst;
}

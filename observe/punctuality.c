#include "observe/punctuality.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "stats/hist.h"

#define READINGS 100000

void clock_measure(struct clock_facts *ret)
{
	struct timespec resolution = { 0 };
	bool backwards = false;
	clock_getres(CLOCK_MONOTONIC, &resolution);
	const struct mono begin = mono_now();
	struct mono last = begin;
	for (int i = 0; i < READINGS; i++) {
		const struct mono now = mono_now();
		backwards = backwards || now.ns < last.ns;
		last = now;
	}
	*ret = (struct clock_facts){ .resolution = resolution.tv_sec * SECOND + resolution.tv_nsec,
		                     .read = mono_since(last, begin) / READINGS,
		                     .backwards = backwards };
}

/* Sleeps until <at>. -1: errno says why. */
static int wait_for(int fd, struct mono at)
{
	uint64_t expirations;
	const struct itimerspec when = { .it_value = { at.ns / SECOND, at.ns % SECOND } };
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
		return -1;
	while (read(fd, &expirations, sizeof(expirations)) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int lateness_measure(int count, dur_ns every, struct lateness *ret, struct err *err)
{
	struct hist late;
	int result = 0;
	const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	must(count > 0 && every > 0);
	if (fd < 0)
		return err_set_errno(err, errno, "the kernel gives no timer");
	hist_init_latency(&late);
	struct mono at = mono_now();
	for (int i = 0; i < count && result == 0; i++) {
		at = mono_after(at, every);
		if (wait_for(fd, at) < 0)
			result = err_set_errno(err, errno, "a timer cannot be waited for");
		hist_record(&late, mono_since(mono_now(), at));
	}
	*ret = (struct lateness){ .count = count,
		                  .p50 = hist_quantile(&late, 0.5),
		                  .p99 = hist_quantile(&late, 0.99),
		                  .most = hist_max(&late) };
	hist_finish(&late);
	close(fd);
	return result;
}

#include "loadgen/manifest.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

/* "model name" of the first processor; "" where /proc does not tell. */
static void read_cpu(char *text, size_t size)
{
	struct buf all;
	struct str rest, line;
	text[0] = '\0';
	buf_init(&all, 4u << 20);
	if (file_read("/proc/cpuinfo", &all, NULL) == 0) {
		for (rest = buf_str(&all); str_cut(&rest, '\n', &line);) {
			if (!str_starts(line, STR("model name")))
				continue;
			const struct str model = str_trim(str_from_at(line, str_find(line, ':') + 1));
			snprintf(text, size, "%.*s", STR_ARG(model));
			break;
		}
	}
	buf_finish(&all);
}

json_t *manifest_make(const struct run_options *o, uint32_t threads, uint32_t local_ports)
{
	char hash[24], cpu[128];
	struct utsname system = { .sysname = "" };
	struct rlimit files = { 0 };
	uname(&system);
	getrlimit(RLIMIT_NOFILE, &files);
	read_cpu(cpu, sizeof(cpu));
	snprintf(hash, sizeof(hash), "%016" PRIx64, o->program->hash);
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:s?, s:s}", //
	                 "scenario_hash", hash, "target", o->program->target.url, "weir", WEIR_VERSION, "libcurl",
	                 curl->version, "host", system.nodename, "system", system.sysname, "kernel", system.release,
	                 "machine", system.machine, "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "descriptors",
	                 (json_int_t)files.rlim_cur, "local_ports", (json_int_t)local_ports, "threads",
	                 (json_int_t)threads, "cpu", cpu, "seed", (json_int_t)(o->seed & INT64_MAX), "command",
	                 o->command, "tls", curl->ssl_version ? curl->ssl_version : "none");
}
